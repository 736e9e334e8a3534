import { DeployError, UsageError } from '../errors';
import type { DeployRequest } from './client';
import type { Shown } from './expect';
import type { LiveVersion } from './live-version';
import type { Look } from './look';
import { classOf, type Deploy } from './model';
import { renderRecord, type ServiceRecord } from './record';

/** What the user wants of every service. */
export interface DeployWish {
  readonly package: string | undefined;
  /** The exact version; undefined when no service is pinned. */
  readonly version: string | undefined;
  readonly clearCache: boolean;
  readonly commit: string | undefined;
  readonly image: string | undefined;
  readonly force: boolean;
  /** Deploy what the service's own pin stands for and leave the pin as it is. */
  readonly keepPin: boolean;
}

/** A service as it was before, which undoing leads back to. */
export interface Before {
  readonly pin: string | undefined;
  readonly nonce: string | undefined;
  readonly recordText: string | undefined;
  readonly record: ServiceRecord;
  readonly live: Deploy | undefined;
  /** What was live, where it is known. */
  readonly version: string | undefined;
}

export interface DeployPlan {
  readonly look: Look;
  /** The version to pin; undefined for a service that a variable does not pin. */
  readonly to: string | undefined;
  readonly nonce: string;
  readonly before: Before;
  /** A deploy of an interrupted run to go on with. */
  readonly resume: Deploy | undefined;
  readonly request: DeployRequest;
  /** Set when there is nothing to deploy. */
  readonly isLive: boolean;
  readonly keepsPin: boolean;
  readonly isRollback?: true;
  readonly notes: readonly string[];
}

/**
 * Refuses what cannot be deployed, before anything is changed.
 * @throws DeployError SERVICE_SUSPENDED; UsageError IMAGE_NOT_HERE or COMMIT_NOT_HERE
 */
export function checkDeployable({ service }: Look, wish: DeployWish): void {
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
      {
        fix: 'leave --image out, or name only services that run an image',
      },
    );
  if (wish.commit !== undefined && kind === 'image')
    throw new UsageError('COMMIT_NOT_HERE', `${service.name} runs an image and knows no commit`, {
      fix: 'pass --image in place of --commit',
    });
}

/**
 * Refuses a version where no service has a variable that takes it: it would be dropped, and anything
 * deployed. Beside one that takes it the others are deployed as they are.
 * @param from where the user named a version, such as `--backend-version`; undefined for nowhere
 * @returns what to say of the services that do not take it
 * @throws UsageError VERSION_NOT_HERE
 */
export function checkTakers(looks: readonly Look[], from: string | undefined): string[] {
  if (from === undefined) return [];
  const others = looks.filter(({ isPinned }) => !isPinned);
  const say = ({ service: { name, runtime }, key }: Look) =>
    `${name} (${runtime ?? 'static'}) has no variable ${key} that takes the version of ${from}`;
  const [first] = others;
  if (!first || others.length < looks.length)
    return others.map(look => `${say(look)}; it is deployed as it is`);
  throw new UsageError('VERSION_NOT_HERE', say(first), {
    fix: `pass --env-key ${first.key} when ${first.service.name} reads it, or ${from.startsWith('--') ? `leave ${from} out` : '--no-pin to deploy no version'}`,
  });
}

/**
 * Refuses a place of a version where nothing says which one to expect there.
 * @param shown where the version is to be read
 * @throws UsageError VERSION_MISSING
 */
export function checkShown({ service, isPinned }: Look, shown: Shown | undefined): void {
  if (isPinned || !shown || shown.value !== undefined) return;
  const place =
    shown.kind === 'json' ? `--expect-json ${shown.pointer}` : `--expect-header ${shown.name}`;
  throw new UsageError(
    'VERSION_MISSING',
    `no variable says which version ${service.name} should show`,
    { fix: `name it: ${place}=1.2.3` },
  );
}

/**
 * Plans the deploy of one service. Pure.
 * @param nonce a fresh one
 * @param live the version that is serving, where it is known
 */
export function planDeploy(
  look: Look,
  wish: DeployWish,
  live: LiveVersion | undefined,
  nonce: string,
): DeployPlan {
  const { service, record, pin, isPinned } = look;
  const to = isPinned ? wish.version : undefined;
  const notes: string[] = [];
  const pending = isLeftOver(look) ? record.pending : undefined;
  const own = wish.force ? undefined : unfinished(look, to);
  const resume = isAlive(own) ? own : undefined;
  const withoutPending = { ...record, pending: undefined };
  const before: Before = pending
    ? {
        pin: pending.pin ?? undefined,
        nonce: pending.wasNonce ?? undefined,
        recordText: textWithout(look),
        record: withoutPending,
        live: wasLive(look, pending.live),
        version: provenOn(record, pending.live),
      }
    : {
        pin,
        nonce: look.nonce,
        recordText: look.record.pending ? textWithout(look) : look.recordText,
        record: withoutPending,
        live: look.live,
        version: live?.version,
      };
  if (pending)
    notes.push(
      `${service.name}: an earlier deploy of ${pending.to} was left unproven; ${resume ? `going on with ${resume.id}` : 'beginning again'}`,
    );
  if (to !== undefined && !wish.keepPin && service.autoDeploy !== 'off')
    notes.push(
      `${service.name}: autodeploy is on (${service.autoDeploy}): a push deploys this pin again, unproven; --hold switches it off`,
    );
  const isLive =
    to !== undefined &&
    !wish.force &&
    !pending &&
    !wish.clearCache &&
    wish.commit === undefined &&
    wish.image === undefined &&
    look.running === undefined &&
    (wish.keepPin || pin === to) &&
    live?.version === to;
  return {
    look,
    to,
    nonce: resume && pending ? pending.nonce : nonce,
    before,
    resume,
    request: {
      ...(wish.clearCache && { clearCache: 'clear' as const }),
      ...(wish.commit !== undefined && { commitId: wish.commit }),
      ...(wish.image !== undefined && { imageUrl: wish.image }),
    },
    isLive,
    keepsPin: wish.keepPin,
    notes,
  };
}

/** True for a deploy that began here and was neither proven nor undone, and that still stands. */
export function isLeftOver({ record: { pending }, pin }: Look): boolean {
  return pending !== undefined && (pin === pending.to || pin === (pending.pin ?? undefined));
}

/** The running deploy that an interrupted run created, if there is one. */
export function ownRunning(look: Look, version: string | undefined): Deploy | undefined {
  const own = unfinished(look, version);
  return own && classOf(own) === 'running' ? own : undefined;
}

/** The deploy that a run can go on with; once undoing it began, pin and nonce may be old again. */
function unfinished(look: Look, version: string | undefined): Deploy | undefined {
  const { pending } = look.record;
  if (!pending || pending.to !== version || !isLeftOver(look)) return undefined;
  return pending.own === undefined ? ownDeploy(look, pending) : undefined;
}

/** The deploy of an interrupted run: the newest by the API since that run began. */
export function ownDeploy(
  look: Look,
  { since }: { since: string | undefined },
): Deploy | undefined {
  const { pending } = look.record;
  if (pending?.own !== undefined) return look.deploys.find(({ id }) => id === pending.own);
  if (!pending?.keepsPin && look.pin !== pending?.to) return undefined;
  return look.deploys.find(
    deploy =>
      deploy.trigger === 'api' &&
      (Date.parse(deploy.createdAt ?? '') || 0) > (Date.parse(since ?? '') || 0),
  );
}

/** The deploy that was live before; one that is too old to be listed can still be gone back to. */
function wasLive({ deploys }: Look, id: string | undefined): Deploy | undefined {
  if (id === undefined) return undefined;
  const unlisted: Deploy = {
    id,
    status: 'deactivated',
    trigger: undefined,
    createdAt: undefined,
    finishedAt: undefined,
    commit: undefined,
    image: undefined,
  };
  return deploys.find(deploy => deploy.id === id) ?? unlisted;
}

function isAlive(deploy: Deploy | undefined): deploy is Deploy {
  return deploy !== undefined && ['running', 'live'].includes(classOf(deploy));
}

function provenOn(record: ServiceRecord, deploy: string | undefined): string | undefined {
  return record.proven.find(proven => proven.deploy === deploy)?.version;
}

function textWithout({ record }: Look): string | undefined {
  return renderRecord({ ...record, pending: undefined });
}
