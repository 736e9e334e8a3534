import { DeployError, NetworkError } from '../errors';
import { count, seconds } from '../ui/text';
import type { Shown } from './expect';
import type { Expectation, Problem } from './expectation';
import { classOf, hasInstances, type Instance, type ServiceEvent } from './model';
import { probeOften } from './probe';
import { failureText, lastLines } from './reason';
import type { Session } from './session';
import { StartLines } from './start-lines';
import { failureOf } from './wait';

/** One sentence each: what was seen. */
export type Proof = readonly string[];

const streakWanted = 3;

/**
 * Proves a live deploy: three rounds in a row in which everything is right. For web and static
 * services the address is healthy and, where the backend shows it, the version is right; a
 * service with processes has written its start line from every instance; a cron job needs its
 * deploy's status alone.
 * @throws DeployError DEPLOY_UNHEALTHY, DEPLOY_WRONG_VERSION, DEPLOY_UNPROVEN, DEPLOY_CRASHING,
 *   DEPLOY_SUPERSEDED
 */
export async function prove(session: Session, expected: Expectation): Promise<Proof> {
  const { client, io, signal, limits } = session;
  const { service, deploy, version } = expected;
  if (service.type === 'cron_job') return [`${deploy.id} is live`];
  const start = io.now();
  const end = start + limits.proofMs + service.shutdownMs;
  const shown = shownValue(expected);
  const wantsLines =
    expected.startLines && version !== undefined && !shown && hasInstances(service);
  // Requests meet one instance each: with several, one answer a round says too little.
  const asks = shown ? service.instances : 1;
  const lines = new StartLines(session, expected);
  let streak = 0;
  const said = new Set<string>();
  /** Instances of deploys before this one, which take their time to end. */
  const older = new Set<string>();
  let last: Problem | undefined;
  for (;;) {
    const begun = io.now();
    const { seen, problem } = await lookOnce(streak + 1 >= streakWanted);
    streak = problem ? 0 : streak + 1;
    if (problem && !said.has(problem.text)) session.say(`not yet: ${problem.text}`);
    if (problem) said.add(problem.text);
    last = problem ?? last;
    if (streak >= streakWanted) {
      const each = asks > 1 ? `, ${asks} answers each` : '';
      return [`${deploy.id} is live`, ...seen, `${streakWanted} times in a row${each}`];
    }
    if (io.now() >= end) break;
    await io.sleep(Math.max(limits.pollMs - (io.now() - begun), limits.pollMs / 2), signal);
  }
  const tail = await lastLines(client, service, { ...deploy, status: 'live' });
  if (tail.length)
    session.showLog(`${service.name}: the last ${count(tail.length, 'log line')}`, tail);
  const code = last?.code ?? 'DEPLOY_UNPROVEN';
  throw new DeployError(
    code,
    `${service.name}: ${deploy.id} is live, but not proven within ${seconds(limits.proofMs + service.shutdownMs)}: ${last?.text ?? 'there was no time to ask often enough'}`,
    {
      fix: fixes[code] ?? `correct the backend, then run: npx bootlace deploy ${service.name}`,
      facts: {
        service: service.name,
        deploy: deploy.id,
        lastLines: tail.map(({ message }) => message),
      },
    },
  );

  /** One round; an API that is away for a while is a problem of this round only. */
  async function lookOnce(isLast: boolean): Promise<{ seen: string[]; problem?: Problem }> {
    const seen: string[] = [];
    try {
      const current = await client.deploy(service.id, deploy.id, limits.pollMs);
      if (classOf(current) !== 'live') throw await failureOf(session, service, current);
      if (expected.url) {
        const found = await probeOften(expected.url, shown, asks, signal);
        seen.push(`${expected.url}: ${found.text}`);
        if (found.state !== 'ok') {
          const code = found.state === 'wrong' ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNHEALTHY';
          return { seen, problem: { code, text: `${expected.url}: ${found.text}` } };
        }
      }
      if (!hasInstances(service)) return { seen };
      const instances = await client.instances(service.id);
      for (const { id, createdAt } of instances)
        if (Date.parse(createdAt) < Date.parse(deploy.createdAt ?? '')) older.add(id);
      const state = await lines.look(instances, wantsLines);
      seen.push(...state.seen);
      const problem = state.problem ?? (isLast ? await findCrash(instances) : undefined);
      return { seen, problem };
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return { seen, problem: { code: 'DEPLOY_UNPROVEN', text: error.message } };
    }
  }

  /** Of a deploy that was live before, only what fails from now on, of what runs now, counts. */
  async function findCrash(instances: readonly Instance[]): Promise<Problem | undefined> {
    const since = expected.isNew
      ? (deploy.finishedAt ?? deploy.createdAt)
      : new Date(start).toISOString();
    const isOwn = ({ instance }: ServiceEvent) =>
      instance === undefined ||
      (!older.has(instance) && (expected.isNew || instances.some(({ id }) => id === instance)));
    const events = await client.events(service.id, since, 'server_failed');
    const failure = events.find(event => event.failure && isOwn(event))?.failure;
    if (!failure) return undefined;
    const text = `an instance failed after the start: ${failureText(failure)}`;
    return { code: 'DEPLOY_CRASHING', text };
  }
}

const fixes: Readonly<Record<string, string>> = {
  DEPLOY_UNPROVEN:
    'start the backend with the server.js that npx bootlace setup writes, or pass --expect-json /version (or --expect-header) where it shows its version, or --health-only',
};

function shownValue({ shown, version }: Expectation): (Shown & { value: string }) | undefined {
  const value = shown?.value ?? version;
  return shown && value !== undefined ? { ...shown, value } : undefined;
}
