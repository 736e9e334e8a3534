import { findServices } from './api/find';
import { classOf, type Deploy, type ServiceEvent, timeOf } from './api/model';
import { statusText } from './api/reason';
import type { Session } from './api/session';
import { readServiceState } from './move/state';
import { findLiveVersion } from './proof/live-version';
import { readStartLines, type StartLine } from './proof/start-lines';
import { sourceText } from './services';

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
export async function readReleases(
  session: Session,
  name: string,
  envKey: string | undefined,
): Promise<ReleaseRow[]> {
  const [service] = await findServices(session, [name]);
  if (!service) throw new Error('findServices returns one for each name');
  const state = await readServiceState(session, service, envKey, mostDeploys);
  const oldest = state.deploys.at(-1)?.createdAt;
  const events: ServiceEvent[] = await session.client.events(service.id, oldest, 'deploy_started');
  const known = await findLiveVersion(session, state, { address: undefined, place: undefined });
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
      by: proven?.by ?? user ?? deploy.trigger ?? '?',
      version: proven?.version ?? (isLive ? known?.version : startedBy(deploy, starts)),
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
