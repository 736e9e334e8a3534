import { stripVTControlCharacters } from 'node:util';
import validVersion from 'semver/functions/valid';
import { BootlaceError } from '../../errors';
import {
  type Deploy,
  hasInstances,
  type Instance,
  type LogLine,
  type Service,
  timeOf,
} from '../api/model';
import type { Session } from '../api/session';
import type { ServiceState } from '../move/state';
import { addressOf, type ProofWish, placeText, probe } from './address';

// What is unproven about Render, and why being wrong about it does no harm:
// - Log search by text (`GET /logs?text=`, "Filter by the text of the logs", API reference, "List
//   logs"): that it finds a line within seconds. If it does not, a deploy ends as unproven; it stays live.
// - The label `instance` of a log line (same page) is taken for an id of `GET /instances`. Lines
//   without the label are counted in place of being matched, and contradict nothing.
// - An instance's `createdAt` lies after the `createdAt` of the deploy that brought it. If it does
//   not, no start line is found for a new instance, and the deploy ends as unproven.
// - `POST /rollback` (https://render.com/docs/rollbacks) names no service types. Where Render refuses
//   it, as it may for cron jobs and static sites, the old version is deployed anew.
// - Which environment a queued deploy gets: the one at its creation, or at its start. A deploy that
//   was created while the pin was ours is taken for a deploy of our version, and proven like it.

/** The first line that bootlace's server.js writes (src/start/launch.ts). */
export interface StartLine {
  id: string;
  package: string;
  version: string;
  instance: string | undefined;
  timestamp: string;
}

const pattern = /bootlace: starting ((?:@[^/@\s]+\/)?[^@\s]+)@(\S+): .*?(?: deploy=[\w.-]{1,64})?$/;

/** @returns undefined for any other line */
export function parseStartLine({
  id,
  message,
  instance,
  timestamp,
}: LogLine): StartLine | undefined {
  const [, name, version] = pattern.exec(stripVTControlCharacters(message).trimEnd()) ?? [];
  if (!name || !version) return undefined;
  return { id, package: name, version, instance, timestamp };
}

/** The newest start lines of a service since a time by Render's clock; the newest first. */
export async function readStartLines(
  { client }: Pick<Session, 'client'>,
  service: Service,
  since: string | undefined,
  deadlineMs?: number,
): Promise<StartLine[]> {
  const lines = await client.logs(service, {
    types: ['app'],
    since,
    direction: 'backward',
    text: 'bootlace',
    deadlineMs,
  });
  const starts = lines.map(parseStartLine).filter(line => line !== undefined);
  return starts.sort((a, b) => b.timestamp.localeCompare(a.timestamp));
}

/** What the start lines say of a deploy's instances. */
export interface StartLineResult {
  /** `wrong` is evidence against the version, `missing` is none. */
  readonly state: 'right' | 'wrong' | 'missing';
  readonly text: string;
}

/**
 * Compares the start lines since a deploy with its instances. Instances that are older than the
 * deploy are not its own. Pure.
 * @param instances the ones that run now
 */
export function compareStartLines(
  lines: readonly StartLine[],
  instances: readonly Instance[],
  deploy: Deploy,
  wanted: { package: string | undefined; version: string },
): StartLineResult {
  const name = `${wanted.package ?? 'the backend'} ${wanted.version}`;
  const own = instances.filter(({ createdAt }) => isNewer(createdAt, deploy));
  const isRight = (line: StartLine) =>
    line.version === wanted.version &&
    (wanted.package === undefined || line.package === wanted.package);
  const labelled = lines.filter(({ instance }) => instance !== undefined);
  if (labelled.length === 0) {
    const right = lines.filter(isRight).length;
    return right > 0 && right === lines.length && right >= own.length
      ? { state: 'right', text: `${right} start lines of ${name}` }
      : { state: 'missing', text: `no start line of ${name}` };
  }
  for (const { id } of own) {
    const starts = labelled.filter(({ instance }) => instance === id);
    if (starts.some(isRight)) continue;
    const [wrong] = starts;
    if (wrong)
      return {
        state: 'wrong',
        text: `instance ${id} started ${wrong.package}@${wrong.version} in place of ${wanted.version}`,
      };
    return { state: 'missing', text: `no start line of ${name} from instance ${id}` };
  }
  if (!labelled.some(isRight)) return { state: 'missing', text: `no start line of ${name}` };
  return { state: 'right', text: `start line of ${name} from each instance (${own.length})` };
}

/** True for an instance that came with the deploy, or of which no time is known. */
export function isNewer(createdAt: string, deploy: Deploy): boolean {
  return createdAt === '' || timeOf(createdAt) >= timeOf(deploy.createdAt);
}

/** The version that is serving, and how that is known. */
export interface LiveVersion {
  version: string;
  by: 'its answer' | 'the record' | 'its start line';
}

/**
 * Finds the version of a service's live deploy without changing anything.
 * @param wish where the backend shows its version
 * @returns undefined when nothing tells it; a pin alone does not, it may never have been deployed
 */
export async function findLiveVersion(
  session: Pick<Session, 'client' | 'signal'>,
  state: ServiceState,
  wish: Pick<ProofWish, 'place' | 'url' | 'health'>,
): Promise<LiveVersion | undefined> {
  const { live, record, service } = state;
  if (!live || service.suspended) return undefined;
  const address = addressOf(service, wish);
  const { place } = wish;
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
    const starts = await readStartLines(session, service, live.createdAt, 20_000);
    const isNewest = state.deploys[0]?.id === live.id;
    const version = isNewest ? starts[0]?.version : await ofWhatRuns(starts);
    return version === undefined ? undefined : { version, by: 'its start line' };
  } catch (error) {
    if (error instanceof BootlaceError) return undefined;
    throw error;
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
 * @param known its live version, where that is known
 * @returns undefined: by nothing
 */
export function meansOf(
  { service, live, record }: ServiceState,
  wish: ProofWish,
  known: LiveVersion | undefined,
): string | undefined {
  const address = addressOf(service, wish);
  if (wish.healthOnly) return address ? `health of ${address.url}` : 'its status';
  if (address && wish.place) return `${placeText(wish.place)} of ${address.url}`;
  if (!hasInstances(service)) return "its deploy's status";
  const isLikely = writesStartLines({ service, live, record }, known);
  return isLikely ? 'the start line of each instance' : undefined;
}

/** True where a new deploy's instances are expected to write their start lines. Pure. */
export function writesStartLines(
  { service, live, record }: Pick<ServiceState, 'service' | 'live' | 'record'>,
  known: LiveVersion | undefined,
): boolean {
  if (known?.by === 'its start line') return true;
  const isProven = record.proven.some(({ deploy, how }) => deploy === live?.id && !how);
  if (isProven) return true;
  const { startCommand } = service;
  return startCommand === undefined ? !live : /server\.js|bootlace/.test(startCommand);
}
