import { DeployError } from '../errors';
import { oneLine } from './one-line';
import type { DeployPlan } from './plan';
import { nonceKey, recordKey, renderRecord, withProven } from './record';
import type { Session } from './session';
import type { Trail } from './trail';

/** A pin as a report names it. */
export function pinText(pin: string | undefined): string {
  return pin === undefined ? 'not set' : oneLine(pin);
}

/** Putting things back is tried for longer than anything else. */
const restoreMs = 10 * 60_000;

/**
 * Writes the three variables of a deploy: first the note of what was there, so that an
 * interruption anywhere later can be picked up; then this deploy's nonce; the pin last.
 */
export async function setPin({ client }: Session, plan: DeployPlan, trail: Trail): Promise<void> {
  const { look, to, nonce } = plan;
  const { id } = look.service;
  if (to === undefined) return;
  trail.stage = 'pinning';
  await client.setVariable(id, recordKey, noteOf(plan, to));
  await client.setVariable(id, nonceKey, nonce);
  if (!plan.keepsPin) await client.setVariable(id, look.key, to);
  trail.stage = 'pinned';
}

/** The record with the note of a deploy that has begun. */
function noteOf(plan: DeployPlan, to: string, own?: string): string | undefined {
  const { look, before, nonce } = plan;
  const pending = {
    to,
    nonce,
    since: look.deploys[0]?.createdAt,
    pin: before.pin ?? null,
    wasNonce: before.nonce ?? null,
    live: before.live?.id,
    ...(own !== undefined && { own }),
    ...(plan.keepsPin && { keepsPin: true as const }),
    ...(plan.isRollback && { isRollback: true as const }),
  };
  return renderRecord({ ...before.record, pending });
}

/** Writes down that a version is proven; what was pending is done. */
export async function keepProven(
  { client }: Session,
  plan: Pick<DeployPlan, 'look' | 'before'>,
  version: string,
  deploy: string,
): Promise<void> {
  const { before } = plan;
  let { record } = before;
  // What was serving before bootlace came has a place to go back to as well.
  if (before.version !== undefined && before.live && before.version !== version)
    if (!record.proven.some(proven => proven.version === before.version))
      record = withProven(record, { version: before.version, deploy: before.live.id });
  record = withProven(record, { version, deploy });
  await client.setVariable(plan.look.service.id, recordKey, renderRecord(record));
}

/**
 * Puts pin and nonce back as they were; one that was not set is deleted again. A pin that somebody
 * else has changed since is left alone. The note stays, with our deploy's id in it, until
 * forgetNote: an interrupted way back can be gone on with.
 * @param own our deploy, when there is one
 * @returns false when somebody else changed the pin
 * @throws DeployError UNDO_FAILED that names what stands now
 */
export async function restorePin(
  session: Session,
  plan: DeployPlan,
  own: string | undefined,
): Promise<boolean> {
  const { look, before, to } = plan;
  if (to === undefined) return true;
  const { id, name } = look.service;
  const { client } = session;
  try {
    if (own !== undefined)
      await client.setVariable(id, recordKey, noteOf(plan, to, own), restoreMs);
    const now = await client.variable(id, look.key);
    const isOurs = now === to || now === before.pin;
    if (isOurs && now !== before.pin) await client.setVariable(id, look.key, before.pin, restoreMs);
    await client.setVariable(id, nonceKey, before.nonce, restoreMs);
    if (!isOurs) session.warn(`${name}: somebody else has set ${look.key} meanwhile; it stays`);
    return isOurs;
  } catch (error) {
    if (session.signal.aborted) throw error;
    const was = before.pin === undefined ? 'remove it' : `set it to ${pinText(before.pin)}`;
    throw new DeployError(
      'UNDO_FAILED',
      `${name}: ${look.key} may still be ${to}: ${(error as Error).message}`,
      {
        fix: `in the Render dashboard open ${name}, Environment, ${look.key}, and ${was}; or run: npx bootlace rollback ${name}`,
        cause: error,
      },
    );
  }
}

/** Removes the note of a deploy that was undone; the record is as it was. */
export async function forgetNote({ client }: Session, plan: DeployPlan): Promise<void> {
  const { look, before, to } = plan;
  if (to === undefined) return;
  await client.setVariable(look.service.id, recordKey, before.recordText, restoreMs);
}

/**
 * For a new deploy of the old version: while the pin was `latest`, a range or not set, the old
 * version is pinned exactly for that deploy, or the registry would hand out the bad one again.
 * @returns what puts the pin back as the user had it
 */
export async function pinOldVersion(
  { client }: Session,
  { look, before, to }: Pick<DeployPlan, 'look' | 'before' | 'to'>,
): Promise<() => Promise<void>> {
  if (to === undefined || before.version === undefined || before.pin === before.version)
    return async () => {};
  await client.setVariable(look.service.id, look.key, before.version);
  return () => client.setVariable(look.service.id, look.key, before.pin);
}
