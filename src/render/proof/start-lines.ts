import { stripVTControlCharacters } from 'node:util';
import { type Deploy, type Instance, type LogLine, type Service, timeOf } from '../api/model';
import type { Session } from '../session';

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
  package: string;
  version: string;
  instance: string | undefined;
  timestamp: string;
}

const pattern = /bootlace: starting ((?:@[^/@\s]+\/)?[^@\s]+)@(\S+): .*?(?: deploy=[\w.-]{1,64})?$/;

/** @returns undefined for any other line */
export function parseStartLine({ message, instance, timestamp }: LogLine): StartLine | undefined {
  const [, name, version] = pattern.exec(stripVTControlCharacters(message).trimEnd()) ?? [];
  if (!name || !version) return undefined;
  return { package: name, version, instance, timestamp };
}

/** The newest start lines of a service since a time by Render's clock; the newest first. */
export async function readStartLines(
  { client }: Pick<Session, 'client'>,
  service: Service,
  since: string | undefined,
): Promise<StartLine[]> {
  const lines = await client.logs(service, {
    types: ['app'],
    since,
    direction: 'backward',
    text: 'bootlace',
  });
  const starts = lines.map(parseStartLine).filter(line => line !== undefined);
  return starts.sort((a, b) => b.timestamp.localeCompare(a.timestamp));
}

/**
 * Compares the start lines since a deploy with its instances. Instances that are older than the
 * deploy are not its own. Pure.
 * @param instances the ones that run now
 * @returns `wrong` is evidence against the version, `missing` is none
 */
export function compareStartLines(
  lines: readonly StartLine[],
  instances: readonly Instance[],
  deploy: Deploy,
  wanted: { package: string | undefined; version: string },
): { state: 'right' | 'wrong' | 'missing'; text: string } {
  const name = `${wanted.package ?? 'the backend'} ${wanted.version}`;
  const own = instances.filter(({ createdAt }) => isNewer(createdAt, deploy));
  const isRight = (line: StartLine) =>
    line.version === wanted.version &&
    (wanted.package === undefined || line.package === wanted.package);
  const right = lines.filter(isRight);
  if (lines.every(({ instance }) => instance === undefined)) {
    if (right.length > 0 && right.length === lines.length && right.length >= own.length)
      return { state: 'right', text: `${right.length} start lines of ${name}` };
    return { state: 'missing', text: `no start line of ${name}` };
  }
  for (const { id } of own) {
    const starts = lines.filter(({ instance }) => instance === id);
    if (starts.some(isRight)) continue;
    const [wrong] = starts;
    if (!wrong) return { state: 'missing', text: `no start line of ${name} from instance ${id}` };
    const found = `${wrong.package}@${wrong.version}`;
    const text = `instance ${id} started ${found} in place of ${wanted.version}`;
    return { state: 'wrong', text };
  }
  if (right.every(({ instance }) => instance === undefined))
    return { state: 'missing', text: `no start line of ${name}` };
  return { state: 'right', text: `start line of ${name} from each instance (${own.length})` };
}

/** True for an instance that came with the deploy, or of which no time is known. */
export function isNewer(createdAt: string, deploy: Deploy): boolean {
  return createdAt === '' || timeOf(createdAt) >= timeOf(deploy.createdAt);
}
