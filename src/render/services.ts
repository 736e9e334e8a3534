import { AuthError, type BootlaceError } from '../errors';
import { classOf, type Deploy, kindOf, type Service, timeOf } from './api/model';
import { quiet, statusText } from './api/reason';
import { pinText } from './move/progress';
import { planWay } from './move/rollback';
import { isGone } from './move/run';
import { readServiceState, type ServiceState } from './move/state';
import { addressOf, probe } from './proof/address';
import { readStartLines, type StartLine } from './proof/start-lines';
import { findService, findServices, type Session, workspaceId } from './session';

export type ServiceRow = Awaited<ReturnType<typeof rowOf>>;

/**
 * Looks at services, all of them when none are named. Changes nothing. One that cannot be looked at is
 * left out with a warning.
 * @throws the client's failures; of single services only when none at all could be looked at
 */
export async function readServices(
  session: Session,
  names: readonly string[],
): Promise<ServiceRow[]> {
  const services = names.length
    ? await findServices(session, names)
    : await session.client.services(undefined, await workspaceId(session));
  const rows: ServiceRow[] = [];
  const failures: BootlaceError[] = [];
  for (const service of services)
    try {
      rows.push(await rowOf(session, service));
    } catch (error) {
      // The key may not see it, it was deleted since it was listed, or it has no deploys to show.
      const isRefused = error instanceof AuthError && error.code === 'RENDER_NO_ACCESS';
      if (!isGone(error) && !isRefused) throw error;
      failures.push(error);
      session.warn(`${service.name} is left out: ${error.message}`);
    }
  const [first] = failures;
  if (first && rows.length === 0) throw first;
  return rows;
}

/** A service in one row. */
async function rowOf(session: Session, service: Service) {
  const state = await readServiceState(session, service);
  const [last] = state.deploys;
  const { live, known, pin, record } = state;
  const isExact = pin !== undefined && /^v?\d+\.\d+\.\d+/.test(pin);
  return {
    service: service.name,
    id: service.id,
    owner: service.ownerId,
    type: kindOf(service),
    runtime: service.runtime ?? 'static',
    branch: service.branch,
    /** undefined where no variable pins it. */
    pinned: state.isPinned ? pinText(pin) : undefined,
    /** undefined where nothing tells it. */
    live: known?.version,
    liveDeploy: live?.id,
    /** The branch and commit, or the image, of what is live. */
    source: live && sourceText(service, live),
    health: await healthOf(session, state),
    url: addressOf(service, {})?.url,
    lastDeploy: last && {
      id: last.id,
      status: statusText(last),
      trigger: last.trigger,
      at: last.finishedAt ?? last.createdAt,
    },
    autoDeploy: service.autoDeploy,
    proven: record.proven.map(({ version }) => version),
    /** A deploy that was neither proven nor undone. */
    unproven: state.leftOver?.to,
    /** The exact pin and the version that is live are two. */
    differs: isExact && known !== undefined && known.version !== pin.trim().replace(/^v/, ''),
  };
}

/** `main c0ffee0`, or the image. */
function sourceText(
  { branch }: Pick<Service, 'branch'>,
  { commit, image }: Deploy,
): string | undefined {
  if (image !== undefined) return image.split('/').at(-1);
  return commit && [branch, commit.slice(0, 7)].filter(Boolean).join(' ');
}

async function healthOf({ signal }: Session, { service, live }: ServiceState): Promise<string> {
  if (service.suspended) return 'suspended';
  if (service.inMaintenance) return 'maintenance';
  if (!live) return 'nothing live';
  const address = addressOf(service, {});
  if (!address) return '-';
  const found = await probe(address, undefined, signal);
  if (found.state === 'ok') return 'healthy';
  return found.state === 'waking' ? 'asleep' : `unhealthy (${found.status ?? 'no answer'})`;
}

const mostDeploys = 100;
/** An instance writes its start line before its deploy is live, or soon after. */
const startMs = 10_000;

/**
 * The deploys of a service, the newest first: who deployed what when, and what of it was proven; from
 * Render's deploys and events, and the record.
 * @throws the client's failures
 */
export async function readReleases(session: Session, name: string) {
  const service = await findService(session, name);
  const state = await readServiceState(session, service, mostDeploys);
  const oldest = state.deploys.at(-1)?.createdAt;
  const events = await session.client.events(service.id, oldest, 'deploy_started');
  const starts = state.isPinned ? await readStartLines(session, service, oldest) : [];
  const rows = state.deploys.map(deploy => {
    const isLive = classOf(deploy) === 'live';
    const proven = state.record.proven.find(item => item.deploy === deploy.id);
    const user = events.find(({ deployId }) => deployId === deploy.id)?.user;
    return {
      deploy: deploy.id,
      /** ISO time by Render's clock. */
      at: deploy.createdAt,
      status: deploy.status === 'deactivated' ? 'was live' : statusText(deploy),
      isLive,
      /** The person behind it where Render or the record names one, else what triggered it. */
      by: proven?.by ?? user ?? deploy.trigger,
      version: proven?.version ?? (isLive ? state.known?.version : startedBy(deploy, starts)),
      source: sourceText(service, deploy),
      isProven: proven !== undefined,
    };
  });
  return { rows, back: backTo(session, state) };
}

/** The version or deploy that a plain rollback goes to; undefined where it would be refused. */
function backTo(session: Session, state: ServiceState): string | undefined {
  try {
    const { kind, before, target } = planWay(session, state, undefined);
    const { version, deploy } = kind === 'deploy' ? before : target;
    return version ?? deploy?.id;
  } catch (error) {
    return quiet(error, undefined);
  }
}

/** The version that a deploy's instances named when they started; the log may no longer have it. */
function startedBy(
  { createdAt, finishedAt }: Deploy,
  starts: readonly StartLine[],
): string | undefined {
  const end = timeOf(finishedAt) + startMs;
  return starts.find(
    ({ timestamp }) => timeOf(timestamp) >= timeOf(createdAt) && timeOf(timestamp) <= end,
  )?.version;
}
