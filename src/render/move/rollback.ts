import { BootlaceError } from '../../errors';
import { classOf, type Service } from '../api/model';
import { addressNotes, addressOf, probe } from '../proof/address';
import { findServices, type Session } from '../session';
import { goBack } from './back';
import { move, type Outcome } from './move';
import { checkLock, forget, leaveNote, restorePin, switchAutoDeploy } from './pin';
import { checkDeployable, checkPlace, type Plan, planBack, planDeploy } from './plan';
import { isFine } from './prepare';
import {
  describeProgress,
  newResult,
  restoredText,
  type ServiceResult,
  withStory,
} from './progress';
import { ownDeploy, readServiceState, type ServiceState } from './state';
import { checkPublished, nothingProven, pickTarget } from './target';
import { endDeploy, waitForOthers } from './wait';

interface RollbackOptions {
  services: readonly string[];
  /** An exact version, or a deploy's id. */
  to: string | undefined;
  hold: boolean;
  onBegin: (result: ServiceResult) => Promise<void>;
}

/** Render lists at most so many deploys at once. */
const mostDeploys = 100;

/** One service of a rollback; its package, where that is known. */
interface Row {
  service: Service;
  package: string | undefined;
  result: ServiceResult;
}

/**
 * Leads services back, one after the other: a version's pin with it, proven like a deploy. For all of
 * them the way is found before the first is touched.
 * @throws NotFoundError NO_PROVEN_VERSION, VERSION_NOT_FOUND for a version that the registry no
 *   longer has; DeployError as deploy does
 */
export async function rollbackServices(
  session: Session,
  options: RollbackOptions,
  results: ServiceResult[],
): Promise<void> {
  const rows: Row[] = [];
  for (const service of await findServices(session, options.services)) {
    const plan = await findWay(session, options, service);
    for (const note of addressNotes(service, session.proof)) session.warn(note);
    const isAsked = plan.kind === 'rollback' && plan.target.version !== undefined;
    const name = isAsked ? await checkPublished(session, plan) : undefined;
    rows.push({ service, package: name, result: newResult(session, service) });
  }
  session.say('a way back undoes nothing in the database: migrations that ran stay');
  for (const { service } of rows)
    if (service.preDeployCommand !== undefined)
      session.say(
        `${service.name}: its pre-deploy command may run on the way back, too: ${service.preDeployCommand}`,
      );
  results.push(...rows.map(({ result }) => result));
  const done: string[] = [];
  for (const [i, row] of rows.entries()) {
    const { result } = row;
    try {
      await rollbackOne(session, options, row);
      done.push(`${result.service} went back to ${result.version ?? result.deploy}`);
    } catch (error) {
      if (!(error instanceof BootlaceError) || session.signal.aborted) throw error;
      result.reason ??= error.message;
      const left = rows.slice(i + 1).map(other => `${other.service.name} was not touched`);
      throw withStory(error, [...done, ...left]);
    }
  }
}

/**
 * Where one service goes back to.
 * @returns a deploy that was left unproven, to be undone by the note of what was before it; or a rollback
 */
async function findWay(session: Session, { to }: RollbackOptions, service: Service): Promise<Plan> {
  const state = await readServiceState(session, service, mostDeploys);
  const plan = planWay(session, state, to);
  if (plan.kind === 'deploy') return plan;
  const address = state.live && addressOf(service, session.proof);
  return { ...plan, probe: address && (await probe(address, undefined, session.signal)) };
}

/** The same of a state, with no address asked. Pure. */
export function planWay(session: Session, state: ServiceState, to: string | undefined): Plan {
  checkDeployable(state);
  checkPlace(session, state);
  checkLock(session, state);
  const { live, leftOver, isPinned } = state;
  if (leftOver && !leftOver.isRollback && to === undefined) {
    const plan = planDeploy(state, { version: leftOver.to, keepPin: leftOver.keepsPin });
    if (!plan.before.deploy && live)
      throw nothingProven(session, state, `had nothing live before ${live.id}`);
    return plan;
  }
  const target = pickTarget(session, state, to);
  const plan = planDeploy(state, { force: true });
  return { ...plan, kind: 'rollback', target, keepsPin: !isPinned };
}

async function rollbackOne(session: Session, options: RollbackOptions, row: Row): Promise<void> {
  const { client, signal } = session;
  const { result } = row;
  const { id, name } = row.service;
  const find = async () => findWay(session, options, await client.service(id));
  let plan: Plan | undefined;
  try {
    plan = await find();
    const { running, leftOver, service } = plan.state;
    const isOwn = running !== undefined && running.id === ownDeploy(plan.state)?.id;
    if (running && !(plan.kind === 'deploy' && isOwn)) {
      if (isOwn && !leftOver?.isRollback) await endDeploy(session, service, running);
      else await waitForOthers(session, plan.state);
      plan = await find();
    }
    result.previous = plan.state.known?.version;
    await options.onBegin(result);
    if (plan.kind === 'deploy') await undo(session, plan, result);
    else await moveBack(session, plan, row);
  } catch (error) {
    const isTouched = plan && !['planned', 'back'].includes(plan.progress.stage);
    if (plan && isTouched) {
      session.warn(describeProgress(session, plan));
      await leaveNote(session, plan);
    } else if (signal.aborted) session.warn(`${name}: nothing was changed`);
    if (isTouched || !signal.aborted) result.outcome = signal.aborted ? 'interrupted' : 'failed';
    result.deploy ??= plan?.progress.deploy;
    throw error;
  }
  const { state } = plan;
  const { autoDeploy } = state.service;
  if (options.hold) await switchAutoDeploy(session, state, true);
  else if (autoDeploy !== 'off' && !state.isPinned)
    session.warn(
      `${name}: autodeploy is on (${autoDeploy}): the next push brings the branch's version back; --hold switches it off`,
    );
}

/** The deploy that was left unproven goes, and what was before it comes back. */
async function undo(session: Session, plan: Plan, result: ServiceResult): Promise<void> {
  const { progress, state, before } = plan;
  const own = ownDeploy(state);
  const isOver = own?.id !== state.running?.id;
  Object.assign(progress, { stage: 'creating', hasNote: true, deploy: own?.id, isOver });
  const { version, deploy, text, isOther } = await goBack(session, plan, true);
  const outcome = before.deploy && !isOther ? 'rolled back' : 'undone';
  Object.assign(result, { version, deploy, outcome, proof: [text] });
}

async function moveBack(session: Session, plan: Plan, row: Row): Promise<void> {
  const { result, package: name } = row;
  const { state, progress } = plan;
  const { deploy, version } = plan.target;
  session.say(`${row.service.name}: going back to ${version ?? deploy?.id}`);
  // What is live may be the target, and yet be what made the user roll back.
  const isThere = deploy !== undefined && deploy.id === state.live?.id;
  const isBroken = isThere && !(await isFine(session, plan));
  const target = { ...plan.target, package: name, deploy: isBroken ? undefined : deploy };
  const outcome = await move(session, { ...plan, target });
  Object.assign(result, { version, deploy: outcome.deploy.id });
  if (outcome.state === 'bad') throw await giveUp(session, plan, result, outcome);
  if (outcome.state !== 'proven') throw outcome.error;
  Object.assign(result, { outcome: 'rolled back', proof: outcome.seen });
  progress.stage = 'back';
}

/**
 * Ends a rollback to what is bad: the next rollback chooses another version. Where the new deploy never
 * became live, the pin is what it was; where it is live, it stays, for what was before may be worse.
 * @returns the failure, with what serves now
 */
async function giveUp(
  session: Session,
  plan: Plan,
  result: ServiceResult,
  { deploy, error }: Extract<Outcome, { error: unknown }>,
): Promise<BootlaceError> {
  const { state, target, before, progress } = plan;
  const { service, record, known } = state;
  const services = [service.name];
  const isLive = classOf(deploy) === 'live';
  progress.isGoingBack = !isLive;
  const serving = async () =>
    (await session.client.deploys(service.id)).find(one => classOf(one) === 'live');
  const back = planBack(plan, true);
  const isOurs = isLive || (await restorePin(session, back));
  const live = isLive ? deploy : await serving();
  await forget(session, isLive ? { ...plan, leaves: back.leaves, isAsked: true } : back);
  progress.stage = 'back';
  const version = isLive
    ? target.version
    : live?.id === state.live?.id
      ? known?.version
      : undefined;
  Object.assign(result, { version, deploy: live?.id, failedVersion: target.version });
  const serves = live
    ? `${live.id}${version === undefined ? '' : ` (${version})`} is ${isLive ? 'live, and stays' : 'still live'}`
    : 'nothing is live';
  const pin = isLive ? '' : restoredText(plan, isOurs);
  const story = [[pin, serves].filter(Boolean).join(', ')];
  if (!isLive) return withStory(error, story);
  const tried = [target.version, before.version];
  const other = record.proven.find(
    ({ version, left }) => !left && !tried.includes(version),
  )?.version;
  const next =
    other !== undefined || !state.isPinned
      ? session.line('rollback', { services, version: other })
      : before.version !== undefined
        ? session.line('deploy', { services, version: before.version })
        : session.line('releases', { services });
  return withStory(error, story, {}, `choose another version: ${next}`);
}
