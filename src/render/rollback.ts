import { randomBytes } from 'node:crypto';
import { urlOf } from './address';
import { startBackTo } from './artifact';
import { orWarn, type ProofWish, waitForOthers } from './deploy-one';
import { findServices } from './find';
import { findLiveVersion } from './live-version';
import { type Look, lookAt } from './look';
import { classOf } from './model';
import { keepProven, setPin } from './pin';
import {
  checkDeployable,
  checkShown,
  type DeployPlan,
  isLeftOver,
  ownDeploy,
  planDeploy,
} from './plan';
import { prove } from './prove';
import type { ResolvedWish } from './resolve-wish';
import type { ServiceResult } from './result';
import { checkPublished, nothingProven, pickTarget, type Target } from './rollback-target';
import type { Session } from './session';
import { describeTrail, type Trail } from './trail';
import { endDeploy, undo } from './undo';
import { failureOf, waitForEnd } from './wait';

export interface RollbackOptions {
  services: readonly string[];
  envKey: string | undefined;
  /** An exact version, or a deploy's id for a service that no variable pins. */
  to: string | undefined;
  proof: ProofWish;
  hold: boolean;
  /** Asks the registry for an exact version. */
  resolve: (servicePackage: string | undefined, version: string) => Promise<ResolvedWish>;
}

const nothingAsked = {
  package: undefined,
  clearCache: false,
  commit: undefined,
  image: undefined,
  force: false,
  keepPin: false,
};

/**
 * Leads services back, one after the other: a version's pin with it, proven like a deploy.
 * @throws NotFoundError NO_PROVEN_VERSION, VERSION_NOT_FOUND for a version that the registry no
 *   longer has; DeployError as deploy does
 */
export async function rollbackServices(
  session: Session,
  options: RollbackOptions,
  results: ServiceResult[],
): Promise<void> {
  const looks: Look[] = [];
  for (const service of await findServices(session.client, options.services)) {
    const look = await lookAt(session.client, service, options.envKey);
    checkDeployable(look, { ...nothingAsked, version: undefined });
    checkShown(look, options.proof.healthOnly ? undefined : options.proof.shown);
    looks.push(look);
  }
  for (const look of looks) await rollbackOne(session, options, look, results);
}

async function rollbackOne(
  session: Session,
  options: RollbackOptions,
  first: Look,
  results: ServiceResult[],
): Promise<void> {
  const { client, signal } = session;
  const { service } = first;
  const url = urlOf(service, options.proof);
  const { pending } = first.record;
  const isUnproven = pending !== undefined && isLeftOver(first) && !pending.isRollback;
  let look = first;
  const own = pending && isLeftOver(first) ? ownDeploy(first, pending) : undefined;
  const isOwnRunning = own !== undefined && own.id === look.running?.id;
  if (look.running && !(isUnproven && options.to === undefined && isOwnRunning)) {
    if (isUnproven && isOwnRunning) await endDeploy(session, service, own);
    else await waitForOthers(session, look);
    look = await lookAt(client, await client.service(service.id), options.envKey);
  }
  const live = await findLiveVersion(client, look, { url, shown: options.proof.shown, signal });
  const result: ServiceResult = {
    service: service.name,
    id: service.id,
    type: service.type,
    version: undefined,
    previous: live?.version,
    deploy: undefined,
    url,
    outcome: 'failed',
    proof: [],
  };
  results.push(result);
  const trail: Trail = { stage: 'untouched' };
  let plan: DeployPlan | undefined;
  try {
    if (isUnproven && pending && options.to === undefined) {
      const keepPin = pending.keepsPin === true;
      const wish = { ...nothingAsked, version: pending.to, keepPin };
      plan = planDeploy(look, wish, live, pending.nonce);
      if (!plan.before.live && look.live)
        throw nothingProven(look, `had nothing live before ${look.live.id}`);
      trail.stage = 'creating';
      trail.deploy = own?.id;
      trail.isOver = !isOwnRunning;
      const undone = await undo(session, plan, trail, options.proof, true);
      const { version, deploy, text } = undone;
      const outcome = plan.before.live && !undone.isOther ? 'rolled back' : 'undone';
      Object.assign(result, { version, deploy, outcome, proof: [text] });
    } else {
      const target = pickTarget(look, options.to, live?.version);
      const { version } = target;
      const packageName =
        version === undefined
          ? undefined
          : await checkPublished(session, options.resolve, look, target);
      plan = {
        ...planDeploy(
          look,
          { ...nothingAsked, version, force: true },
          live,
          randomBytes(6).toString('hex'),
        ),
        isRollback: true,
      };
      const done = await moveTo(session, options, plan, target, packageName, trail);
      Object.assign(result, { version, outcome: 'rolled back', ...done });
    }
  } catch (error) {
    if (plan && trail.stage !== 'untouched') session.warn(describeTrail(plan, trail, 'rollback'));
    else if (signal.aborted) session.warn(`${service.name}: nothing was changed`);
    if (signal.aborted) result.outcome = trail.stage === 'untouched' ? 'untouched' : 'interrupted';
    result.deploy ??= trail.deploy;
    throw error;
  }
  if (options.hold)
    await orWarn(session, `${service.name}: autodeploy could not be switched`, () =>
      client.setAutoDeploy(service.id, false),
    );
  else if (service.autoDeploy !== 'off' && !look.isPinned)
    session.warn(
      `${service.name}: autodeploy is on (${service.autoDeploy}): the next push brings the branch's version back; --hold switches it off`,
    );
}

async function moveTo(
  session: Session,
  options: RollbackOptions,
  plan: DeployPlan,
  target: Target,
  packageName: string | undefined,
  trail: Trail,
): Promise<{ deploy: string; proof: readonly string[] }> {
  const { service, live } = plan.look;
  const { proof: wish } = options;
  session.say(`${service.name}: going back to ${target.version ?? target.deploy?.id}`);
  await setPin(session, plan, trail);
  trail.stage = 'creating';
  const isPinned = target.version !== undefined;
  const { deploy, isNew } =
    live && target.deploy?.id === live.id
      ? { deploy: live, isNew: false }
      : await startBackTo(session, service, target.deploy, isPinned);
  trail.stage = 'waiting';
  trail.deploy = deploy.id;
  const ended = deploy === live ? deploy : await waitForEnd(session, service, deploy);
  trail.isOver = true;
  if (classOf(ended) !== 'live') throw await failureOf(session, service, ended);
  trail.stage = 'proving';
  const proof = await prove(session, {
    service,
    deploy: ended,
    version: wish.healthOnly ? undefined : target.version,
    package: packageName,
    isNew: deploy !== live,
    // An artifact runs with the environment, and so the nonce, of its own time.
    nonce: isNew && isPinned ? plan.nonce : undefined,
    shown: wish.healthOnly ? undefined : wish.shown,
    startLines: !wish.healthOnly && deploy !== live,
    url: urlOf(service, wish),
  });
  trail.stage = 'proven';
  const { version } = target;
  if (version !== undefined)
    await orWarn(
      session,
      `${service.name}: ${version} is proven, but could not be written down`,
      () => keepProven(session, plan, version, ended.id),
    );
  trail.stage = 'done';
  return { deploy: ended.id, proof };
}
