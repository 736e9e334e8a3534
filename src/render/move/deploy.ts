import { BootlaceError, DeployError } from '../../errors';
import { seconds } from '../../ui/text';
import type { Session } from '../session';
import { goBack } from './back';
import { move, type Outcome } from './move';
import { leaveNote, switchAutoDeploy } from './pin';
import { isLive, type Plan } from './plan';
import {
  type DeployOptions,
  describeStep,
  isFine,
  planStep,
  prepare,
  refresh,
  type Step,
} from './prepare';
import { describeProgress, type ServiceResult, unprovenFix, withStory } from './progress';
import { resumable } from './state';
import { waitForOthers } from './wait';

/**
 * Deploys services in the given order, each proven before the next begins. Everything that can be
 * refused is refused before anything is changed. When one is bad, it and the ones already moved go
 * back; when one is unproven, it stays and the ones after it are not touched.
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
  if (options.dryRun) {
    for (const step of steps) await describeStep(session, step);
    return;
  }
  for (const [i, step] of steps.entries()) {
    try {
      const outcome = await deployStep(session, options, step);
      if (outcome?.state === 'bad') throw outcome.error;
      if (outcome?.state === 'unproven') throw await unproven(session, step, outcome.error);
    } catch (error) {
      const { plan, result, state } = step;
      if (session.signal.aborted) {
        for (const other of steps)
          if (other === step || other.plan?.progress.stage !== 'back') tellLeft(session, other);
        if (plan) await leaveNote(session, plan);
        else session.warn(`${state.service.name}: nothing was changed`);
        throw error;
      }
      if (!(error instanceof BootlaceError) || result.outcome === 'unproven') throw error;
      Object.assign(result, { outcome: 'failed', reason: error.message });
      result.deploy ??= plan?.progress.deploy;
      throw await undoAll(session, options, error, steps.slice(0, i + 1).reverse());
    }
  }
}

/** @returns undefined when the version is live already */
async function deployStep(
  session: Session,
  options: DeployOptions,
  step: Step,
): Promise<Outcome | undefined> {
  const { wish, result } = step;
  // Since it was prepared, a version may have been waited for, or other services deployed.
  await refresh(session, step);
  if (step.state.running && (wish.force || !resumable(step.state, wish.version))) {
    await waitForOthers(session, step.state);
    await refresh(session, step);
  }
  const { service, live } = step.state;
  const plan = await planStep(session, step);
  let outcome: Outcome | undefined;
  if (!wish.force && isLive(plan) && (await isFine(session, plan))) {
    session.say(
      `${service.name}: ${plan.target.version} is live and healthy already; --force deploys it again`,
    );
    Object.assign(result, { outcome: 'already live', deploy: live?.id });
    plan.progress.stage = 'back';
  } else {
    const limit = seconds(session.limits.deployMs);
    session.say(`${service.name}: ${planText(plan)}; time limit ${limit}`);
    await options.onBegin(result);
    outcome = await move(session, { ...plan, migrate: migrationOf(session, step) });
    result.deploy = outcome.deploy.id;
    if (outcome.state !== 'proven') return outcome;
    Object.assign(result, { outcome: 'deployed', proof: outcome.seen });
  }
  if (options.hold !== undefined) await switchAutoDeploy(session, step.state, options.hold);
  return outcome;
}

/** A pre-deploy command of the service runs the migrations already. */
function migrationOf(session: Session, { migrate, state }: Step): string | undefined {
  const { name, preDeployCommand } = state.service;
  if (migrate === undefined || preDeployCommand === undefined) return migrate;
  session.say(
    `${name}: its pre-deploy command migrates, so --migrate starts no job: ${preDeployCommand}`,
  );
  return undefined;
}

function planText({ target, before, state, resume }: Plan): string {
  if (target.version === undefined) return `deploying (${state.live?.id ?? 'nothing'} is live)`;
  const unknown = before.deploy ? `${before.deploy.id}, version unknown` : 'nothing';
  const was = before.version ?? unknown;
  return `${resume ? 'going on with' : 'deploying'} ${target.version}; live before: ${was}`;
}

/** The new deploy stays live; the ones after it are not touched. */
async function unproven(
  session: Session,
  { plan, result, state }: Step,
  error: BootlaceError,
): Promise<BootlaceError> {
  if (plan) await leaveNote(session, plan);
  const version = plan?.target.version;
  Object.assign(result, { outcome: 'unproven', reason: error.message, failedVersion: version });
  const pin = plan?.keepsPin ? '' : `, and ${state.key} is ${version}`;
  const again = session.line('deploy', { version: plan?.keepsPin ? undefined : version });
  const back = session.line('rollback', { services: [state.service.name] });
  return new DeployError(error.code, `${error.message}. it stays live${pin}`, {
    fix: `${unprovenFix(session, again)}; or go back: ${back}`,
    facts: error.facts,
    cause: error,
  });
}

/** Says of a service that was stopped on its way what stands, and completes its result. */
function tellLeft(session: Session, { plan, result }: Step): void {
  if (!plan) return;
  session.warn(describeProgress(session, plan));
  const { stage, deploy } = plan.progress;
  if (['planned', 'proven', 'back'].includes(stage)) return;
  result.outcome = 'interrupted';
  result.deploy ??= deploy;
}

/**
 * Leads services back in the given order: the failed one, then the ones already moved, the last first.
 * One that cannot be led back does not keep the others from it.
 * @param options.undo false: all are left as they are, and it is said
 * @param failure what ended the deploy
 * @returns the failure to end with: what is left to do first, then how it came to that
 * @throws the signal's reason, after saying of each service what stands
 */
async function undoAll(
  session: Session,
  options: DeployOptions,
  failure: BootlaceError,
  steps: readonly Step[],
): Promise<BootlaceError> {
  const story: string[] = [];
  const stuck: BootlaceError[] = [];
  const touched = steps.filter(
    ({ plan }) => plan && !['planned', 'back'].includes(plan.progress.stage),
  );
  for (const [i, { plan, result }] of touched.entries()) {
    if (!plan) continue;
    if (!options.undo) {
      session.warn(`left as it is (--no-undo): ${describeProgress(session, plan)}`);
      await leaveNote(session, plan);
      continue;
    }
    result.failedVersion = plan.target.version;
    try {
      const { version, deploy, text } = await goBack(session, plan, false);
      Object.assign(result, { outcome: 'undone', version, deploy });
      story.push(`${result.service}: ${text}`);
    } catch (error) {
      await leaveNote(session, plan);
      if (session.signal.aborted) {
        for (const sentence of [failure.message, ...story]) session.warn(sentence);
        for (const left of touched.slice(i)) tellLeft(session, left);
        throw error;
      }
      if (!(error instanceof BootlaceError)) throw error;
      Object.assign(result, { outcome: 'failed', reason: error.message });
      stuck.push(error);
    }
  }
  const [first, ...others] = stuck;
  if (!first) return withStory(failure, story);
  const more = others.map(({ message, fix }) => `${message} (${fix})`);
  const began = `it began with: ${failure.message}`;
  return withStory(first, [...more, began, ...story], { first: failure.code });
}
