import { AuthError, type BootlaceError } from '../errors';
import { classOf, type Deploy, kindOf, type Service, timeOf } from './api/model';
import { statusText } from './api/reason';
import { pinText } from './move/progress';
import { isGone } from './move/run';
import { readServiceState } from './move/state';
import { type Address, addressOf, probe } from './proof/address';
import { readStartLines, type StartLine } from './proof/start-lines';
import { findService, findServices, type Session, workspaceId } from './session';

/** A service in one row. */
export interface ServiceRow {
  service: string;
  id: string;
  owner: string;
  type: string;
  runtime: string;
  branch: string | undefined;
  /** The pin's value; undefined where no variable pins it. */
  pinned: string | undefined;
  /** The version that is live; undefined where nothing tells it. */
  live: string | undefined;
  liveDeploy: string | undefined;
  /** The branch and commit, or the image, of what is live. */
  source: string | undefined;
  health: string;
  url: string | undefined;
  lastDeploy: { id: string; status: string; trigger: string; at: string | undefined } | undefined;
  autoDeploy: string;
  proven: readonly string[];
  /** A deploy that was neither proven nor undone. */
  unproven: string | undefined;
  /** The exact pin and the version that is live are two. */
  differs: boolean;
}

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

async function rowOf(session: Session, service: Service): Promise<ServiceRow> {
  const state = await readServiceState(session, service);
  const address = addressOf(service, {});
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
    pinned: state.isPinned ? pinText(pin) : undefined,
    live: known?.version,
    liveDeploy: live?.id,
    source: live && sourceText(service, live),
    health: await healthOf(session, service, address, live !== undefined),
    url: address?.url,
    lastDeploy: last && {
      id: last.id,
      status: statusText(last),
      trigger: last.trigger,
      at: last.finishedAt ?? last.createdAt,
    },
    autoDeploy: service.autoDeploy,
    proven: record.proven.map(({ version }) => version),
    unproven: state.leftOver?.to,
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

async function healthOf(
  { signal }: Session,
  service: Service,
  address: Address | undefined,
  isLive: boolean,
): Promise<string> {
  if (service.suspended) return 'suspended';
  if (service.inMaintenance) return 'maintenance';
  if (!isLive) return 'nothing live';
  if (!address) return '-';
  const found = await probe(address, undefined, signal);
  if (found.state === 'ok') return 'healthy';
  return found.state === 'waking' ? 'asleep' : `unhealthy (${found.status ?? 'no answer'})`;
}

/** One deploy of a service. */
export interface ReleaseRow {
  deploy: string;
  /** ISO time by Render's clock. */
  at: string | undefined;
  status: string;
  isLive: boolean;
  /** The person behind it where Render or the record names one, else what triggered it. */
  by: string;
  version: string | undefined;
  /** The branch and commit, or the image. */
  source: string | undefined;
  isProven: boolean;
}

const mostDeploys = 100;
/** An instance writes its start line before its deploy is live, or soon after. */
const startMs = 10_000;

/**
 * The deploys of a service, the newest first: who deployed what when, and what of it was proven; from
 * Render's deploys and events, and the record.
 * @throws the client's failures
 */
export async function readReleases(session: Session, name: string): Promise<ReleaseRow[]> {
  const service = await findService(session, name);
  const state = await readServiceState(session, service, mostDeploys);
  const oldest = state.deploys.at(-1)?.createdAt;
  const events = await session.client.events(service.id, oldest, 'deploy_started');
  const starts = state.isPinned ? await readStartLines(session, service, oldest) : [];
  return state.deploys.map(deploy => {
    const isLive = classOf(deploy) === 'live';
    const proven = state.record.proven.find(item => item.deploy === deploy.id);
    const user = events.find(({ deployId }) => deployId === deploy.id)?.user;
    return {
      deploy: deploy.id,
      at: deploy.createdAt,
      status: deploy.status === 'deactivated' ? 'was live' : statusText(deploy),
      isLive,
      by: proven?.by ?? user ?? deploy.trigger,
      version: proven?.version ?? (isLive ? state.known?.version : startedBy(deploy, starts)),
      source: sourceText(service, deploy),
      isProven: proven !== undefined,
    };
  });
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
