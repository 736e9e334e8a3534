import { BootlaceError, DeployError, NetworkError } from '../../errors';
import { seconds } from '../../ui/text';
import { classOf, type Deploy, hasInstances, type Instance, type Service } from '../api/model';
import { showLastLines } from '../api/reason';
import { pollMs, type Session } from '../session';
import { type Address, addressOf, type Probe, probe, type VersionPlace } from './address';
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
  /** What the address answered before the deploy; undefined where nothing was live. */
  readonly before?: Probe | undefined;
  /** The way back: nothing is required of the address that it did not do before. */
  readonly asBefore?: boolean;
  /** What to do when it fails. */
  readonly fix: (code: Problem['code'], lastLines: readonly string[]) => string;
}

/** How a proof ended. */
export type Verdict =
  | { state: 'proven'; seen: readonly string[]; by: Evidence }
  /**
   * `unproven`: nothing shows the version, nothing speaks against it, and the deploy stays live. `bad`:
   * Render says that it failed, or the evidence contradicts.
   */
  | { state: 'unproven' | 'bad'; error: BootlaceError }
  /** Another deploy took its place meanwhile. */
  | { state: 'ended'; deploy: Deploy };

/** `deploy`: Render's word alone, for what shows no version by itself; `health`: none was asked. */
export type Evidence = 'answer' | 'start line' | 'deploy' | 'health';

/** What one round found wrong. With DEPLOY_UNPROVEN evidence is missing; else it is against the deploy. */
interface Problem {
  code: 'DEPLOY_UNPROVEN' | 'DEPLOY_UNHEALTHY' | 'DEPLOY_WRONG_VERSION' | 'DEPLOY_CRASHING';
  text: string;
}

const streakWanted = 3;
const asksAtOnce = 5;

/**
 * Proves a live deploy: three rounds in a row in which everything is right. For web and static
 * services the address is healthy and, where the backend shows it, the version is right; a
 * service with processes has written its start line from every instance; a cron job needs its
 * deploy's status alone.
 * @throws the signal's reason
 */
export async function prove(session: Session, expected: Expectation): Promise<Verdict> {
  const { client, io, signal, limits } = session;
  const { service, deploy, version, before } = expected;
  const address = addressOf(service, session.proof);
  const live = `${deploy.id} is live`;
  const value = expected.place?.value ?? version;
  const place =
    address && expected.place && value !== undefined ? { ...expected.place, value } : undefined;
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
  let problem: Problem = { code: 'DEPLOY_UNPROVEN', text: 'no time to ask often' };
  for (;;) {
    const begun = io.now();
    const seen = [live];
    const found = await checkOnce(seen, streak + 1 >= streakWanted);
    if (found && 'ended' in found) return { state: 'ended', deploy: found.ended };
    streak = found ? 0 : streak + 1;
    if (streak >= streakWanted) {
      const each = asks > 1 ? `, ${asks} answers each` : '';
      return { state: 'proven', seen: [...seen, `${streakWanted} times in a row${each}`], by };
    }
    if (found && !said.has(found.text)) session.say(`not yet: ${found.text}`);
    if (found) said.add(found.text);
    problem = found ?? problem;
    if (io.now() >= end) break;
    await io.sleep(Math.max(pollMs - (io.now() - begun), pollMs / 2), signal);
  }
  const lastLines = await showLastLines(session, service, deploy);
  const patience = seconds(limits.proofMs + service.shutdownMs);
  const { code, text } = problem;
  const error = new DeployError(
    code,
    `${service.name}: ${deploy.id} is live, but not proven within ${patience}: ${text}`,
    {
      fix: expected.fix(code, lastLines),
      facts: { service: service.name, deploy: deploy.id, reason: text, lastLines },
    },
  );
  return { state: code === 'DEPLOY_UNPROVEN' ? 'unproven' : 'bad', error };

  /** One round; an API that is away for a while is a problem of this round only. */
  async function checkOnce(
    seen: string[],
    isLast: boolean,
  ): Promise<Problem | { ended: Deploy } | undefined> {
    try {
      const current = await client.deploy(service.id, deploy.id, pollMs);
      if (classOf(current) !== 'live') return { ended: current };
      const unhealthy = address && (await checkAddress(address, seen));
      if (unhealthy || !hasInstances(service)) return unhealthy;
      const instances = await client.instances(service.id);
      for (const { id, createdAt } of instances) if (!isNewer(createdAt, deploy)) older.add(id);
      const silent = await checkInstances(instances, seen);
      return silent ?? (isLast ? findCrash(instances) : undefined);
    } catch (error) {
      // What the API does not tell is no evidence against the deploy.
      if (!(error instanceof BootlaceError)) throw error;
      if (!(error instanceof NetworkError)) session.say(error.message);
      return { code: 'DEPLOY_UNPROVEN', text: error.message };
    }
  }

  async function checkAddress(asked: Address, seen: string[]): Promise<Problem | undefined> {
    const found = await ask(asked);
    const text = `${asked.url}: ${found.text}`;
    seen.push(text);
    if (found.state === 'ok') return undefined;
    if (expected.asBefore && before && before.state !== 'ok') return undefined;
    if (found.state === 'wrong')
      return {
        code: found.version === undefined ? 'DEPLOY_UNPROVEN' : 'DEPLOY_WRONG_VERSION',
        text,
      };
    const isUnknown =
      found.state === 'waking' ||
      // Its allow list may refuse us, and a network may not reach it; both before and after.
      (service.isRestricted && [undefined, 401, 403].includes(found.status)) ||
      (found.status === undefined && before?.status === undefined) ||
      // A static site may never have had a first page.
      (service.type === 'static_site' && before?.status === found.status);
    return { code: isUnknown ? 'DEPLOY_UNPROVEN' : 'DEPLOY_UNHEALTHY', text };
  }

  /** Asks once for each instance. @returns the first answer that is not right, else one that is */
  async function ask(asked: Address): Promise<Probe> {
    for (let left = asks; ; left -= asksAtOnce) {
      const times = Array.from({ length: Math.min(left, asksAtOnce) });
      const found = await Promise.all(times.map(() => probe(asked, place, signal)));
      const wrong = found.find(({ state }) => state !== 'ok');
      if (wrong || left <= asksAtOnce) return wrong ?? (found[0] as Probe);
    }
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
      };
    if (!wantsLines) {
      seen.push(`instances: ${instances.length}`);
      return undefined;
    }
    const lines = await readStartLines(session, service, deploy.createdAt);
    const wanted = { package: expected.package, version };
    const { state, text } = compareStartLines(lines, instances, deploy, wanted);
    if (state === 'wrong') return { code: 'DEPLOY_WRONG_VERSION', text };
    if (state === 'missing') return { code: 'DEPLOY_UNPROVEN', text };
    seen.push(text);
    return undefined;
  }

  /** Of a deploy that was live before, only what fails from now on, of what runs now, counts. */
  async function findCrash(instances: readonly Instance[]): Promise<Problem | undefined> {
    const { isNew } = expected;
    const since = isNew ? (deploy.finishedAt ?? deploy.createdAt) : new Date(start).toISOString();
    const events = await client.events(service.id, since, 'server_failed');
    const isOwn = (id: string) => !older.has(id) && (isNew || instances.some(one => one.id === id));
    const failed = events.find(
      ({ failure, instance }) => failure && (instance === undefined || isOwn(instance)),
    );
    const text = `an instance failed after the start: ${failed?.failure}`;
    return failed && { code: 'DEPLOY_CRASHING', text };
  }
}
