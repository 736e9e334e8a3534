import validVersion from 'semver/functions/valid';
import { BootlaceError } from '../errors';
import type { RenderClient } from './client';
import { readShown, type Shown } from './expect';
import type { Look } from './look';
import { hasInstances } from './model';
import { parseStartLine, type StartLine } from './start-line';
import { within } from './within';

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
  client: RenderClient,
  look: Look,
  options: { url: string | undefined; shown: Shown | undefined; signal: AbortSignal },
): Promise<LiveVersion | undefined> {
  const { live, record, service } = look;
  if (!live || service.suspended) return undefined;
  const { url, shown, signal } = options;
  if (url && shown) {
    const version = await askVersion(url, shown, signal);
    // A commit or a build number is no version to go back to.
    if (version !== undefined && validVersion(version))
      return { version: version.replace(/^v/, ''), by: 'its answer' };
  }
  const proven = record.proven.find(({ deploy }) => deploy === live.id);
  if (proven) return { version: proven.version, by: 'the record' };
  if (!look.isPinned || !hasInstances(service)) return undefined;
  try {
    const { lines } = await client.logs(service, {
      types: ['app'],
      since: live.createdAt,
      direction: 'backward',
      limit: 100,
      text: 'bootlace',
      deadlineMs: 20_000,
    });
    const starts = lines.map(parseStartLine).filter(line => line !== undefined);
    const latest = starts.sort((a, b) => b.timestamp.localeCompare(a.timestamp))[0];
    const version = look.deploys[0]?.id === live.id ? latest?.version : await ofWhatRuns(starts);
    return version === undefined ? undefined : { version, by: 'its start line' };
  } catch (error) {
    if (error instanceof BootlaceError) return undefined;
    throw error;
  }

  /** A later deploy wrote start lines as well, even one that crashed and is not live. */
  async function ofWhatRuns(starts: readonly StartLine[]): Promise<string | undefined> {
    const running = (await client.instances(service.id)).map(({ id }) => id);
    const own = starts.filter(({ instance }) => running.some(id => id === instance));
    const [version, ...others] = new Set(own.map(start => start.version));
    return others.length ? undefined : version;
  }
}

async function askVersion(
  url: string,
  shown: Shown,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await within(10_000, signal, async until => {
      const response = await fetch(url, { redirect: 'manual', signal: until });
      return readShown(shown, { headers: response.headers, body: await response.text() });
    });
  } catch {
    if (signal.aborted) throw signal.reason;
    return undefined;
  }
}
