import { classOf, type Deploy, type Service } from '../api/model';
import type { Session } from '../api/session';
import { isLeftOver, parseRecord, recordKey, type ServiceRecord } from './record';

/** A service as it is now. */
export interface ServiceState {
  readonly service: Service;
  /** The pin's variable, such as BACKEND_VERSION. */
  readonly key: string;
  readonly deploys: readonly Deploy[];
  readonly live: Deploy | undefined;
  /** The newest one that has not ended. */
  readonly running: Deploy | undefined;
  /** A variable says which version a deploy installs. */
  readonly isPinned: boolean;
  readonly pin: string | undefined;
  readonly recordText: string | undefined;
  readonly record: ServiceRecord;
  /** An earlier deploy was neither proven nor undone, and what it changed still stands. */
  readonly isLeftOver: boolean;
}

/**
 * Reads a service's deploys and the few variables that are bootlace's business, one by one, so that
 * no other value ever passes through here. It is pinned when it has the variable, when the user names
 * one, or when it installs a package by bootlace: a node service may as well be built by Render from a
 * repository.
 * @param keyAsked the user's own name for the pin's variable, when one was given
 * @param limit how many deploys to read, 100 at most
 */
export async function readServiceState(
  { client }: Pick<Session, 'client'>,
  service: Service,
  keyAsked: string | undefined,
  limit?: number,
): Promise<ServiceState> {
  const { id } = service;
  const key = keyAsked ?? 'BACKEND_VERSION';
  const deploys = await client.deploys(id, undefined, limit);
  const pin = await client.variable(id, key);
  const isPinned =
    pin !== undefined ||
    keyAsked !== undefined ||
    (service.runtime === 'node' && (await client.variable(id, 'BACKEND_PACKAGE')) !== undefined);
  const recordText = isPinned ? await client.variable(id, recordKey) : undefined;
  const record = parseRecord(recordText);
  return {
    service,
    key,
    deploys,
    live: deploys.find(deploy => classOf(deploy) === 'live'),
    running: deploys.find(deploy => classOf(deploy) === 'running'),
    isPinned,
    pin,
    recordText,
    record,
    isLeftOver: isLeftOver(record, pin),
  };
}
