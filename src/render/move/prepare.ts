import { SettingError, UsageError } from '../../errors';
import { oneLine } from '../api/model';
import { findServices, type Session } from '../api/session';
import { addressNotes, addressOf, type ProofWish, probe } from '../proof/address';
import { prove } from '../proof/prove';
import { findLiveVersion, type LiveVersion, meansOf } from '../proof/start-lines';
import { checkLock } from './pin';
import {
  checkDeployable,
  checkPlace,
  checkTakers,
  type DeployWish,
  type Plan,
  planDeploy,
} from './plan';
import { type DeployProgress, newResult, pinText, type ServiceResult } from './progress';
import { checkServiceNode, type ResolvedWish } from './resolve-wish';
import { readServiceState, type ServiceState } from './state';

export interface DeployOptions {
  services: readonly string[];
  envKey: string | undefined;
  wish: Pick<DeployWish, 'clearCache' | 'commit' | 'image' | 'force'>;
  /** Where the user named a version, such as `--backend-version`; undefined for nowhere. */
  versionFrom: string | undefined;
  proof: ProofWish;
  followLogs: boolean;
  undo: boolean;
  /** true switches autodeploy off, false on again, undefined leaves it. */
  hold: boolean | undefined;
  /** The command of --migrate; undefined without it. */
  migrate: string | undefined;
  /** Say what would be done, and do nothing. */
  dryRun: boolean;
  /** Asked once for each package; with a wish of the service's own in place of the user's. */
  resolve: (servicePackage: string | undefined, wish?: string) => Promise<ResolvedWish>;
  /** Told of each service whose deploy begins. */
  onBegin: (result: ServiceResult) => Promise<void>;
}

/** One service of a deploy, and how far it has come. */
export interface Step {
  state: ServiceState;
  wish: DeployWish;
  /** The version that is live, where it is known. */
  known: LiveVersion | undefined;
  /** The command that migrates once this one is live. */
  migrate?: string;
  plan?: Plan;
  progress: DeployProgress;
  result: ServiceResult;
}

/**
 * Reads the services of a deploy and refuses what can be refused. Changes nothing.
 * @param results gets one row for each service
 * @throws what checkDeployable, checkLock, checkTakers and checkPlace do; SettingError
 *   PACKAGE_DIFFERS, ENGINE_MISMATCH; UsageError VERSION_UNPROVABLE; the registry's failures
 */
export async function prepare(
  session: Session,
  options: DeployOptions,
  results: ServiceResult[],
): Promise<Step[]> {
  const { proof } = options;
  const states: ServiceState[] = [];
  for (const service of await findServices(session, options.services)) {
    const state = await readServiceState(session, service, options.envKey);
    checkDeployable(state, options.wish);
    checkLock(session, state);
    states.push(state);
  }
  for (const sentence of checkTakers(states, options.versionFrom)) session.warn(sentence);
  for (const state of states) checkPlace(state, proof.healthOnly ? undefined : proof.place);
  const steps: Step[] = [];
  for (const state of states) {
    const { service } = state;
    for (const note of addressNotes(service, proof)) session.warn(note);
    const keepPin = options.versionFrom === undefined;
    const resolved = state.isPinned
      ? await resolveFor(
          session,
          options,
          state,
          keepPin ? state.pin?.trim() || 'latest' : undefined,
        )
      : undefined;
    const result = newResult(service, addressOf(service, proof)?.url, resolved?.version);
    results.push(result);
    const { package: name, version } = resolved ?? { package: undefined, version: undefined };
    const wish = { ...options.wish, keepPin, package: name, version };
    const known = await findLiveVersion(session, state, proof);
    checkProvable(session, state, proof, known);
    steps.push({ state, wish, known, progress: { stage: 'planned' }, result });
  }
  if (options.migrate !== undefined) chooseMigrating(steps, options.migrate);
  return steps;
}

export const ownMigrate = 'npx bootlace migrate';

/** The first service that can run a job migrates; one that bootlace does not start needs a command. */
function chooseMigrating(steps: readonly Step[], command: string): void {
  const step = steps.find(({ state }) => state.service.type !== 'static_site');
  const fix = "pass the command: --migrate-command 'npx prisma migrate deploy'";
  if (!step)
    throw new UsageError('JOB_NOT_HERE', 'a static site runs no migrations', {
      fix: 'leave --migrate out',
    });
  const { service, isPinned } = step.state;
  if (command === ownMigrate && !isPinned && service.preDeployCommand === undefined)
    throw new UsageError('COMMAND_MISSING', `nothing says how ${service.name} migrates`, { fix });
  step.migrate = command;
}

async function resolveFor(
  { client }: Session,
  options: DeployOptions,
  { service }: ServiceState,
  ownWish: string | undefined,
): Promise<ResolvedWish> {
  const servicePackage = await client.variable(service.id, 'BACKEND_PACKAGE');
  const resolved = await options.resolve(servicePackage, ownWish);
  if (servicePackage !== undefined && servicePackage.trim() !== resolved.package)
    throw new SettingError(
      'PACKAGE_DIFFERS',
      `${service.name} installs ${oneLine(servicePackage)}, but ${resolved.package} is to be deployed`,
      { fix: `leave BACKEND_PACKAGE unset here, or correct it on ${service.name}` },
    );
  if (resolved.engines !== undefined)
    checkServiceNode(resolved, await client.variable(service.id, 'NODE_VERSION'), service.name);
  return resolved;
}

/** Refuses a deploy whose version nothing would show: it would end unproven. */
function checkProvable(
  session: Session,
  state: ServiceState,
  wish: ProofWish,
  known: LiveVersion | undefined,
): void {
  const { service } = state;
  if (!state.isPinned || meansOf(state, wish, known)) return;
  throw new UsageError(
    'VERSION_UNPROVABLE',
    `nothing would show which version ${service.name} runs; nothing was changed`,
    {
      fix: `pass --expect-json /version (or --expect-header NAME) where it shows its version, or do without that proof: ${session.line(undefined, {})} --health-only`,
    },
  );
}

/** Reads a step's service again. */
export async function refresh(
  session: Session,
  { envKey, proof }: Pick<DeployOptions, 'envKey' | 'proof'>,
  step: Step,
): Promise<void> {
  const service = await session.client.service(step.state.service.id);
  step.state = await readServiceState(session, service, envKey);
  step.known = await findLiveVersion(session, step.state, proof);
  checkDeployable(step.state, step.wish);
  checkLock(session, step.state);
}

/** Makes a step's plan; its address is asked once, for what it does now. */
export async function planStep(session: Session, wish: ProofWish, step: Step): Promise<Plan> {
  const { state, known } = step;
  // After an interruption it may be the new version that answers.
  const address = state.live && !state.isLeftOver ? addressOf(state.service, wish) : undefined;
  const now = address && (await probe(address, undefined, session.signal));
  const plan = planDeploy(state, step.wish, known, now);
  step.plan = plan;
  step.result.previous = plan.before.version;
  for (const note of plan.notes) session.warn(note);
  return plan;
}

/** Writes into a step's result what would be done, one sentence each. */
export async function describeStep(
  session: Session,
  { proof }: DeployOptions,
  step: Step,
): Promise<void> {
  const plan = await planStep(session, proof, step);
  const { state, target, before, keepsPin } = plan;
  const { service, key, live, running } = state;
  const { migrate } = step;
  const source = target.request.commitId ?? target.request.imageUrl;
  const pin =
    state.isPinned && !keepsPin && state.pin !== target.pin
      ? `${key}: ${pinText(state.pin)} → ${pinText(target.pin)}`
      : `no variable but BOOTLACE_RECORD is written; ${key} stays ${pinText(state.pin)}`;
  const means = state.isPinned
    ? meansOf(state, proof, step.known)
    : `health of ${step.result.url ?? 'its status and instances'}`;
  const sentences = [
    running && `waits for ${running.id} (${running.trigger}) to end`,
    state.isPinned ? pin : 'no variable is written',
    plan.isLive
      ? `${target.version} is live already: nothing is deployed unless it is unhealthy`
      : `deploys ${target.version ?? source ?? `the newest of ${service.branch ?? 'its source'}`}; live now: ${before.version ?? live?.id ?? 'nothing'}`,
    `proof: ${means}`,
    service.preDeployCommand && `its pre-deploy command runs: ${service.preDeployCommand}`,
    migrate !== undefined && !service.preDeployCommand && `a one-off job runs: ${migrate}`,
  ];
  Object.assign(step.result, { outcome: 'planned', proof: sentences.filter(Boolean) });
}

/** What is live already must still answer; a service that does not is deployed anew. */
export async function isFine(
  session: Session,
  { state, target }: Plan,
  proof: ProofWish,
): Promise<boolean> {
  const { service, live } = state;
  if (!live) return false;
  const limits = { ...session.limits, proofMs: 30_000 };
  const verdict = await prove(
    { ...session, limits, showLog: () => {} },
    {
      service: { ...service, shutdownMs: 0 },
      deploy: live,
      version: target.version,
      place: proof.place,
      startLines: false,
      address: addressOf(service, proof),
    },
  );
  if (verdict.state === 'proven') return true;
  session.say(`${service.name}: ${target.version} is live, but not healthy; deploying it again`);
  return false;
}
