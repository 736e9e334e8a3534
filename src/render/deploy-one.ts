import { BootlaceError } from '../errors';
import { urlOf } from './address';
import type { Shown } from './expect';
import { classOf } from './model';
import { keepProven, setPin } from './pin';
import type { DeployPlan } from './plan';
import { type Proof, prove } from './prove';
import type { Session } from './session';
import type { Trail } from './trail';
import { createDeploy } from './trigger';
import { failureOf, waitForEnd } from './wait';

/** How the user wants a version to be proven. */
export interface ProofWish {
  readonly shown: Shown | undefined;
  /** No version is asked for, only health. */
  readonly healthOnly: boolean;
  readonly url: string | undefined;
  readonly health: string | undefined;
}

export interface Deployed {
  deploy: string;
  proof: Proof;
}

/**
 * Acts on one service's plan: pin, deploy, wait, prove, write down. Undoes nothing itself.
 * @param trail kept up to date at every step
 * @throws DeployError for a deploy that failed or could not be proven; the client's failures
 */
export async function deployOne(
  session: Session,
  plan: DeployPlan,
  trail: Trail,
  options: { proof: ProofWish; package: string | undefined; followLogs: boolean },
): Promise<Deployed> {
  const { look, to } = plan;
  const { service } = look;
  const { proof: wish } = options;
  let deploy = plan.resume;
  if (deploy) {
    trail.stage = 'waiting';
    trail.deploy = deploy.id;
  } else {
    await setPin(session, plan, trail);
    trail.stage = 'creating';
    deploy = await createDeploy(session, service, plan.request);
    trail.stage = 'waiting';
    trail.deploy = deploy.id;
  }
  const ended = await waitForEnd(session, service, deploy, options.followLogs);
  trail.isOver = true;
  if (classOf(ended) !== 'live') throw await failureOf(session, service, ended);
  trail.stage = 'proving';
  const proof = await prove(session, {
    service,
    deploy: ended,
    version: wish.healthOnly ? undefined : to,
    package: options.package,
    isNew: true,
    nonce: to === undefined ? undefined : plan.nonce,
    shown: wish.healthOnly ? undefined : wish.shown,
    startLines: !wish.healthOnly,
    url: urlOf(service, wish),
  });
  trail.stage = 'proven';
  if (to !== undefined)
    await orWarn(session, `${service.name}: ${to} is proven, but could not be written down`, () =>
      keepProven(session, plan, to, ended.id),
    );
  return { deploy: ended.id, proof };
}

/** Waits until no other deploy runs, for Render would cancel one of the two. */
export async function waitForOthers(session: Session, look: DeployPlan['look']): Promise<void> {
  const { running, service } = look;
  if (!running) return;
  session.say(
    `${service.name}: ${running.id} (${running.trigger ?? 'unknown trigger'}) is running; waiting for its end`,
  );
  await waitForEnd(session, service, running);
}

/** For what comes after the proof: its failure must not undo what is proven. */
export async function orWarn(
  session: Session,
  sentence: string,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof BootlaceError)) throw error;
    session.warn(`${sentence}: ${error.message}`);
  }
}
