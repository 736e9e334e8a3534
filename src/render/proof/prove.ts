import { BootlaceError, DeployError, NetworkError } from '../../errors';
import { seconds } from '../../ui/text';
import { classOf, type Deploy, hasInstances, type Instance, type Service } from '../api/model';
import { failureText, showLastLines } from '../api/reason';
import type { Session } from '../api/session';
import type { Address, VersionPlace } from './expect';
import { type Probe, probeOften } from './probe';
import { compareStartLines, isNewer, readStartLines } from './start-lines';

/** What must be true of a live deploy. */
interface Expectation {
  readonly service: Service;
  readonly deploy: Deploy;
  /** undefined: no version is expected, only health. */
  readonly version: string | undefined;
  /** The package that start lines must name, where it is known. */
  readonly package?: string | undefined;
  /** We have just brought it live: what failed since then failed by it. */
  readonly isNew?: boolean;
  /** Where the backend shows its version; without it the start lines are read. */
  readonly place: VersionPlace | undefined;
  /** Read start lines: false where none can be expected since this deploy. */
  readonly startLines: boolean;
  /** The address to ask; undefined for services that have none. */
  readonly address: Address | undefined;
  /** What the address answered before the deploy; undefined where nothing was live. */
  readonly before?: Probe | undefined;
  /** The way back: nothing is required of the address that it did not do before. */
  readonly asBefore?: boolean;
}

/** How a proof ended. */
export type Verdict =
  | { state: 'proven'; seen: readonly string[]; by: Evidence }
  /** Nothing shows it; nothing speaks against it. */
  | { state: 'unproven'; error: DeployError }
  /** The evidence contradicts. */
  | { state: 'bad'; error: DeployError }
  /** Another deploy took its place meanwhile. */
  | { state: 'ended'; deploy: Deploy };

/** `deploy`: Render's word alone, for what shows no version by itself; `health`: none was asked. */
export type Evidence = 'answer' | 'start line' | 'deploy' | 'health';

/** What one round found wrong. `isBad` is evidence against the deploy; else evidence is missing. */
interface Problem {
  code: string;
  text: string;
  isBad: boolean;
}

const streakWanted = 3;

/**
 * Proves a live deploy: three rounds in a row in which everything is right. For web and static
 * services the address is healthy and, where the backend shows it, the version is right; a
 * service with processes has written its start line from every instance; a cron job needs its
 * deploy's status alone.
 * @throws the signal's reason
 */
export async function prove(session: Session, expected: Expectation): Promise<Verdict> {
  const { client, io, signal, limits } = session;
  const { service, deploy, version, address } = expected;
  const live = `${deploy.id} is live`;
  const place = address && placeWith(expected);
  const wantsLines =
    expected.startLines && version !== undefined && !place && hasInstances(service);
  const by =
    version === undefined ? 'health' : place ? 'answer' : wantsLines ? 'start line' : 'deploy';
  if (!address && !hasInstances(service)) return { state: 'proven', seen: [live], by };
  const start = io.now();
  const end = start + limits.proofMs + service.shutdownMs;
  // Requests meet one instance each: with several, one answer a round says too little.
  const asks = place ? service.instances : 1;
  const said = new Set<string>();
  /** Instances of deploys before this one, which take their time to end. */
  const older = new Set<string>();
  let streak = 0;
  let last: Problem | undefined;
  for (;;) {
    const begun = io.now();
    const { seen, problem, ended } = await checkOnce(streak + 1 >= streakWanted);
    if (ended) return { state: 'ended', deploy: ended };
    streak = problem ? 0 : streak + 1;
    if (problem && !said.has(problem.text)) session.say(`not yet: ${problem.text}`);
    if (problem) said.add(problem.text);
    last = problem ?? last;
    if (streak >= streakWanted) {
      const each = asks > 1 ? `, ${asks} answers each` : '';
      const times = `${streakWanted} times in a row${each}`;
      return { state: 'proven', seen: [live, ...seen, times], by };
    }
    if (io.now() >= end) break;
    await io.sleep(Math.max(limits.pollMs - (io.now() - begun), limits.pollMs / 2), signal);
  }
  const problem = last ?? { code: 'DEPLOY_UNPROVEN', text: 'no time to ask often', isBad: false };
  return { state: problem.isBad ? 'bad' : 'unproven', error: await failure(problem) };

  /** One round; an API that is away for a while is a problem of this round only. */
  async function checkOnce(
    isLast: boolean,
  ): Promise<{ seen: string[]; problem?: Problem | undefined; ended?: Deploy }> {
    const seen: string[] = [];
    try {
      const current = await client.deploy(service.id, deploy.id, limits.pollMs);
      if (classOf(current) !== 'live') return { seen, ended: current };
      if (address) {
        const found = await probeOften({ ...address, place }, asks, signal);
        const problem = problemOf(found);
        seen.push(`${address.url}: ${found.text}`);
        if (problem) return { seen, problem };
      }
      if (!hasInstances(service)) return { seen };
      const instances = await client.instances(service.id);
      for (const { id, createdAt } of instances) if (!isNewer(createdAt, deploy)) older.add(id);
      const problem = await checkInstances(instances, seen);
      return { seen, problem: problem ?? (isLast ? await findCrash(instances) : undefined) };
    } catch (error) {
      // What the API does not tell is no evidence against the deploy.
      if (!(error instanceof BootlaceError)) throw error;
      if (!(error instanceof NetworkError)) session.say(error.message);
      return { seen, problem: { code: 'DEPLOY_UNPROVEN', text: error.message, isBad: false } };
    }
  }

  function problemOf(found: Probe): Problem | undefined {
    if (found.state === 'ok') return undefined;
    const text = `${address?.url}: ${found.text}`;
    if (expected.asBefore && expected.before && expected.before.state !== 'ok') return undefined;
    if (found.state === 'wrong') {
      const isBad = found.version !== undefined;
      return { code: isBad ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNPROVEN', text, isBad };
    }
    const isUnknown =
      found.state === 'waking' ||
      // Its allow list may refuse us, and a network may not reach it; both before and after.
      (service.isRestricted && [undefined, 401, 403].includes(found.status)) ||
      (found.status === undefined && expected.before?.status === undefined) ||
      // A static site may never have had a first page.
      (service.type === 'static_site' && expected.before?.status === found.status);
    if (isUnknown) return { code: 'DEPLOY_UNPROVEN', text, isBad: false };
    return { code: 'DEPLOY_UNHEALTHY', text, isBad: true };
  }

  async function checkInstances(
    instances: readonly Instance[],
    seen: string[],
  ): Promise<Problem | undefined> {
    // A free service that sleeps has no instance; its address has just been asked.
    if (instances.length === 0 && !(wantsLines && service.plan === 'free'))
      return {
        code: address ? 'DEPLOY_UNPROVEN' : 'DEPLOY_UNHEALTHY',
        text: 'no instance is running',
        isBad: !address,
      };
    if (!wantsLines || version === undefined) {
      seen.push(`instances: ${instances.length}`);
      return undefined;
    }
    const lines = await readStartLines(session, service, deploy.createdAt);
    const { state, text } = compareStartLines(lines, instances, deploy, {
      package: expected.package,
      version,
    });
    if (state === 'right') {
      seen.push(text);
      return undefined;
    }
    const isBad = state === 'wrong';
    return { code: isBad ? 'DEPLOY_WRONG_VERSION' : 'DEPLOY_UNPROVEN', text, isBad };
  }

  /** Of a deploy that was live before, only what fails from now on, of what runs now, counts. */
  async function findCrash(instances: readonly Instance[]): Promise<Problem | undefined> {
    const since = expected.isNew
      ? (deploy.finishedAt ?? deploy.createdAt)
      : new Date(start).toISOString();
    const events = await client.events(service.id, since, 'server_failed');
    const failed = events.find(
      ({ failure, instance }) =>
        failure &&
        (instance === undefined ||
          (!older.has(instance) &&
            (expected.isNew || instances.some(({ id }) => id === instance)))),
    )?.failure;
    if (!failed) return undefined;
    const text = `an instance failed after the start: ${failureText(failed)}`;
    return { code: 'DEPLOY_CRASHING', text, isBad: true };
  }

  async function failure({ code, text }: Problem): Promise<DeployError> {
    const lastLines = await showLastLines(session, service, { ...deploy, status: 'live' });
    const patience = seconds(limits.proofMs + service.shutdownMs);
    return new DeployError(
      code,
      `${service.name}: ${deploy.id} is live, but not proven within ${patience}: ${text}`,
      {
        fix: 'correct the backend, and deploy the version in which it is',
        facts: {
          service: service.name,
          deploy: deploy.id,
          reason: text,
          lastLines,
        },
      },
    );
  }
}

function placeWith({
  place,
  version,
}: Expectation): (VersionPlace & { value: string }) | undefined {
  const value = place?.value ?? version;
  return place && value !== undefined ? { ...place, value } : undefined;
}
