import { BootlaceError, NetworkError } from '../../errors';
import { count } from '../../ui/text';
import type { Session } from '../session';
import type { LogQuery, RenderClient } from './client';
import { type Deploy, hasInstances, type Job, type LogLine, oneLine, type Service } from './model';

const words: Readonly<Record<string, string>> = {
  queued: 'waiting for its turn',
  build_in_progress: 'building',
  pre_deploy_in_progress: 'running the pre-deploy command',
  update_in_progress: 'starting the new version',
};

/** What a status is called in a report. */
export function statusText({ status }: Deploy | Job): string {
  return words[status] ?? status.replaceAll('_', ' ');
}

const phases: Readonly<Record<string, string>> = {
  build_failed: 'the build failed',
  pre_deploy_failed: 'the pre-deploy command failed',
  update_failed: 'the new version did not go live',
  canceled: 'the deploy was canceled',
};

/** What a failed status says before any event is asked. */
export function phaseText(status: string): string {
  return phases[status] ?? `the deploy ended as ${status}`;
}

/**
 * Asks the service's events why a deploy failed. Never throws for the API's sake: a reason that
 * cannot be had must not hide the failure itself.
 */
export async function findReason(
  client: RenderClient,
  service: Service,
  deploy: Deploy,
): Promise<string | undefined> {
  try {
    const events = await client.events(service.id, deploy.createdAt);
    const own = events.filter(({ deployId }) => deployId === undefined || deployId === deploy.id);
    // The deploy's own word first, then its build's, then an instance's.
    const order = [
      'image_pull_failed',
      'deploy_ended',
      'pre_deploy_ended',
      'build_ended',
      'server_failed',
    ];
    return order
      .flatMap(type => own.filter(event => event.type === type))
      .find(event => event.failure)?.failure;
  } catch (error) {
    return quiet(error, undefined);
  }
}

const mostLines = 30;

/**
 * Shows the last lines of a deploy's logs, oldest first; none when they cannot be had. The old version
 * logs on while a new one fails: its lines are left out.
 * @returns their texts
 */
export async function showLastLines(
  { client, showLog }: Session,
  service: Service,
  deploy: Deploy,
): Promise<string[]> {
  try {
    const types = /build/.test(deploy.status) ? ['build'] : ['app', 'build'];
    const lines = await client.logs(service, {
      types,
      since: deploy.createdAt,
      direction: 'backward',
    });
    const isLive = deploy.status === 'live';
    const old = isLive || !hasInstances(service) ? [] : await client.instances(service.id);
    const own = lines.filter(({ instance }) => !old.some(({ id }) => id === instance));
    const last = own.slice(0, mostLines).reverse();
    if (last.length) showLog(`${service.name}: the last ${count(last.length, 'log line')}`, last);
    return last.map(({ message }) => message);
  } catch (error) {
    return quiet(error, []);
  }
}

/** The fix that bootlace itself wrote to a service's log, such as `set NPM_TOKEN to it`; on one line. */
export function fixInLog(lines: readonly string[]): string | undefined {
  const failure = lines.findLastIndex(line => /^bootlace: [A-Z][A-Z_]+: /.test(line));
  const at = lines.findIndex((line, i) => i > failure && /^\s*fix: \S/.test(line));
  if (failure < 0 || at < 0) return undefined;
  // A long one is broken behind a semicolon or a comma.
  const end = lines.findIndex((line, i) => i >= at && !/[;,]$/.test(line));
  const text = lines.slice(at, end < 0 ? undefined : end + 1).map(line => line.trim());
  return oneLine(
    text
      .join(' ')
      .replace(/^fix: |[;,]$/g, '')
      .slice(0, 500),
  );
}

/**
 * Follows a log: each call reads the lines that came since the last one, oldest first. While the API
 * is out of reach there are none.
 */
export function newLines(
  client: RenderClient,
  service: Service,
  query: Pick<LogQuery, 'types' | 'resource' | 'since'>,
): () => Promise<LogLine[]> {
  const seen = new Set<string>();
  let { since } = query;
  return async () => {
    try {
      const lines = await client.logs(service, { ...query, since, direction: 'forward' });
      const fresh = lines.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      since = lines.at(-1)?.timestamp ?? since;
      return fresh;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return [];
    }
  };
}

/** For `catch`: a value in place of an expected failure; Ctrl-C is none and is thrown on. */
export function quiet<T>(error: unknown, value: T): T {
  if (error instanceof BootlaceError) return value;
  throw error;
}
