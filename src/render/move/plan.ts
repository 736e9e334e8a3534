import { DeployError, UsageError } from '../../errors';
import type { DeployRequest } from '../api/client';
import { type Deploy, parseDeploy } from '../api/model';
import type { Probe } from '../proof/address';
import type { Session } from '../session';
import { resumable, type ServiceState } from './state';

/** Where a service is to be moved. A version, a commit, an image and an earlier deploy are all one. */
export interface Target {
  /** The version that must serve; undefined for a service that no variable pins. */
  readonly version: string | undefined;
  /** The package that start lines must name, where it is known. */
  readonly package?: string | undefined;
  /** What the variable must hold; undefined: it is not set. */
  readonly pin: string | undefined;
  /** An earlier deploy whose artifact is used again, where Render still has it. */
  readonly deploy: Deploy | undefined;
  /** What a new deploy is asked with. */
  readonly request: DeployRequest;
}

/** A move of one service, from how it is to a target. */
export interface Plan {
  readonly kind: 'deploy' | 'rollback' | 'back';
  readonly state: ServiceState;
  readonly target: Target;
  /** How the service was before, which the way back leads to. */
  readonly before: Target;
  /** What the address answered before; undefined where nothing was live or nothing was asked. */
  readonly probe: Probe | undefined;
  /** The pin is left as it is. */
  readonly keepsPin: boolean;
  /** A deploy of an interrupted run to go on with. */
  readonly resume: Deploy | undefined;
  /** The command that migrates once the new deploy is live. */
  readonly migrate?: string | undefined;
  /** The way back: the version that is left. Of a rollback: it is bad. */
  readonly leaves?: string | undefined;
  /** The way back: the user asked for it, so nothing else may stay live. */
  readonly isAsked?: boolean;
  /** The same for a move and its way back. */
  readonly progress: Progress;
}

/** How far a move has come, kept up to date for what must be said after Ctrl-C. */
export interface Progress {
  stage: Stage;
  deploy?: string | undefined;
  /** The deploy has ended, however. */
  isOver?: boolean;
  /** A note of this run may be in the service's record. */
  hasNote?: boolean;
  /** The way back has begun; what was changed before it still stands where it has not come far. */
  isGoingBack?: boolean;
  /** The version was pinned exactly for a new build of it, in place of the pin. */
  isPinnedExactly?: boolean;
  /** Its build failed, so that nothing of it has run. */
  isUnbuilt?: boolean;
  /** Migrations have run, which no way back undoes. */
  hasMigrated?: boolean;
}

/** `pinning` and `creating`: a request is on its way whose answer is not known. */
export type Stage =
  | 'planned'
  | 'pinning'
  | 'pinned'
  | 'creating'
  | 'running'
  | 'live'
  | 'proven'
  | 'unproven'
  | 'bad'
  | 'back';

/** What the user wants of every service. */
export interface DeployWish {
  readonly package?: string | undefined;
  /** The exact version; undefined when no service is pinned. */
  readonly version?: string | undefined;
  /** A commit, an image, a cleared cache. */
  readonly request?: DeployRequest;
  readonly force?: boolean;
  /** Deploy what the service's own pin stands for and leave the pin as it is. */
  readonly keepPin?: boolean | undefined;
}

/**
 * Refuses what cannot be deployed, before anything is changed.
 * @throws DeployError SERVICE_SUSPENDED; UsageError IMAGE_NOT_HERE, COMMIT_NOT_HERE
 */
export function checkDeployable(
  { service }: ServiceState,
  { commitId, imageUrl }: DeployRequest = {},
): void {
  const { name, type, runtime = 'static' } = service;
  if (service.suspended)
    throw suspended(name, `is suspended (by ${service.suspenders.join(', ') || 'unknown'})`);
  if (imageUrl !== undefined && runtime !== 'image')
    throw new UsageError('IMAGE_NOT_HERE', `${name} (${runtime}) is not deployed from an image`, {
      fix: 'leave --image out, or name only services that run an image',
    });
  if (commitId !== undefined && (runtime === 'image' || type === 'cron_job')) {
    const what = runtime === 'image' ? 'an image' : 'a cron job';
    throw new UsageError('COMMIT_NOT_HERE', `${name} is ${what}, which takes no chosen commit`, {
      fix: "leave --commit out: it is deployed from its branch's newest commit, or from --image",
    });
  }
}

/** The failure of a service that is, or was meanwhile, suspended. */
export function suspended(name: string, how: string, facts = {}): DeployError {
  return new DeployError('SERVICE_SUSPENDED', `${name} ${how}`, {
    fix: 'resume the service in the Render dashboard, then run the same command again',
    facts,
  });
}

/**
 * Refuses a place of a version where nothing says which one to expect there.
 * @throws UsageError VERSION_MISSING
 */
export function checkPlace(
  { proof: { place } }: Pick<Session, 'proof'>,
  { service: { name }, isPinned }: ServiceState,
): void {
  if (isPinned || !place || place.value !== undefined) return;
  throw new UsageError('VERSION_MISSING', `no variable says which version ${name} should show`, {
    fix: `name it: --expect-${place.kind} ${place.name}=1.2.3`,
  });
}

/** How a service was before a move: by the note of an unfinished one, else as it is. Pure. */
function beforeOf(state: ServiceState): Target {
  const { leftOver, deploys, live, pin, known, record } = state;
  if (!leftOver)
    return { version: known?.version, pin, deploy: live, request: sourceRequest(state, live) };
  const id = leftOver.live;
  const listed = deploys.find(one => one.id === id);
  // One that is too old to be listed can still be gone back to.
  const unlisted = id === undefined ? undefined : parseDeploy({ id, status: 'deactivated' });
  const deploy = listed ?? unlisted;
  return {
    version: record.proven.find(proven => proven.deploy === id)?.version,
    pin: leftOver.pin ?? undefined,
    deploy,
    request: sourceRequest(state, deploy),
  };
}

/**
 * Plans the deploy of one service. Pure.
 * @param probe what its address answers now
 */
export function planDeploy(state: ServiceState, wish: DeployWish, probe?: Probe): Plan {
  const { pin, isPinned } = state;
  const version = isPinned ? wish.version : undefined;
  return {
    kind: 'deploy',
    state,
    target: {
      version,
      package: wish.package,
      pin: wish.keepPin ? pin : version,
      deploy: undefined,
      request: wish.request ?? {},
    },
    before: beforeOf(state),
    probe,
    keepsPin: wish.keepPin || !isPinned,
    resume: wish.force ? undefined : resumable(state, version),
    progress: { stage: 'planned' },
  };
}

/** True where there is nothing to deploy, unless it is unhealthy. Pure. */
export function isLive({ state, target: { version, pin, request } }: Plan): boolean {
  return (
    version !== undefined &&
    !state.leftOver &&
    !state.running &&
    Object.keys(request).length === 0 &&
    state.pin === pin &&
    state.known?.version === version
  );
}

/** The way back from a move to what was before it. Pure. */
export function planBack(plan: Plan, isAsked: boolean): Plan {
  return {
    ...plan,
    kind: 'back',
    target: plan.before,
    resume: undefined,
    migrate: undefined,
    leaves: plan.target.version,
    isAsked,
  };
}

/** The newest deploy when a move began, by Render's clock: what carries its pin came later. */
export function sinceOf({ state, resume }: Plan): string | undefined {
  return resume ? state.leftOver?.since : state.deploys[0]?.createdAt;
}

/**
 * What a new deploy is asked with to get an earlier deploy's version: for a pinned service the
 * variable says it all.
 */
export function sourceRequest(
  { isPinned }: ServiceState,
  deploy: Deploy | undefined,
): DeployRequest {
  if (isPinned || !deploy) return {};
  const { image, commit } = deploy;
  if (image !== undefined) return { imageUrl: image };
  return commit === undefined ? {} : { commitId: commit };
}
