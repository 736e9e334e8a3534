import { BootlaceError, NetworkError } from '../../errors';
import { count } from '../../ui/text';
import type { LogQuery, RenderClient } from './client';
import { type Deploy, type Failure, hasInstances, type LogLine, type Service } from './model';
import type { Session } from './session';

/** A failure as a person says it. */
export function failureText(failure: Failure): string {
  if (failure.imagePull !== undefined) return failure.imagePull;
  if (failure.outOfMemory !== undefined)
    return `out of memory${failure.outOfMemory && ` (the limit is ${failure.outOfMemory})`}`;
  if (failure.timedOutSeconds !== undefined)
    return `it took longer than ${failure.timedOutSeconds} s`;
  if (failure.unhealthy !== undefined)
    return `the health check failed${failure.unhealthy && `: ${failure.unhealthy}`}`;
  if (failure.exitCode !== undefined) return `it exited with ${failure.exitCode}`;
  if (failure.evicted) return 'Render evicted it';
  return 'it exited early';
}

const words: Readonly<Record<string, string>> = {
  created: 'created',
  queued: 'waiting for its turn',
  build_in_progress: 'building',
  pre_deploy_in_progress: 'running the pre-deploy command',
  update_in_progress: 'starting the new version',
  live: 'live',
};

/** What a status is called in a report. */
export function statusText({ status }: Deploy): string {
  return words[status] ?? status.replaceAll('_', ' ');
}

const phases: Readonly<Record<string, string>> = {
  build_failed: 'the build failed',
  pre_deploy_failed: 'the pre-deploy command failed',
  update_failed: 'the new version did not start',
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
    const failure = order
      .flatMap(type => own.filter(event => event.type === type))
      .find(event => event.failure)?.failure;
    return failure && failureText(failure);
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
      limit: 100,
      deadlineMs: 20_000,
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

/**
 * Follows a log: each call reads the lines that came since the last one, oldest first. While the API
 * is out of reach there are none.
 */
export function newLines(
  client: RenderClient,
  service: Service,
  query: Pick<LogQuery, 'types' | 'resource' | 'since' | 'deadlineMs'>,
): () => Promise<LogLine[]> {
  const seen = new Set<string>();
  let { since } = query;
  return async () => {
    try {
      const lines = await client.logs(service, {
        ...query,
        since,
        direction: 'forward',
        limit: 100,
      });
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
