import { BootlaceError, DeployError } from '../../errors';
import { seconds } from '../../ui/text';
import type { Session } from '../api/session';
import { runMigrations } from '../job';
import { goBack } from './back';
import { move, type Outcome } from './move';
import { leaveNote, switchAutoDeploy } from './pin';
import { type Plan, resumable } from './plan';
import {
  type DeployOptions,
  describeStep,
  isFine,
  planStep,
  prepare,
  refresh,
  type Step,
} from './prepare';
import { describeProgress, orWarn, type ServiceResult, withStory } from './progress';
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
    for (const step of steps) await describeStep(session, options, step);
    return;
  }
  const moved: Step[] = [];
  let current: Step | undefined;
  try {
    for (current of steps) {
      const outcome = await deployStep(session, options, current);
      if (outcome?.state === 'bad') throw outcome.error;
      if (outcome?.state === 'unproven')
        throw await unproven(session, options, current, outcome.error);
      moved.push(current);
    }
  } catch (error) {
    const failed = current as Step;
    if (session.signal.aborted) {
      for (const step of steps) {
        const { plan, progress } = step;
        if (plan && (progress.stage !== 'back' || step === failed))
          session.warn(describeProgress(session, plan, progress));
        noteInterrupted(step);
      }
      if (!failed.plan) session.warn(`${failed.state.service.name}: nothing was changed`);
      else await leaveNote(session, failed.plan, failed.progress);
      throw error;
    }
    if (!(error instanceof BootlaceError) || failed.result.outcome === 'unproven') throw error;
    const { message: reason } = error;
    Object.assign(failed.result, { outcome: 'failed', reason });
    failed.result.deploy ??= failed.progress.deploy;
    throw await undoAll(session, options, error, failed, moved);
  }
}

/** @returns undefined when the version is live already */
async function deployStep(
  session: Session,
  options: DeployOptions,
  step: Step,
): Promise<Outcome | undefined> {
  const { service } = step.state;
  // Since it was prepared, a version may have been waited for, or other services deployed.
  await refresh(session, options, step);
  const isOwn = !step.wish.force && resumable(step.state, step.wish.version) !== undefined;
  if (step.state.running && !isOwn) {
    await waitForOthers(session, step.state);
    await refresh(session, options, step);
  }
  const plan = await planStep(session, options.proof, step);
  let outcome: Outcome | undefined;
  if (plan.isLive && (await isFine(session, plan, options.proof))) {
    session.say(
      `${service.name}: ${plan.target.version} is live and healthy already; --force deploys it again`,
    );
    Object.assign(step.result, { outcome: 'already live', deploy: plan.state.live?.id });
    step.progress.stage = 'back';
  } else {
    const limit = seconds(session.limits.deployMs);
    session.say(`${service.name}: ${planText(plan)}; time limit ${limit}`);
    await options.onBegin(step.result);
    outcome = await move(
      session,
      plan,
      options.proof.healthOnly ? 'health' : 'version',
      step.progress,
      {
        wish: options.proof,
        package: step.wish.package,
        followLogs: options.followLogs,
        migrate: step.migrate === undefined ? undefined : migration(session, plan, step.migrate),
      },
    );
    step.result.deploy = outcome.deploy.id;
    if (outcome.state !== 'proven') return outcome;
    Object.assign(step.result, { outcome: 'deployed', proof: outcome.seen });
  }
  const { hold } = options;
  if (hold !== undefined)
    await orWarn(session, `${service.name}: autodeploy could not be switched`, () =>
      switchAutoDeploy(session, step.state, hold),
    );
  return outcome;
}

/** A pre-deploy command of the service runs the migrations already. */
function migration(
  session: Session,
  { state: { service } }: Plan,
  command: string,
): (() => Promise<void>) | undefined {
  if (service.preDeployCommand === undefined) return () => runMigrations(session, service, command);
  session.say(
    `${service.name}: its pre-deploy command migrates, so --migrate starts no job: ${service.preDeployCommand}`,
  );
  return undefined;
}

function planText({ target, before, state, resume }: Plan): string {
  const from = before.live?.id ?? 'nothing';
  if (target.version === undefined) return `deploying (${state.live?.id ?? 'nothing'} is live)`;
  const was = before.version ?? (before.live ? `${from}, version unknown` : from);
  return `${resume ? 'going on with' : 'deploying'} ${target.version}; live before: ${was}`;
}

/** The new deploy stays live; the ones after it are not touched. */
async function unproven(
  session: Session,
  options: DeployOptions,
  step: Step,
  error: BootlaceError,
): Promise<BootlaceError> {
  const { plan, progress, result } = step;
  const { name } = step.state.service;
  if (plan) await leaveNote(session, plan, progress);
  const version = plan?.target.version;
  Object.assign(result, { outcome: 'unproven', reason: error.message, failedVersion: version });
  const pin = plan && !plan.keepsPin ? `, and ${plan.state.key} is ${version}` : '';
  const again = session.line('deploy', { version: plan?.keepsPin ? undefined : version });
  const prove = options.proof.place
    ? `prove it: ${again}; or without the version: ${again} --health-only`
    : `prove it where it shows its version: ${again} --expect-json /version (or --expect-header NAME, or --health-only)`;
  const back = session.line('rollback', { services: [name] });
  return new DeployError(error.code, `${error.message}. it stays live${pin}`, {
    fix: `${prove}; or go back: ${back}`,
    facts: error.facts,
    cause: error,
  });
}

/** Completes a result whose step was stopped on its way. */
function noteInterrupted({ progress, result }: Step): void {
  if (['planned', 'proven', 'back'].includes(progress.stage)) return;
  result.outcome = 'interrupted';
  result.deploy ??= progress.deploy;
}

/**
 * Leads the failed service and the ones already moved back, the last first. One that cannot be led
 * back does not keep the others from it.
 * @param options.undo false: all are left as they are, and it is said
 * @param failure what ended the deploy
 * @returns the failure to end with: what is left to do first, then how it came to that
 * @throws the signal's reason, after saying of each service what stands
 */
async function undoAll(
  session: Session,
  options: DeployOptions,
  failure: BootlaceError,
  failed: Step,
  moved: readonly Step[],
): Promise<BootlaceError> {
  const story: string[] = [];
  const stuck: BootlaceError[] = [];
  const steps = [failed, ...[...moved].reverse()].filter(
    ({ plan, progress }) => plan && !['planned', 'back'].includes(progress.stage),
  );
  for (const [i, { plan, progress, result }] of steps.entries()) {
    if (!plan) continue;
    const { version } = plan.target;
    if (!options.undo) {
      session.warn(`left as it is (--no-undo): ${describeProgress(session, plan, progress)}`);
      await leaveNote(session, plan, progress);
      continue;
    }
    try {
      const back = await goBack(session, plan, progress, options.proof);
      const { version: now, deploy } = back;
      Object.assign(result, { outcome: 'undone', version: now, deploy, failedVersion: version });
      story.push(`${result.service}: ${back.text}`);
    } catch (error) {
      await leaveNote(session, plan, progress);
      if (session.signal.aborted) {
        for (const sentence of [failure.message, ...story]) session.warn(sentence);
        for (const left of steps.slice(i)) {
          if (left.plan) session.warn(describeProgress(session, left.plan, left.progress));
          noteInterrupted(left);
        }
        throw error;
      }
      if (!(error instanceof BootlaceError)) throw error;
      Object.assign(result, { outcome: 'failed', failedVersion: version, reason: error.message });
      stuck.push(error);
    }
  }
  const [first, ...others] = stuck;
  if (!first) return withStory(failure, story);
  const more = others.map(({ message, fix }) => `${message} (${fix})`);
  const began = `it began with: ${failure.message}`;
  return withStory(first, [...more, began, ...story], { first: failure.code });
}
