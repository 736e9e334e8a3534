import { BootlaceError, DeployError } from '../../errors';
import type { RenderClient } from '../api/client';
import type { Deploy } from '../api/model';
import type { Session } from '../api/session';
import type { Evidence } from '../proof/prove';
import { type Plan, sinceOf } from './plan';
import { type DeployProgress, orWarn, pinText } from './progress';
import {
  type DeployNote,
  emptyRecord,
  isLocked,
  type Proven,
  parseRecord,
  recordKey,
  renderRecord,
  type ServiceRecord,
  type ServiceState,
  withProven,
} from './state';

// What is written to a service: the pin's variable, and BOOTLACE_RECORD beside it on a service that has
// a pin; nothing on any other. The record is read again before each writing, since two runs may write it.

/** Putting things back is tried for longer than anything else. */
const restoreMs = 10 * 60_000;

/**
 * Refuses to touch a service that another run may be deploying.
 * @throws DeployError DEPLOY_LOCKED
 */
export function checkLock(
  session: Session,
  { service, record }: Pick<ServiceState, 'service' | 'record'>,
): void {
  if (session.steal || !isLocked(record, session.run, session.io.now())) return;
  const { by = 'somebody else', at, to } = record.pending as DeployNote;
  const minutes = Math.max(0, Math.round((session.io.now() - Date.parse(at ?? '')) / 60_000));
  throw locked(session, service.name, `${by} has been deploying ${to} for ${minutes} min`);
}

/**
 * Brings the variables to what a move needs: first the note of what was there, so that an
 * interruption anywhere later can be picked up, then the pin.
 * @throws DeployError DEPLOY_LOCKED with nothing changed
 */
export async function writePin(
  session: Session,
  plan: Plan,
  progress: DeployProgress,
): Promise<void> {
  const { client } = session;
  const { state, target } = plan;
  if (!state.isPinned || target.version === undefined) return;
  await claim(session, plan, progress);
  if (!plan.keepsPin && state.pin !== target.pin)
    await client.setVariable(state.service.id, state.key, target.pin);
  progress.stage = 'pinned';
}

/** Writes this run's note, and makes sure that no other run wrote one at the same time. */
async function claim(session: Session, plan: Plan, progress: DeployProgress): Promise<void> {
  const { client } = session;
  const { service, recordText } = plan.state;
  const now = await client.variable(service.id, recordKey);
  if (now !== recordText) {
    checkLock(session, { service, record: parseRecord(now) });
    throw locked(session, service.name, 'somebody else has just written its record');
  }
  progress.hasNote = true;
  progress.stage = 'pinning';
  const note = noteOf(session, plan);
  await client.setVariable(service.id, recordKey, withNote(plan.before.record, note));
  const read = parseRecord(await client.variable(service.id, recordKey));
  if (read.pending?.run === session.run) return;
  progress.hasNote = false;
  progress.stage = 'planned';
  throw locked(session, service.name, `${read.pending?.by ?? 'somebody else'} began just now`);
}

function noteOf(session: Session, plan: Plan, own?: string): DeployNote {
  const { before, target } = plan;
  const { deployMs, proofMs } = session.limits;
  const now = session.io.now();
  return {
    to: (plan.kind === 'back' ? plan.leaves : target.version) ?? '',
    run: session.run,
    by: session.by,
    at: new Date(now).toISOString(),
    until: new Date(now + deployMs + proofMs).toISOString(),
    since: sinceOf(plan),
    pin: before.pin ?? null,
    live: before.live?.id,
    ...(own !== undefined && { own }),
    ...(plan.keepsPin && { keepsPin: true as const }),
    ...(plan.kind === 'rollback' && { isRollback: true as const }),
  };
}

/**
 * Puts the pin back as it was; one that was not set is deleted again. A pin that somebody else has
 * changed since is left alone. The note stays, with our deploy's id in it, until settle.
 * @returns false when somebody else changed the pin
 * @throws DeployError UNDO_FAILED that names what stands now; DEPLOY_TAKEN_OVER
 */
export async function restorePin(
  session: Session,
  plan: Plan,
  progress: DeployProgress,
): Promise<boolean> {
  const { state, before, leaves } = plan;
  const { id, name } = state.service;
  const { client } = session;
  if (!state.isPinned || leaves === undefined) return true;
  try {
    const fresh = await freshRecord(client, state);
    const isStolen = session.steal && plan.isAsked;
    if (isLocked(fresh, session.run, session.io.now()) && !isStolen)
      throw takenOver(name, fresh.pending);
    progress.hasNote = true;
    const note = noteOf(session, plan, progress.deploy);
    await client.setVariable(id, recordKey, withNote(fresh, note), restoreMs);
    const now = await client.variable(id, state.key);
    const isOurs = now === leaves || now === before.pin;
    if (isOurs && now !== before.pin)
      await client.setVariable(id, state.key, before.pin, restoreMs);
    if (!isOurs) session.warn(`${name}: somebody else has set ${state.key} meanwhile; it stays`);
    return isOurs;
  } catch (error) {
    if (session.signal.aborted || !(error instanceof BootlaceError)) throw error;
    if (error.code === 'DEPLOY_TAKEN_OVER') throw error;
    const was = before.pin === undefined ? 'remove it' : `set it to ${pinText(before.pin)}`;
    throw new DeployError(
      'UNDO_FAILED',
      `${name}: ${state.key} may still be ${leaves}: ${error.message}`,
      {
        fix: `in the Render dashboard open ${name}, Environment, ${state.key}, and ${was}; or run: ${session.line('rollback', { services: [name] })}`,
        cause: error,
      },
    );
  }
}

/** After a proof: the record gets the version on evidence of it only; the note goes in any case. */
export async function writeDown(
  session: Session,
  plan: Plan,
  deploy: Deploy,
  by: Evidence,
): Promise<void> {
  const { state, target, before, kind } = plan;
  if (!state.isPinned) return;
  const { version } = target;
  const isKnown = kind === 'back' && deploy.id === before.live?.id;
  const isEvident = version !== undefined && by !== 'health' && !isKnown;
  const how = by === 'answer' || by === 'deploy' ? { how: by } : {};
  const proven = isEvident ? { version, deploy: deploy.id, ...how } : undefined;
  const what = proven
    ? `${version} is proven, but could not be written down`
    : 'the note of this deploy could not be removed';
  await orWarn(session, `${state.service.name}: ${what}`, () => settle(session, plan, proven));
}

/**
 * Takes the note out of the record and, on evidence of the version, writes down that it is proven. A
 * note of somebody else stays, and so does what others have proven meanwhile.
 */
export async function settle(
  { client, run, actor }: Session,
  { state, before, kind }: Plan,
  proven: Omit<Proven, 'by'> | undefined,
): Promise<void> {
  const fresh = await freshRecord(client, state);
  const isOurs = fresh.pending === undefined || fresh.pending.run === run;
  let record: ServiceRecord = isOurs ? { ...fresh, pending: undefined } : fresh;
  if (proven === undefined) {
    const isAsBefore = isOurs && renderRecord(record) === renderRecord(before.record);
    const text = isAsBefore && state.record.pending === undefined ? before.recordText : undefined;
    return write(text ?? renderRecord(record));
  }
  // What was serving before bootlace came has a place to go back to as well.
  const { version, live } = before;
  if (kind !== 'back' && version !== undefined && live && version !== proven.version)
    if (!record.proven.some(item => item.version === version))
      record = withProven(record, { version, deploy: live.id });
  record = withProven(record, { ...proven, ...(actor !== undefined && { by: actor }) });
  return write(renderRecord(record));

  function write(text: string | undefined): Promise<void> {
    return client.setVariable(state.service.id, recordKey, text, restoreMs);
  }
}

/**
 * Marks this run's note as left, so that the next run goes on at once. Best effort, and after Ctrl-C,
 * too: a note that cannot be marked keeps others out until its time is over, or --steal.
 */
export async function leaveNote(
  { lastClient, run }: Session,
  { state }: Plan,
  progress: DeployProgress,
): Promise<void> {
  if (!progress.hasNote) return;
  const { id } = state.service;
  try {
    const record = parseRecord(await lastClient.variable(id, recordKey, lastWordMs));
    if (record.pending?.run !== run || record.pending.left) return;
    const text = withNote(record, { ...record.pending, left: true });
    await lastClient.setVariable(id, recordKey, text, lastWordMs);
  } catch (error) {
    if (!(error instanceof BootlaceError)) throw error;
  }
}

/** GitHub leaves a canceled job about ten seconds. */
const lastWordMs = 5_000;

async function freshRecord(client: RenderClient, { service }: ServiceState) {
  return parseRecord(await client.variable(service.id, recordKey));
}

function withNote(record: ServiceRecord, note: DeployNote): string | undefined {
  return renderRecord({ ...record, pending: note });
}

function locked(session: Session, name: string, why: string): DeployError {
  return new DeployError('DEPLOY_LOCKED', `${name}: ${why}; nothing was changed`, {
    fix: `wait for its end, or take the service over: ${session.line(undefined, {})} --steal`,
  });
}

function takenOver(name: string, note: DeployNote | undefined): DeployError {
  const { by = 'somebody else', to } = note ?? {};
  return new DeployError(
    'DEPLOY_TAKEN_OVER',
    `${name}: ${by} has taken it over and deploys ${to}; it stays as it is`,
    { fix: `see what became of it: npx bootlace services ${name}` },
  );
}

/**
 * Switches autodeploy off, or on again. A trigger that is on already stays as it is, such as
 * `checksPass`. The API's PATCH knows yes and no alone, so another trigger than before is said.
 */
export async function switchAutoDeploy(
  session: Session,
  state: ServiceState,
  hold: boolean,
): Promise<void> {
  const { client } = session;
  const { service, isPinned } = state;
  const isOn = service.autoDeploy !== 'off';
  if (isOn !== hold) return;
  const record = isPinned ? await freshRecord(client, state) : emptyRecord;
  const { held, ...rest } = record;
  const write = (next: ServiceRecord) =>
    client.setVariable(service.id, recordKey, renderRecord(next));
  if (hold) {
    if (isPinned) await write({ ...record, held: service.autoDeploy });
    return client.setAutoDeploy(service.id, false);
  }
  await client.setAutoDeploy(service.id, true);
  const { autoDeploy } = await client.service(service.id);
  if (held && held !== autoDeploy)
    session.warn(
      `${service.name}: autodeploy is on again (${autoDeploy}); before --hold it was ${held}, which the API cannot set: choose it in the Render dashboard`,
    );
  if (held) await write(rest);
}
