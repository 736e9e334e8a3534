import validVersion from 'semver/functions/valid';
import { classOf, type Deploy, hasInstances, type Service, timeOf } from '../api/model';
import { quiet } from '../api/reason';
import { addressOf, placeText, probe } from '../proof/address';
import { readStartLines, type StartLine } from '../proof/start-lines';
import type { Session } from '../session';
import { type DeployNote, parseRecord, recordKey, type ServiceRecord } from './record';

/** A service as it is now. */
export interface ServiceState {
  readonly service: Service;
  /** The pin's variable, such as BACKEND_VERSION. */
  readonly key: string;
  readonly deploys: readonly Deploy[];
  readonly live: Deploy | undefined;
  /** The newest one that has not ended. */
  readonly running: Deploy | undefined;
  /** A variable says which version a deploy installs. */
  readonly isPinned: boolean;
  readonly pin: string | undefined;
  readonly record: ServiceRecord;
  /** The note of an earlier deploy that was neither proven nor undone, and still stands. */
  readonly leftOver: DeployNote | undefined;
  /** The version that is live; undefined where nothing tells it. */
  readonly known: LiveVersion | undefined;
}

/** The version that is serving, and how that is known. */
export interface LiveVersion {
  version: string;
  by: 'its answer' | 'the record' | 'its start line';
}

/**
 * Reads a service's deploys and the few variables that are bootlace's business, one by one, so that
 * no other value ever passes through here. It is pinned when it has the variable, when the user names
 * one, or when it installs a package by bootlace: a node service may as well be built by Render from a
 * repository.
 * @param limit how many deploys to read, 100 at most
 */
export async function readServiceState(
  session: Session,
  service: Service,
  limit?: number,
): Promise<ServiceState> {
  const { client, envKey } = session;
  const { id } = service;
  const key = envKey ?? 'BACKEND_VERSION';
  const deploys = await client.deploys(id, undefined, limit);
  const pin = await client.variable(id, key);
  const isPinned =
    pin !== undefined ||
    envKey !== undefined ||
    (service.runtime === 'node' && (await client.variable(id, 'BACKEND_PACKAGE')) !== undefined);
  const record = parseRecord(isPinned ? await client.variable(id, recordKey) : undefined);
  const { pending } = record;
  // The pin is what the note's run made of it, or what it was before.
  const stands = pending && [pending.to, pending.pin ?? undefined].includes(pin);
  const state = {
    service,
    key,
    deploys,
    live: deploys.find(deploy => classOf(deploy) === 'live'),
    running: deploys.find(deploy => classOf(deploy) === 'running'),
    isPinned,
    pin,
    record,
    leftOver: stands ? pending : undefined,
  };
  return { ...state, known: await findLiveVersion(session, state) };
}

/** A pin alone tells nothing: it may never have been deployed. */
async function findLiveVersion(
  session: Session,
  state: Omit<ServiceState, 'known'>,
): Promise<LiveVersion | undefined> {
  const { live, record, service } = state;
  if (!live || service.suspended) return undefined;
  const { place } = session.proof;
  const address = addressOf(service, session.proof);
  if (address && place) {
    const { version } = await probe(address, place, session.signal);
    // A commit or a build number is no version to go back to.
    if (version !== undefined && validVersion(version))
      return { version: version.replace(/^v/, ''), by: 'its answer' };
  }
  const proven = record.proven.find(({ deploy }) => deploy === live.id);
  if (proven) return { version: proven.version, by: 'the record' };
  if (!state.isPinned || !hasInstances(service)) return undefined;
  try {
    const starts = await readStartLines(session, service, live.createdAt);
    const isNewest = state.deploys[0]?.id === live.id;
    const version = isNewest ? starts[0]?.version : await ofWhatRuns(starts);
    return version === undefined ? undefined : { version, by: 'its start line' };
  } catch (error) {
    return quiet(error, undefined);
  }

  /** A later deploy wrote start lines as well, even one that crashed and is not live. */
  async function ofWhatRuns(starts: readonly StartLine[]): Promise<string | undefined> {
    const running = (await session.client.instances(service.id)).map(({ id }) => id);
    const own = starts.filter(({ instance }) => running.some(id => id === instance));
    const [version, ...others] = new Set(own.map(start => start.version));
    return others.length ? undefined : version;
  }
}

/**
 * How the version of a service could be proven, by what is known before anything is changed. Pure.
 * @returns undefined: by nothing
 */
export function meansOf(
  { proof }: Pick<Session, 'proof'>,
  state: ServiceState,
): string | undefined {
  const { service, isPinned } = state;
  const address = addressOf(service, proof);
  if (proof.healthOnly || !isPinned)
    return `health of ${address?.url ?? 'its status and instances'}`;
  if (address && proof.place) return `${placeText(proof.place)} of ${address.url}`;
  if (!hasInstances(service)) return "its deploy's status";
  return writesStartLines(state) ? 'the start line of each instance' : undefined;
}

/** True where a new deploy's instances are expected to write their start lines. Pure. */
export function writesStartLines({ service, live, record, known }: ServiceState): boolean {
  if (known?.by === 'its start line') return true;
  if (record.proven.some(({ deploy, how }) => deploy === live?.id && !how)) return true;
  const { startCommand } = service;
  return startCommand === undefined ? !live : /server\.js|bootlace/.test(startCommand);
}

/** The deploy of an interrupted run: the newest since that run began which carries its pin. Pure. */
export function ownDeploy({ leftOver, deploys, pin }: ServiceState): Deploy | undefined {
  if (!leftOver) return undefined;
  const { own, keepsPin, to, since, isRollback } = leftOver;
  if (own !== undefined) return deploys.find(({ id }) => id === own);
  if (!keepsPin && pin !== to) return undefined;
  const later = deploys.filter(
    ({ createdAt, trigger }) =>
      timeOf(createdAt) > timeOf(since) && (isRollback || trigger !== 'rollback'),
  );
  const first = (wanted: string) => later.find(deploy => classOf(deploy) === wanted);
  return first('live') ?? first('running') ?? later[0];
}

/** The deploy of an interrupted run for the same version, while it is running or live. Pure. */
export function resumable(state: ServiceState, version: string | undefined): Deploy | undefined {
  const { leftOver } = state;
  if (!leftOver || leftOver.to !== version || leftOver.own !== undefined) return undefined;
  const own = ownDeploy(state);
  return own && ['running', 'live'].includes(classOf(own)) ? own : undefined;
}
