import { BootlaceError } from '../../errors';
import type { Service } from '../api/model';
import { findServices, type Session } from '../api/session';
import { addressNotes, addressOf, type ProofWish, probe } from '../proof/address';
import { findLiveVersion, type LiveVersion } from '../proof/start-lines';
import { goBack } from './back';
import { move } from './move';
import { checkLock, leaveNote, switchAutoDeploy } from './pin';
import { beforeOf, checkDeployable, checkPlace, ownDeploy, type Plan, planDeploy } from './plan';
import { isFine } from './prepare';
import {
  type DeployProgress,
  describeProgress,
  newResult,
  orWarn,
  type ServiceResult,
  withStory,
} from './progress';
import type { ResolvedWish } from './resolve-wish';
import { readServiceState, type ServiceState } from './state';
import { checkPublished, nothingProven, pickTarget } from './target';
import { endDeploy, waitForOthers } from './wait';

interface RollbackOptions {
  services: readonly string[];
  envKey: string | undefined;
  /** An exact version, or a deploy's id. */
  to: string | undefined;
  proof: ProofWish;
  hold: boolean;
  /** Asks the registry for an exact version. */
  resolve: (servicePackage: string | undefined, version: string) => Promise<ResolvedWish>;
  onBegin: (result: ServiceResult) => Promise<void>;
}

/** Render lists at most so many deploys at once. */
const mostDeploys = 100;

type Packages = Map<string, string | undefined>;

/** Where one service goes back to. */
interface Way {
  state: ServiceState;
  known: LiveVersion | undefined;
  plan: Plan;
  /** An unproven deploy is undone, by the note of what was there before it. */
  isUndoing: boolean;
  /** The deploy of that note. */
  own: string | undefined;
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
  const services = await findServices(session, options.services);
  /** The packages of the pinned ones, where they are known. */
  const names: Packages = new Map();
  for (const service of services) {
    const state = await readServiceState(session, service, options.envKey, mostDeploys);
    checkDeployable(state, {});
    checkPlace(state, options.proof.healthOnly ? undefined : options.proof.place);
    for (const note of addressNotes(service, options.proof)) session.warn(note);
    const { plan, isUndoing } = await findWay(session, options, state);
    if (isUndoing || plan.target.version === undefined) continue;
    names.set(service.id, await checkPublished(session, options.resolve, plan));
  }
  session.say('a way back leaves the database as it is: migrations that ran stay');
  for (const service of services)
    results.push(newResult(service, addressOf(service, options.proof)?.url, undefined));
  const done: string[] = [];
  for (const [i, result] of results.entries()) {
    try {
      await rollbackOne(session, options, names, services[i] as Service, result);
      done.push(`${result.service} went back to ${result.version ?? result.deploy}`);
    } catch (error) {
      if (!(error instanceof BootlaceError) || session.signal.aborted) throw error;
      result.reason ??= error.message;
      const left = results.slice(i + 1).map(other => `${other.service} was not touched`);
      throw withStory(error, [...done, ...left]);
    }
  }
}

async function findWay(
  session: Session,
  options: RollbackOptions,
  state: ServiceState,
): Promise<Way> {
  checkLock(session, state);
  const address = addressOf(state.service, options.proof);
  const known = await findLiveVersion(session, state, options.proof);
  const { pending } = state.record;
  const own = pending && state.isLeftOver ? ownDeploy(state, pending) : undefined;
  if (pending && state.isLeftOver && !pending.isRollback && options.to === undefined) {
    const wish = { version: pending.to, keepPin: pending.keepsPin };
    const plan = planDeploy(state, wish, known, undefined);
    if (!plan.before.live && state.live)
      throw nothingProven(session, state, `had nothing live before ${state.live.id}`);
    return { state, known, plan, isUndoing: true, own: own?.id };
  }
  const target = pickTarget(session, state, options.to, known?.version);
  const now = state.live && address ? await probe(address, undefined, session.signal) : undefined;
  const plan: Plan = {
    ...planDeploy(state, { force: true }, known, now),
    kind: 'rollback',
    target,
    before: beforeOf(state, known),
    keepsPin: !state.isPinned,
  };
  return { state, known, plan, isUndoing: false, own: own?.id };
}

async function rollbackOne(
  session: Session,
  options: RollbackOptions,
  names: Packages,
  service: Service,
  result: ServiceResult,
): Promise<void> {
  const { client, signal } = session;
  const read = async () =>
    readServiceState(session, await client.service(service.id), options.envKey, mostDeploys);
  const progress: DeployProgress = { stage: 'planned' };
  let way: Way | undefined;
  try {
    way = await findWay(session, options, await read());
    const { running } = way.state;
    const isOwn = running !== undefined && running.id === way.own;
    if (running && !(way.isUndoing && isOwn)) {
      const isWanted = way.state.record.pending?.isRollback === true;
      if (isOwn && !isWanted) await endDeploy(session, service, running);
      else await waitForOthers(session, way.state);
      way = await findWay(session, options, await read());
    }
    result.previous = way.known?.version;
    await options.onBegin(result);
    if (way.isUndoing) await undo(session, options, way, progress, result);
    else await moveBack(session, options, names, way.plan, progress, result);
  } catch (error) {
    const isTouched = progress.stage !== 'planned';
    if (way && isTouched) {
      session.warn(describeProgress(session, way.plan, progress));
      await leaveNote(session, way.plan, progress);
    } else if (signal.aborted) session.warn(`${service.name}: nothing was changed`);
    if (isTouched || !signal.aborted) result.outcome = signal.aborted ? 'interrupted' : 'failed';
    result.deploy ??= progress.deploy;
    throw error;
  }
  const { state } = way;
  if (options.hold)
    await orWarn(session, `${service.name}: autodeploy could not be switched`, () =>
      switchAutoDeploy(session, state, true),
    );
  else if (service.autoDeploy !== 'off' && !state.isPinned)
    session.warn(
      `${service.name}: autodeploy is on (${service.autoDeploy}): the next push brings the branch's version back; --hold switches it off`,
    );
}

/** The deploy that was left unproven goes, and what was before it comes back. */
async function undo(
  session: Session,
  options: RollbackOptions,
  { plan, own, state }: Way,
  progress: DeployProgress,
  result: ServiceResult,
): Promise<void> {
  progress.stage = 'creating';
  progress.hasNote = true;
  if (own !== undefined) progress.deploy = own;
  progress.isOver = own !== state.running?.id;
  const back = await goBack(session, plan, progress, options.proof, true);
  const outcome = plan.before.live && !back.isOther ? 'rolled back' : 'undone';
  const { version, deploy, text } = back;
  Object.assign(result, { version, deploy, outcome, proof: [text] });
}

async function moveBack(
  session: Session,
  options: RollbackOptions,
  names: Packages,
  plan: Plan,
  progress: DeployProgress,
  result: ServiceResult,
): Promise<void> {
  const { state, target } = plan;
  const { name, id } = state.service;
  session.say(`${name}: going back to ${target.version ?? target.artifact?.id}`);
  const rule = options.proof.healthOnly ? 'health' : 'version';
  // What is live may be the target, and yet be what made the user roll back.
  const isThere = target.artifact !== undefined && target.artifact.id === state.live?.id;
  const way =
    isThere && !(await isFine(session, plan, options.proof))
      ? { ...plan, target: { ...target, artifact: undefined } }
      : plan;
  const outcome = await move(session, way, rule, progress, {
    wish: options.proof,
    package: names.get(id),
  });
  Object.assign(result, { version: target.version, deploy: outcome.deploy.id });
  if (outcome.state === 'proven') {
    Object.assign(result, { outcome: 'rolled back', proof: outcome.seen });
    progress.stage = 'back';
    return;
  }
  result.reason = outcome.error.message;
  throw outcome.error;
}
