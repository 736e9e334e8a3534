import type { RenderClient } from './client';
import { classOf, type Deploy, type Service } from './model';
import { nonceKey, parseRecord, recordKey, type ServiceRecord } from './record';

/** A service as it is now. */
export interface Look {
  readonly service: Service;
  /** The pin's variable, such as BACKEND_VERSION. */
  readonly key: string;
  readonly deploys: readonly Deploy[];
  readonly live: Deploy | undefined;
  /** The newest one that has not ended. */
  readonly running: Deploy | undefined;
  readonly isPinned: boolean;
  readonly pin: string | undefined;
  readonly nonce: string | undefined;
  readonly recordText: string | undefined;
  readonly record: ServiceRecord;
}

/**
 * Looks at a service: its deploys and the few variables that are bootlace's business, one by one,
 * so that no other value ever passes through here.
 * @param keyAsked the user's own name for the pin's variable, when one was given
 */
export async function lookAt(
  client: RenderClient,
  service: Service,
  keyAsked: string | undefined,
): Promise<Look> {
  const key = keyAsked ?? 'BACKEND_VERSION';
  const deploys = await client.deploys(service.id);
  const pin = await client.variable(service.id, key);
  const isPinned = pin !== undefined || keyAsked !== undefined || service.runtime === 'node';
  const [nonce, recordText] = isPinned
    ? [await client.variable(service.id, nonceKey), await client.variable(service.id, recordKey)]
    : [undefined, undefined];
  return {
    service,
    key,
    deploys,
    live: deploys.find(deploy => classOf(deploy) === 'live'),
    running: deploys.find(deploy => classOf(deploy) === 'running'),
    isPinned,
    pin,
    nonce,
    recordText,
    record: parseRecord(recordText),
  };
}
