import { urlOf } from './address';
import { isGone } from './artifact';
import { findServices } from './find';
import { findLiveVersion } from './live-version';
import { lookAt } from './look';
import { type Service, typeNames } from './model';
import { pinText } from './pin';
import { isLeftOver } from './plan';
import { probe } from './probe';
import type { Session } from './session';
import { statusText } from './wait';

/** A service in one row. */
export interface Overview {
  service: string;
  id: string;
  type: string;
  runtime: string;
  /** The pin's value; undefined where no variable pins it. */
  pinned: string | undefined;
  live: string | undefined;
  liveDeploy: string | undefined;
  health: string;
  url: string | undefined;
  lastDeploy:
    | { id: string; status: string; trigger: string | undefined; at: string | undefined }
    | undefined;
  autoDeploy: string;
  proven: readonly string[];
  /** A deploy that was neither proven nor undone. */
  unproven: string | undefined;
}

/**
 * Looks at services, all of them when none are named. Changes nothing.
 * @throws the client's failures
 */
export async function overviewOf(
  session: Session,
  names: readonly string[],
  envKey: string | undefined,
): Promise<Overview[]> {
  const { client } = session;
  const services = names.length ? await findServices(client, names) : await client.services();
  const rows: Overview[] = [];
  for (const service of services)
    try {
      rows.push(await rowOf(session, service, envKey));
    } catch (error) {
      // It was deleted since it was listed, or has no deploys to show.
      if (!isGone(error)) throw error;
      session.warn(`${service.name} is left out: ${error.message}`);
    }
  return rows;
}

async function rowOf(
  session: Session,
  service: Service,
  envKey: string | undefined,
): Promise<Overview> {
  const { client, signal } = session;
  const look = await lookAt(client, service, envKey);
  const url = urlOf(service, { url: undefined, health: undefined });
  const version = await findLiveVersion(client, look, { url, shown: undefined, signal });
  const [last] = look.deploys;
  return {
    service: service.name,
    id: service.id,
    type: typeNames[service.type],
    runtime: service.runtime ?? 'static',
    pinned: look.isPinned ? pinText(look.pin) : undefined,
    live: version?.version,
    liveDeploy: look.live?.id,
    health: await healthOf(session, service, look.live !== undefined, url),
    url,
    lastDeploy: last && {
      id: last.id,
      status: statusText(last),
      trigger: last.trigger,
      at: last.finishedAt ?? last.createdAt,
    },
    autoDeploy: service.autoDeploy,
    proven: look.record.proven.map(proven => proven.version),
    unproven: isLeftOver(look) ? look.record.pending?.to : undefined,
  };
}

async function healthOf(
  { signal }: Session,
  service: Service,
  isLive: boolean,
  url: string | undefined,
): Promise<string> {
  if (service.suspended) return 'suspended';
  if (!isLive) return 'nothing live';
  if (!url) return '-';
  const found = await probe(url, undefined, signal);
  if (found.state === 'ok') return 'healthy';
  return found.state === 'waking' ? 'asleep' : `unhealthy (${found.status ?? 'no answer'})`;
}
