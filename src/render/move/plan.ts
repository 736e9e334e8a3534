import { DeployError, UsageError } from '../../errors';
import type { DeployRequest } from '../api/client';
import { classOf, type Deploy, parseDeploy, timeOf } from '../api/model';
import type { Probe, VersionPlace } from '../proof/address';
import { type LiveVersion, writesStartLines } from '../proof/start-lines';
import type { DeployNote, ServiceRecord, ServiceState } from './state';

/** Where a service is to be moved. A version, a commit, an image and an earlier deploy are all one. */
export interface Target {
  /** The version that must serve; undefined for a service that no variable pins. */
  readonly version: string | undefined;
  /** What the variable must hold; undefined: it is not set. */
  readonly pin: string | undefined;
  /** An earlier deploy whose artifact is used again, where Render still has it. */
  readonly artifact: Deploy | undefined;
  /** What a new deploy is asked with. */
  readonly request: DeployRequest;
}

/** How strict the proof is: `as before` asks of the address only what it did before. */
export type Rule = 'version' | 'health' | 'as before';

/** A service as it was before, which the way back leads to. */
export interface Before {
  readonly pin: string | undefined;
  readonly recordText: string | undefined;
  readonly record: ServiceRecord;
  readonly live: Deploy | undefined;
  /** The version that was live, where it is known. */
  readonly version: string | undefined;
}

/** A move of one service, from how it is to a target. */
export interface Plan {
  readonly kind: 'deploy' | 'rollback' | 'back';
  readonly state: ServiceState;
  readonly target: Target;
  readonly before: Before;
  /** What the address answered before; undefined where nothing was live or nothing was asked. */
  readonly probe: Probe | undefined;
  /** Its new instances are expected to write start lines; what is built anew must, an artifact need not. */
  readonly writesStartLines: boolean;
  /** The pin is left as it is. */
  readonly keepsPin: boolean;
  /** A deploy of an interrupted run to go on with. */
  readonly resume: Deploy | undefined;
  /** There is nothing to deploy. */
  readonly isLive: boolean;
  /** The way back: the version that is left. */
  readonly leaves?: string | undefined;
  /** The way back: the user asked for it, so nothing else may stay live. */
  readonly isAsked?: boolean;
  readonly notes: readonly string[];
}

/** What the user wants of every service. */
export interface DeployWish {
  readonly package?: string | undefined;
  /** The exact version; undefined when no service is pinned. */
  readonly version?: string | undefined;
  readonly clearCache?: boolean;
  readonly commit?: string | undefined;
  readonly image?: string | undefined;
  readonly force?: boolean;
  /** Deploy what the service's own pin stands for and leave the pin as it is. */
  readonly keepPin?: boolean;
}

/**
 * Refuses what cannot be deployed, before anything is changed.
 * @throws DeployError SERVICE_SUSPENDED; UsageError IMAGE_NOT_HERE or COMMIT_NOT_HERE
 */
export function checkDeployable(
  { service }: ServiceState,
  wish: Pick<DeployWish, 'commit' | 'image'>,
): void {
  if (service.suspended)
    throw new DeployError(
      'SERVICE_SUSPENDED',
      `${service.name} is suspended (by ${service.suspenders.join(', ') || 'unknown'})`,
      { fix: 'resume the service in the Render dashboard, then run the same command again' },
    );
  const kind = service.runtime ?? 'static';
  if (wish.image !== undefined && kind !== 'image')
    throw new UsageError(
      'IMAGE_NOT_HERE',
      `${service.name} (${kind}) is not deployed from an image`,
      { fix: 'leave --image out, or name only services that run an image' },
    );
  if (wish.commit !== undefined && kind === 'image')
    throw new UsageError('COMMIT_NOT_HERE', `${service.name} runs an image and knows no commit`, {
      fix: 'pass --image in place of --commit',
    });
  if (wish.commit !== undefined && service.type === 'cron_job')
    throw new UsageError(
      'COMMIT_NOT_HERE',
      `${service.name} is a cron job, and Render deploys no chosen commit of those`,
      { fix: "leave --commit out: a cron job is deployed from its branch's newest commit" },
    );
}

/**
 * Refuses a version where no service has a variable that takes it: it would be dropped, and anything
 * deployed. Beside one that takes it the others are deployed as they are.
 * @param from where the user named a version, such as `--backend-version`; undefined for nowhere
 * @returns what to say of the services that do not take it
 * @throws UsageError VERSION_NOT_HERE
 */
export function checkTakers(states: readonly ServiceState[], from: string | undefined): string[] {
  if (from === undefined) return [];
  const others = states.filter(({ isPinned }) => !isPinned);
  const say = ({ service: { name, runtime }, key }: ServiceState) =>
    `${name} (${runtime ?? 'static'}) has no variable ${key} that takes the version of ${from}`;
  const [first] = others;
  if (!first || others.length < states.length)
    return others.map(state => `${say(state)}; it is deployed as it is`);
  throw new UsageError('VERSION_NOT_HERE', say(first), {
    fix: `pass --env-key ${first.key} when ${first.service.name} reads it, or ${from.startsWith('--') ? `leave ${from} out` : '--no-pin to deploy no version'}`,
  });
}

/**
 * Refuses a place of a version where nothing says which one to expect there.
 * @param place where the version is to be read
 * @throws UsageError VERSION_MISSING
 */
export function checkPlace(
  { service, isPinned }: ServiceState,
  place: VersionPlace | undefined,
): void {
  if (isPinned || !place || place.value !== undefined) return;
  throw new UsageError(
    'VERSION_MISSING',
    `no variable says which version ${service.name} should show`,
    { fix: `name it: --expect-${place.kind} ${place.name}=1.2.3` },
  );
}

/** How a service was before a move: by the note of an unfinished one, else as it is. Pure. */
export function beforeOf(state: ServiceState, live: LiveVersion | undefined): Before {
  const { record, deploys } = state;
  const { pending, ...rest } = record;
  const withoutNote: ServiceRecord = { ...rest, pending: undefined };
  const recordText = pending ? undefined : state.recordText;
  if (pending && state.isLeftOver)
    return {
      pin: pending.pin ?? undefined,
      recordText,
      record: withoutNote,
      live: deployOf(deploys, pending.live),
      version: record.proven.find(({ deploy }) => deploy === pending.live)?.version,
    };
  const version = live?.version;
  return { pin: state.pin, recordText, record: withoutNote, live: state.live, version };
}

/**
 * Plans the deploy of one service. Pure.
 * @param live the version that is serving, where it is known
 * @param probe what its address answers now
 */
export function planDeploy(
  state: ServiceState,
  wish: DeployWish,
  live: LiveVersion | undefined,
  probe: Probe | undefined,
): Plan {
  const { service, record, pin, isPinned } = state;
  const version = isPinned ? wish.version : undefined;
  const notes: string[] = [];
  const resume = wish.force ? undefined : resumable(state, version);
  if (state.isLeftOver && record.pending)
    notes.push(
      `${service.name}: an earlier deploy of ${record.pending.to} was left unproven; ${resume ? `going on with ${resume.id}` : 'beginning again'}`,
    );
  if (version !== undefined && !wish.keepPin && service.autoDeploy !== 'off')
    notes.push(
      `${service.name}: autodeploy is on (${service.autoDeploy}): a push deploys this pin again, unproven; --hold switches it off`,
    );
  const isLive =
    version !== undefined &&
    !wish.force &&
    !state.isLeftOver &&
    !wish.clearCache &&
    wish.commit === undefined &&
    wish.image === undefined &&
    state.running === undefined &&
    (wish.keepPin || pin === version) &&
    live?.version === version;
  const request: DeployRequest = {
    ...(wish.clearCache && { clearCache: 'clear' as const }),
    ...(wish.commit !== undefined && { commitId: wish.commit }),
    ...(wish.image !== undefined && { imageUrl: wish.image }),
  };
  return {
    kind: 'deploy',
    state,
    target: { version, pin: wish.keepPin ? pin : version, artifact: undefined, request },
    before: beforeOf(state, live),
    probe,
    writesStartLines: writesStartLines(state, live),
    keepsPin: wish.keepPin || !isPinned,
    resume,
    isLive,
    notes,
  };
}

/** The way back from a move to what was before it. Pure. */
export function planBack(plan: Plan, isAsked: boolean): Plan {
  const { before, state } = plan;
  return {
    ...plan,
    kind: 'back',
    target: {
      version: before.version,
      pin: before.pin,
      artifact: before.live,
      request: sourceRequest(state, before.live),
    },
    resume: undefined,
    isLive: false,
    leaves: plan.target.version,
    isAsked,
    notes: [],
  };
}

/** The newest deploy when a move began, by Render's clock: what carries its pin came later. */
export function sinceOf({ state, resume }: Plan): string | undefined {
  return resume ? state.record.pending?.since : state.deploys[0]?.createdAt;
}

/** The deploy of an interrupted run for the same version: running or live. */
export function resumable(state: ServiceState, version: string | undefined): Deploy | undefined {
  const { pending } = state.record;
  if (!pending || pending.to !== version || !state.isLeftOver || pending.own !== undefined)
    return undefined;
  const own = ownDeploy(state, pending);
  return own && ['running', 'live'].includes(classOf(own)) ? own : undefined;
}

/** The deploy of an interrupted run: the newest since that run began which carries its pin. */
export function ownDeploy(state: ServiceState, note: DeployNote): Deploy | undefined {
  if (note.own !== undefined) return state.deploys.find(({ id }) => id === note.own);
  if (!note.keepsPin && state.pin !== note.to) return undefined;
  const since = state.deploys.filter(
    deploy =>
      timeOf(deploy.createdAt) > timeOf(note.since) &&
      (note.isRollback || deploy.trigger !== 'rollback'),
  );
  const first = (wanted: string) => since.find(deploy => classOf(deploy) === wanted);
  return first('live') ?? first('running') ?? since[0];
}

/** A deploy by its id; one that is too old to be listed can still be gone back to. */
function deployOf(deploys: readonly Deploy[], id: string | undefined): Deploy | undefined {
  if (id === undefined) return undefined;
  return deploys.find(deploy => deploy.id === id) ?? parseDeploy({ id, status: 'deactivated' });
}

/**
 * What a new deploy is asked with to get an earlier deploy's version: for a pinned service the
 * variable says it all.
 */
export function sourceRequest(
  { service, isPinned }: ServiceState,
  deploy: Deploy | undefined,
): DeployRequest {
  if (isPinned || !deploy) return {};
  const { image, commit } = deploy;
  if (service.runtime === 'image') return image === undefined ? {} : { imageUrl: image };
  return commit === undefined ? {} : { commitId: commit };
}
