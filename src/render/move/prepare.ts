import intersects from 'semver/ranges/intersects';
import validRange from 'semver/ranges/valid';
import { NotFoundError, SettingError, UsageError } from '../../errors';
import { oneLine } from '../api/model';
import { addressNotes, addressOf, probe } from '../proof/address';
import { prove } from '../proof/prove';
import { findServices, type ResolvedWish, type Session } from '../session';
import { checkLock } from './pin';
import {
  checkDeployable,
  checkPlace,
  type DeployWish,
  isLive,
  type Plan,
  planDeploy,
} from './plan';
import { newResult, pinText, type ServiceResult } from './progress';
import { meansOf, readServiceState, type ServiceState } from './state';

export interface DeployOptions {
  services: readonly string[];
  wish: Pick<DeployWish, 'request' | 'force'>;
  /** Where the user named a version, such as `--backend-version`; undefined for nowhere. */
  versionFrom: string | undefined;
  undo: boolean;
  /** true switches autodeploy off, false on again, undefined leaves it. */
  hold: boolean | undefined;
  /** The command of --migrate; undefined without it. */
  migrate: string | undefined;
  /** Say what would be done, and do nothing. */
  dryRun: boolean;
  /** Told of each service whose deploy begins. */
  onBegin: (result: ServiceResult) => Promise<void>;
}

/** One service of a deploy. */
export interface Step {
  state: ServiceState;
  wish: DeployWish;
  /** The command that migrates once this one is live. */
  migrate?: string;
  plan?: Plan;
  result: ServiceResult;
}

/**
 * Reads the services of a deploy and refuses what can be refused. Changes nothing.
 * @param results gets one row for each service
 * @throws what checkDeployable, checkLock and checkPlace do; SettingError PACKAGE_DIFFERS, ENGINE_MISMATCH;
 *   UsageError VERSION_NOT_HERE, VERSION_UNPROVABLE; the registry's failures
 */
export async function prepare(
  session: Session,
  options: DeployOptions,
  results: ServiceResult[],
): Promise<Step[]> {
  const states: ServiceState[] = [];
  for (const service of await findServices(session, options.services)) {
    const state = await readServiceState(session, service);
    checkDeployable(state, options.wish.request);
    checkLock(session, state);
    states.push(state);
  }
  if (options.versionFrom !== undefined) checkTakers(session, states, options.versionFrom);
  for (const state of states) checkPlace(session, state);
  const steps: Step[] = [];
  for (const state of states) {
    const { service } = state;
    for (const note of addressNotes(service, session.proof)) session.warn(note);
    const resolved = state.isPinned ? await resolveFor(session, options, state) : undefined;
    const result = newResult(session, service, resolved?.version);
    results.push(result);
    // It would end unproven.
    if (!meansOf(session, state))
      throw new UsageError(
        'VERSION_UNPROVABLE',
        `nothing would show which version ${service.name} runs; nothing was changed`,
        {
          fix: `pass --expect-json /version (or --expect-header NAME) where it shows its version, or do without that proof: ${session.line(undefined, {})} --health-only`,
        },
      );
    const keepPin = options.versionFrom === undefined;
    const { package: name, version } = resolved ?? {};
    steps.push({ state, wish: { ...options.wish, keepPin, package: name, version }, result });
  }
  if (options.migrate !== undefined) chooseMigrating(steps, options.migrate);
  return steps;
}

/**
 * Refuses a version where no service has a variable that takes it: it would be dropped, and anything
 * deployed. Beside one that takes it the others are deployed as they are.
 */
function checkTakers(session: Session, states: readonly ServiceState[], from: string): void {
  const others = states.filter(({ isPinned }) => !isPinned);
  for (const { service, key } of others) {
    const { name, runtime = 'static' } = service;
    const why = `${name} (${runtime}) has no variable ${key} that takes the version of ${from}`;
    if (others.length === states.length)
      throw new UsageError('VERSION_NOT_HERE', why, {
        fix: `pass --env-key ${key} when ${name} reads it, or ${from.startsWith('--') ? `leave ${from} out` : '--no-pin to deploy no version'}`,
      });
    session.warn(`${why}; it is deployed as it is`);
  }
}

export const ownMigrate = 'npx bootlace migrate';

/** The first service that can run a job migrates; one that bootlace does not start needs a command. */
function chooseMigrating(steps: readonly Step[], command: string): void {
  const step = steps.find(({ state }) => state.service.type !== 'static_site');
  if (!step)
    throw new UsageError('JOB_NOT_HERE', 'a static site runs no migrations', {
      fix: 'leave --migrate out',
    });
  const { service, isPinned } = step.state;
  if (command === ownMigrate && !isPinned && service.preDeployCommand === undefined)
    throw new UsageError('COMMAND_MISSING', `nothing says how ${service.name} migrates`, {
      fix: "pass the command: --migrate-command 'npx prisma migrate deploy'",
    });
  step.migrate = command;
}

async function resolveFor(
  { client, resolve, line }: Session,
  { versionFrom }: DeployOptions,
  { service, pin }: ServiceState,
): Promise<ResolvedWish> {
  const servicePackage = await client.variable(service.id, 'BACKEND_PACKAGE');
  const ownWish = versionFrom === undefined ? pin?.trim() || 'latest' : undefined;
  const resolved = await resolve(servicePackage, ownWish).catch(error => {
    const { instead } = error instanceof NotFoundError ? error.facts : {};
    if (typeof instead !== 'string') throw error;
    throw new NotFoundError(error.code, error.message, {
      fix: `deploy another version: ${line(undefined, { version: instead })}; or publish that one first, --wait-for MINUTES waits for it`,
      facts: error.facts,
      cause: error,
    });
  });
  if (servicePackage !== undefined && servicePackage.trim() !== resolved.package)
    throw new SettingError(
      'PACKAGE_DIFFERS',
      `${service.name} installs ${oneLine(servicePackage)}, but ${resolved.package} is to be deployed`,
      { fix: `leave BACKEND_PACKAGE unset here, or correct it on ${service.name}` },
    );
  const { package: name, version, engines } = resolved;
  const wanted = engines && validRange(engines);
  const node = wanted && (await client.variable(service.id, 'NODE_VERSION'));
  // A version or a range.
  const has = node && validRange(node.trim().replace(/^v/, ''));
  if (!wanted || !has || intersects(has, wanted, { includePrerelease: true })) return resolved;
  throw new SettingError(
    'ENGINE_MISMATCH',
    `${name}@${version} needs Node ${engines}, ${service.name} runs NODE_VERSION=${oneLine(node)}`,
    {
      fix: `set NODE_VERSION of ${service.name} to a Node that fits, or choose another version`,
      facts: { package: name, version, wanted: engines, node },
    },
  );
}

/** Reads a step's service again. */
export async function refresh(session: Session, step: Step): Promise<void> {
  const service = await session.client.service(step.state.service.id);
  step.state = await readServiceState(session, service);
  checkDeployable(step.state, step.wish.request);
  checkLock(session, step.state);
}

/** Makes a step's plan; its address is asked once, for what it does now. */
export async function planStep(session: Session, step: Step): Promise<Plan> {
  const { state, wish, result } = step;
  const { service, leftOver } = state;
  // After an interruption it may be the new version that answers.
  const address = state.live && !leftOver ? addressOf(service, session.proof) : undefined;
  const now = address && (await probe(address, undefined, session.signal));
  const plan = planDeploy(state, wish, now);
  step.plan = plan;
  result.previous = plan.before.version;
  const { resume, target } = plan;
  if (leftOver)
    session.warn(
      `${service.name}: an earlier deploy of ${leftOver.to} was left unproven; ${resume ? `going on with ${resume.id}` : 'beginning again'}`,
    );
  if (target.version !== undefined && !wish.keepPin && service.autoDeploy !== 'off')
    session.warn(
      `${service.name}: autodeploy is on (${service.autoDeploy}): a push deploys this pin again, unproven; --hold switches it off`,
    );
  return plan;
}

/** Writes into a step's result what would be done, one sentence each. */
export async function describeStep(session: Session, step: Step): Promise<void> {
  const plan = await planStep(session, step);
  const { state, target, before, keepsPin } = plan;
  const { service, key, live, running, isPinned } = state;
  const { migrate, result } = step;
  const source = target.request.commitId ?? target.request.imageUrl;
  const pin =
    keepsPin || state.pin === target.pin
      ? `no variable but BOOTLACE_RECORD is written; ${key} stays ${pinText(state.pin)}`
      : `${key}: ${pinText(state.pin)} → ${pinText(target.pin)}`;
  const sentences = [
    running && `waits for ${running.id} (${running.trigger}) to end`,
    isPinned ? pin : 'no variable is written',
    isLive(plan) && !step.wish.force
      ? `${target.version} is live already: nothing is deployed unless it is unhealthy`
      : `deploys ${target.version ?? source ?? `the newest of ${service.branch ?? 'its source'}`}; live now: ${before.version ?? live?.id ?? 'nothing'}`,
    `proof: ${meansOf(session, state)}`,
    service.preDeployCommand && `its pre-deploy command runs: ${service.preDeployCommand}`,
    migrate !== undefined && !service.preDeployCommand && `a one-off job runs: ${migrate}`,
  ].filter(sentence => typeof sentence === 'string');
  Object.assign(result, { outcome: 'planned', proof: sentences });
}

/** What is live already must still answer; a service that does not is deployed anew. */
export async function isFine(session: Session, { state, target }: Plan): Promise<boolean> {
  const { service, live } = state;
  if (!live) return false;
  const limits = { ...session.limits, proofMs: 30_000 };
  const verdict = await prove(
    { ...session, limits, showLog: () => {} },
    {
      service: { ...service, shutdownMs: 0 },
      deploy: live,
      version: target.version,
      place: session.proof.place,
      startLines: false,
      fix: () => '',
    },
  );
  if (verdict.state === 'proven') return true;
  session.say(`${service.name}: ${target.version} is live, but not healthy; deploying it again`);
  return false;
}
