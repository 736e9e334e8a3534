import { DeployError, NetworkError } from '../errors';
import { count, seconds } from '../ui/text';
import type { Shown } from './expect';
import { classOf, type Deploy, hasInstances, type Service } from './model';
import { probe } from './probe';
import { failureText, lastLines } from './reason';
import type { Session } from './session';
import { parseStartLine } from './start-line';
import { failureOf } from './wait';

/** What must be true of a live deploy. */
export interface Expectation {
  readonly service: Service;
  readonly deploy: Deploy;
  /** undefined: no version is expected, only health. */
  readonly version: string | undefined;
  readonly package: string | undefined;
  /** The nonce of this deploy; undefined where the deploy runs with an older environment. */
  readonly nonce: string | undefined;
  /** Where the backend shows its version; without it the start line is asked for. */
  readonly shown: Shown | undefined;
  /** Ask for start lines: false where none can be expected since this deploy. */
  readonly startLines: boolean;
  /** The address to ask; undefined for services that have none. */
  readonly url: string | undefined;
}

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
  const end = io.now() + limits.proofMs + service.shutdownMs;
  const shown = shownValue(expected);
  const wantsLines =
    expected.startLines && version !== undefined && !shown && hasInstances(service);
  // Requests meet one instance each: with several, three answers say too little.
  const wanted = streakWanted * (shown ? service.instances : 1);
  const lines = new StartLines(session, expected);
  let streak = 0;
  const said = new Set<string>();
  let last: Problem | undefined;
  for (;;) {
    const begun = io.now();
    const { seen, problem } = await lookOnce(streak + 1 >= wanted);
    streak = problem ? 0 : streak + 1;
    if (problem && !said.has(problem.text)) session.say(`not yet: ${problem.text}`);
    if (problem) said.add(problem.text);
    last = problem ?? last;
    if (streak >= wanted) {
      return [`${deploy.id} is live`, ...seen, `${wanted} times in a row`];
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
      fix: fixes[code] ?? `correct the backend, then run: bootlace deploy ${service.name}`,
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
        const found = await probe(expected.url, shown, signal);
        seen.push(`${expected.url}: ${found.text}`);
        if (found.state !== 'ok') {
          const code = found.state === 'wrong' ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNHEALTHY';
          return { seen, problem: { code, text: `${expected.url}: ${found.text}` } };
        }
      }
      if (!hasInstances(service)) return { seen };
      const state = await lines.look(wantsLines);
      seen.push(...state.seen);
      const problem = state.problem ?? (isLast ? await findCrash() : undefined);
      return { seen, problem };
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      return { seen, problem: { code: 'DEPLOY_UNPROVEN', text: error.message } };
    }
  }

  async function findCrash(): Promise<Problem | undefined> {
    const since = deploy.finishedAt ?? deploy.createdAt;
    const events = await client.events(service.id, since, 'server_failed');
    const failure = events.find(event => event.failure)?.failure;
    if (!failure) return undefined;
    const text = `an instance failed after the start: ${failureText(failure)}`;
    return { code: 'DEPLOY_CRASHING', text };
  }
}

interface Problem {
  code: string;
  text: string;
}

const fixes: Readonly<Record<string, string>> = {
  DEPLOY_UNPROVEN:
    'start the backend with the server.js that bootlace setup writes, or pass --expect-json /version (or --expect-header) where it shows its version, or --health-only',
};

function shownValue({ shown, version }: Expectation): (Shown & { value: string }) | undefined {
  const value = shown?.value ?? version;
  return shown && value !== undefined ? { ...shown, value } : undefined;
}

/** Follows which instances have written the right start line. */
class StartLines {
  readonly #right = new Set<string>();
  readonly #wrong = new Map<string, string>();
  readonly #session: Session;
  readonly #expected: Expectation;

  constructor(session: Session, expected: Expectation) {
    this.#session = session;
    this.#expected = expected;
  }

  /** @param wantsLines false: the instances' number alone counts */
  async look(wantsLines: boolean): Promise<{ problem?: Problem; seen: string[] }> {
    const { service, version } = this.#expected;
    const instances = await this.#session.client.instances(service.id);
    // A free service that sleeps has no instance; its address has just been asked.
    if (instances.length === 0 && !(wantsLines && service.plan === 'free'))
      return { problem: { code: 'DEPLOY_UNHEALTHY', text: 'no instance is running' }, seen: [] };
    if (!wantsLines) return { seen: [`instances: ${instances.length}`] };
    if (instances.some(({ id }) => !this.#right.has(id)) || instances.length === 0)
      await this.#read();
    for (const { id } of instances) {
      if (this.#right.has(id)) continue;
      const wrong = this.#wrong.get(id);
      const text = wrong
        ? `instance ${id} started ${wrong} in place of ${version}`
        : `no start line of ${this.#name} from instance ${id}`;
      return {
        problem: { code: wrong ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNPROVEN', text },
        seen: [],
      };
    }
    if (this.#right.size === 0)
      return {
        problem: { code: 'DEPLOY_UNPROVEN', text: `no start line of ${this.#name}` },
        seen: [],
      };
    return { seen: [`start line of ${this.#name} from each instance (${instances.length})`] };
  }

  get #name(): string {
    const { package: name, version } = this.#expected;
    return `${name ?? 'the backend'} ${version}`;
  }

  async #read(): Promise<void> {
    const { service, deploy, version, nonce, package: name } = this.#expected;
    const { lines } = await this.#session.client.logs(service, {
      types: ['app'],
      since: deploy.createdAt,
      direction: 'backward',
      limit: 100,
      text: nonce ?? 'bootlace',
    });
    for (const line of lines) {
      const start = parseStartLine(line);
      if (!start) continue;
      const instance = start.instance ?? 'unknown';
      const isRight =
        start.version === version &&
        (name === undefined || start.package === name) &&
        (nonce === undefined || start.nonce === nonce);
      if (isRight) this.#right.add(instance);
      else this.#wrong.set(instance, `${start.package}@${start.version}`);
    }
  }
}
