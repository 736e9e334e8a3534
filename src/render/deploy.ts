import { randomBytes } from 'node:crypto';
import { BootlaceError, SettingError } from '../errors';
import { seconds } from '../ui/text';
import { urlOf } from './address';
import { deployOne, orWarn, type ProofWish, waitForOthers } from './deploy-one';
import { findServices } from './find';
import { findLiveVersion } from './live-version';
import { type Look, lookAt } from './look';
import { oneLine } from './one-line';
import {
  checkDeployable,
  checkShown,
  checkTakers,
  type DeployPlan,
  type DeployWish,
  ownRunning,
  planDeploy,
} from './plan';
import { prove } from './prove';
import { checkServiceNode, type ResolvedWish } from './resolve-wish';
import type { ServiceResult } from './result';
import type { Session } from './session';
import { describeTrail } from './trail';
import { noteInterrupted, type Step, undoAll } from './undo-all';

export interface DeployOptions {
  services: readonly string[];
  envKey: string | undefined;
  wish: Pick<DeployWish, 'clearCache' | 'commit' | 'image' | 'force' | 'keepPin'>;
  /** Where the user named a version, such as `--backend-version`; undefined for nowhere. */
  versionFrom: string | undefined;
  proof: ProofWish;
  followLogs: boolean;
  undo: boolean;
  /** true switches autodeploy off, false on again, undefined leaves it. */
  hold: boolean | undefined;
  /** Asked once for each package; with a wish of the service's own in place of the user's. */
  resolve: (servicePackage: string | undefined, wish?: string) => Promise<ResolvedWish>;
}

/**
 * Deploys services in the given order, each proven before the next begins. Everything that can be
 * refused is refused before anything is changed. When one fails, it and the ones already moved
 * go back.
 * @param results filled as the work goes on, so that a failure's report has them too
 * @throws the failure that ended it, its message completed by how far it was undone
 */
export async function deployServices(
  session: Session,
  options: DeployOptions,
  results: ServiceResult[],
): Promise<void> {
  const steps = await prepare(session, options, results).catch(error => {
    if (session.signal.aborted) session.warn('nothing was changed');
    throw error;
  });
  const moved: Step[] = [];
  let current: Step | undefined;
  try {
    for (current of steps) {
      await deployStep(session, options, current);
      moved.push(current);
    }
  } catch (error) {
    const failed = current as Step;
    if (session.signal.aborted) {
      for (const step of steps) {
        const { plan, trail } = step;
        if (plan && (trail.stage !== 'done' || plan === failed.plan))
          session.warn(describeTrail(plan, trail));
        noteInterrupted(step);
      }
      if (!failed.plan) session.warn(`${failed.look.service.name}: nothing was changed`);
      throw error;
    }
    if (!(error instanceof BootlaceError)) throw error;
    failed.result.outcome = 'failed';
    failed.result.deploy ??= failed.trail.deploy;
    throw await undoAll(session, options, error, failed, moved);
  }
}

async function prepare(
  session: Session,
  options: DeployOptions,
  results: ServiceResult[],
): Promise<Step[]> {
  const { client } = session;
  const { proof } = options;
  const looks: Look[] = [];
  for (const service of await findServices(client, options.services)) {
    const look = await lookAt(client, service, options.envKey);
    checkDeployable(look, { ...options.wish, package: undefined, version: undefined });
    looks.push(look);
  }
  for (const sentence of checkTakers(looks, options.versionFrom)) session.warn(sentence);
  for (const look of looks) checkShown(look, proof.healthOnly ? undefined : proof.shown);
  const steps: Step[] = [];
  for (const look of looks) {
    const { service } = look;
    const resolved = look.isPinned ? await resolveFor(look) : undefined;
    const result: ServiceResult = {
      service: service.name,
      id: service.id,
      type: service.type,
      version: resolved?.version,
      previous: undefined,
      deploy: undefined,
      url: urlOf(service, proof),
      outcome: 'untouched',
      proof: [],
    };
    results.push(result);
    const wish = { ...options.wish, package: resolved?.package, version: resolved?.version };
    steps.push({ look, wish, trail: { stage: 'untouched' }, result });
  }
  return steps;

  async function resolveFor({ service, pin }: Look): Promise<ResolvedWish> {
    const servicePackage = await client.variable(service.id, 'BACKEND_PACKAGE');
    const wish = options.wish.keepPin ? pin || 'latest' : undefined;
    const resolved = await options.resolve(servicePackage, wish);
    if (servicePackage !== undefined && servicePackage.trim() !== resolved.package)
      throw new SettingError(
        'PACKAGE_DIFFERS',
        `${service.name} installs ${oneLine(servicePackage)}, but ${resolved.package} is to be deployed`,
        { fix: `leave BACKEND_PACKAGE unset here, or correct it on ${service.name}` },
      );
    if (resolved.engines !== undefined)
      checkServiceNode(resolved, await client.variable(service.id, 'NODE_VERSION'), service.name);
    return resolved;
  }
}

async function deployStep(session: Session, options: DeployOptions, step: Step): Promise<void> {
  const { client, signal } = session;
  const { service } = step.look;
  if (step.look.running && !ownRunning(step.look, step.wish.version)) {
    await waitForOthers(session, step.look);
    step.look = await lookAt(client, await client.service(service.id), options.envKey);
    checkDeployable(step.look, step.wish);
  }
  const url = urlOf(service, options.proof);
  const live = await findLiveVersion(client, step.look, {
    url,
    shown: options.proof.shown,
    signal,
  });
  const plan = planDeploy(step.look, step.wish, live, randomBytes(6).toString('hex'));
  step.plan = plan;
  step.result.previous = plan.before.version;
  for (const note of plan.notes) session.warn(note);
  if (plan.isLive && (await isHealthy(session, plan, options.proof))) {
    session.say(
      `${service.name}: ${plan.to} is live and healthy already; --force deploys it again`,
    );
    Object.assign(step.result, { outcome: 'already live', deploy: step.look.live?.id });
    step.trail.stage = 'done';
  } else {
    const limit = seconds(session.limits.deployMs);
    session.say(`${service.name}: ${planText(plan)}; time limit ${limit}`);
    const deployed = await deployOne(session, plan, step.trail, {
      proof: options.proof,
      package: step.wish.package,
      followLogs: options.followLogs,
    });
    Object.assign(step.result, { outcome: 'deployed', ...deployed });
  }
  const { hold } = options;
  if (hold !== undefined)
    await orWarn(session, `${service.name}: autodeploy could not be switched`, () =>
      client.setAutoDeploy(service.id, !hold),
    );
}

function planText({ to, before, look }: DeployPlan): string {
  if (to === undefined) return `deploying (${look.live?.id ?? 'nothing'} is live)`;
  const was = before.version ?? (before.live ? `${before.live.id}, version unknown` : 'nothing');
  return `deploying ${to}; live before: ${was}`;
}

/** What is live already must still answer; a service that does not is deployed anew. */
async function isHealthy(session: Session, plan: DeployPlan, wish: ProofWish): Promise<boolean> {
  const { look } = plan;
  if (!look.live) return false;
  try {
    await prove(
      { ...session, limits: { ...session.limits, proofMs: 30_000 }, showLog: () => {} },
      {
        service: { ...look.service, shutdownMs: 0 },
        deploy: look.live,
        version: plan.to,
        package: undefined,
        isNew: false,
        nonce: undefined,
        shown: wish.shown,
        startLines: false,
        url: urlOf(look.service, wish),
      },
    );
    return true;
  } catch (error) {
    if (!(error instanceof BootlaceError) || error.exitCode !== 9) throw error;
    session.say(`${look.service.name}: ${plan.to} is live, but not healthy; deploying it again`);
    return false;
  }
}
