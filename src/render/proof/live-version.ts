import validVersion from 'semver/functions/valid';
import { BootlaceError } from '../../errors';
import { hasInstances } from '../api/model';
import type { Session } from '../api/session';
import { withTimeout } from '../api/with-timeout';
import type { ServiceState } from '../move/state';
import type { Address, ProofWish } from './address';
import { readVersionAt, type VersionPlace } from './expect';
import { readStartLines, type StartLine } from './start-lines';

/** The version that is serving, and how that is known. */
export interface LiveVersion {
  version: string;
  by: 'its answer' | 'the record' | 'its start line';
}

/**
 * Finds the version of a service's live deploy without changing anything.
 * @returns undefined when nothing tells it; a pin alone does not, it may never have been deployed
 */
export async function findLiveVersion(
  session: Pick<Session, 'client' | 'signal'>,
  state: ServiceState,
  options: { address: Address | undefined; place: VersionPlace | undefined },
): Promise<LiveVersion | undefined> {
  const { live, record, service } = state;
  if (!live || service.suspended) return undefined;
  const { address, place } = options;
  if (address && place) {
    const version = await askVersion(address.url, place, session.signal);
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
 * @param live its live version, where that is known
 * @returns undefined: by nothing
 */
export function meansOf(
  { service, live, record }: ServiceState,
  address: Address | undefined,
  wish: Pick<ProofWish, 'place' | 'healthOnly'>,
  known: LiveVersion | undefined,
): string | undefined {
  if (wish.healthOnly) return address ? `health of ${address.url}` : 'its status';
  if (address && wish.place) {
    const { place } = wish;
    return `${place.kind === 'json' ? place.pointer : `the header ${place.name}`} of ${address.url}`;
  }
  if (!hasInstances(service)) return "its deploy's status";
  const command = service.startCommand;
  const seen =
    known?.by === 'its start line' || record.proven.some(({ deploy }) => deploy === live?.id);
  const isLikely = command === undefined ? !live : /server\.js|bootlace/.test(command);
  return seen || isLikely ? 'the start line of each instance' : undefined;
}

async function askVersion(
  url: string,
  place: VersionPlace,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await withTimeout(10_000, signal, async until => {
      const response = await fetch(url, { redirect: 'manual', signal: until });
      return readVersionAt(place, { headers: response.headers, body: await response.text() });
    });
  } catch {
    if (signal.aborted) throw signal.reason;
    return undefined;
  }
}
