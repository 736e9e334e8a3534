import { BootlaceError, DeployError } from '../../errors';
import type { Deploy } from '../api/model';
import { quiet } from '../api/reason';
import type { Evidence } from '../proof/prove';
import type { Session } from '../session';
import { type Plan, sinceOf } from './plan';
import { orWarn, pinText } from './progress';
import {
  type DeployNote,
  emptyRecord,
  type Proven,
  parseRecord,
  recordKey,
  renderRecord,
  type ServiceRecord,
  withLeft,
  withProven,
} from './record';
import type { ServiceState } from './state';

// What is written to a service: the pin's variable, and BOOTLACE_RECORD beside it on a service that has
// a pin; nothing on any other. The record is read again before each writing, since two runs may write it.

/** Putting things back is tried for longer than anything else. */
const restoreMs = 10 * 60_000;

/**
 * Refuses to touch a service that another run may be deploying.
 * @throws DeployError DEPLOY_LOCKED
 */
export function checkLock(session: Session, { service, record }: ServiceState): void {
  const { pending } = record;
  if (session.steal || !pending || !isLocked(session, pending)) return;
  const { by = 'somebody else', at, to } = pending;
  const minutes = Math.max(0, Math.round((session.io.now() - Date.parse(at ?? '')) / 60_000));
  throw locked(session, service.name, `${by} has been deploying ${to} for ${minutes} min`);
}

/** True for the note of another run that may be at work now. */
function isLocked({ run, io }: Session, note: DeployNote): boolean {
  if (note.left || note.run === undefined || note.run === run) return false;
  return Date.parse(note.until ?? '') > io.now();
}

/**
 * Brings the variables to what a move needs: first the note of what was there, so that an
 * interruption anywhere later can be picked up, then the pin.
 * @throws DeployError DEPLOY_LOCKED with nothing changed
 */
export async function writePin(session: Session, plan: Plan): Promise<void> {
  const { state, target, progress } = plan;
  if (!state.isPinned || target.version === undefined) return;
  await claim(session, plan);
  if (!plan.keepsPin && state.pin !== target.pin)
    await session.client.setVariable(state.service.id, state.key, target.pin);
  progress.stage = 'pinned';
}

/** Writes this run's note, and makes sure that no other run wrote one at the same time. */
async function claim(session: Session, plan: Plan): Promise<void> {
  const { progress, state } = plan;
  const { service, record } = state;
  const lost = ({ pending }: ServiceRecord) =>
    locked(session, service.name, `${pending?.by ?? 'somebody else'} began just now`);
  const now = await readRecord(session, state);
  if (renderRecord(now) !== renderRecord(record)) throw lost(now);
  Object.assign(progress, { hasNote: true, stage: 'pinning' });
  const text = renderRecord({ ...record, pending: noteOf(session, plan) });
  await session.client.setVariable(service.id, recordKey, text);
  const written = await readRecord(session, state);
  if (written.pending?.run === session.run) return;
  Object.assign(progress, { hasNote: false, stage: 'planned' });
  throw lost(written);
}

function noteOf(session: Session, plan: Plan): DeployNote {
  const { before, target, kind, leaves = '', progress } = plan;
  const { deployMs, proofMs } = session.limits;
  const now = session.io.now();
  return {
    to: kind === 'back' ? leaves : (target.version ?? ''),
    run: session.run,
    by: session.by,
    at: new Date(now).toISOString(),
    until: new Date(now + deployMs + proofMs).toISOString(),
    since: sinceOf(plan),
    pin: before.pin ?? null,
    live: before.deploy?.id,
    own: kind === 'back' ? progress.deploy : undefined,
    ...(plan.keepsPin && { keepsPin: true }),
    ...(kind === 'rollback' && { isRollback: true }),
  };
}

/**
 * Puts the pin back as it was; one that was not set is deleted again. A pin that somebody else has
 * changed since is left alone. The note stays, with our deploy's id in it, until settle.
 * @returns false when somebody else changed the pin
 * @throws DeployError UNDO_FAILED that names what stands now; DEPLOY_TAKEN_OVER
 */
export async function restorePin(session: Session, plan: Plan): Promise<boolean> {
  const { state, before, leaves, progress } = plan;
  const { id, name } = state.service;
  const { client } = session;
  if (!state.isPinned || leaves === undefined) return true;
  try {
    const fresh = await readRecord(session, state);
    const { pending } = fresh;
    if (pending && isLocked(session, pending) && !(session.steal && plan.isAsked))
      throw takenOver(name, pending);
    progress.hasNote = true;
    const text = renderRecord({ ...fresh, pending: noteOf(session, plan) });
    await client.setVariable(id, recordKey, text, restoreMs);
    const now = await client.variable(id, state.key);
    if (now === before.pin) return true;
    if (now !== leaves) {
      session.warn(`${name}: somebody else has set ${state.key} meanwhile; it stays`);
      return false;
    }
    await client.setVariable(id, state.key, before.pin, restoreMs);
    return true;
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
  const isKnown = kind === 'back' && deploy.id === before.deploy?.id;
  if (version === undefined || by === 'health' || isKnown) return forget(session, plan);
  const how = by === 'start line' ? {} : { how: by };
  const proven = { version, deploy: deploy.id, ...how };
  const what = `${state.service.name}: ${version} is proven, but could not be written down`;
  await orWarn(session, what, () => settle(session, plan, proven));
}

/** Removes the note of a deploy from the record. */
export async function forget(session: Session, plan: Plan): Promise<void> {
  const { isPinned, service } = plan.state;
  if (!isPinned) return;
  const what = `${service.name}: the note of this deploy could not be removed`;
  await orWarn(session, what, () => settle(session, plan, undefined));
}

/**
 * Takes the note out of the record and writes down what is proven. A note of somebody else stays, and
 * so does what others have proven meanwhile.
 */
async function settle(
  session: Session,
  { state, before, target, kind, leaves, isAsked }: Plan,
  proven: Omit<Proven, 'by'> | undefined,
): Promise<void> {
  const { run, actor } = session;
  const fresh = await readRecord(session, state);
  const isOurs = fresh.pending === undefined || fresh.pending.run === run;
  let record: ServiceRecord = isOurs ? { ...fresh, pending: undefined } : fresh;
  if (isAsked) record = withLeft(record, leaves);
  if (kind === 'rollback' && (proven || isAsked))
    record = withLeft(record, before.version, target.version);
  if (proven) {
    // What was serving before bootlace came has a place to go back to as well.
    const { version, deploy: live } = before;
    const isNew = version !== proven.version && !record.proven.some(p => p.version === version);
    if (kind === 'deploy' && version !== undefined && live && isNew)
      record = withProven(record, { version, deploy: live.id });
    record = withProven(record, { ...proven, ...(actor !== undefined && { by: actor }) });
  }
  const { id } = state.service;
  await session.client.setVariable(id, recordKey, renderRecord(record), restoreMs);
}

/**
 * Marks this run's note as left, so that the next run goes on at once. Best effort, and after Ctrl-C,
 * too: a note that cannot be marked keeps others out until its time is over, or --steal.
 */
export async function leaveNote(
  { lastClient, run }: Session,
  { state, progress }: Plan,
): Promise<void> {
  if (!progress.hasNote) return;
  const { id } = state.service;
  try {
    const record = parseRecord(await lastClient.variable(id, recordKey, lastWordMs));
    if (record.pending?.run !== run || record.pending.left) return;
    const text = renderRecord({ ...record, pending: { ...record.pending, left: true } });
    await lastClient.setVariable(id, recordKey, text, lastWordMs);
  } catch (error) {
    quiet(error, undefined);
  }
}

/** GitHub leaves a canceled job about ten seconds. */
const lastWordMs = 5_000;

async function readRecord({ client }: Session, { service }: ServiceState): Promise<ServiceRecord> {
  return parseRecord(await client.variable(service.id, recordKey));
}

function locked(session: Session, name: string, why: string): DeployError {
  return new DeployError('DEPLOY_LOCKED', `${name}: ${why}; nothing was changed`, {
    fix: `wait for its end, or take the service over: ${session.line(undefined, {})} --steal`,
  });
}

function takenOver(name: string, { by = 'somebody else', to }: DeployNote): DeployError {
  return new DeployError(
    'DEPLOY_TAKEN_OVER',
    `${name}: ${by} has taken it over and deploys ${to}; it stays as it is`,
    { fix: `see what became of it: npx bootlace services ${name}` },
  );
}

/**
 * Switches autodeploy off, or on again. A trigger that is on already stays as it is, such as
 * `checksPass`. The API's PATCH knows yes and no alone, so another trigger than before is said. A failure
 * is a warning: it must not undo what is proven.
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
  await orWarn(session, `${service.name}: autodeploy could not be switched`, async () => {
    const record = isPinned ? await readRecord(session, state) : emptyRecord;
    const write = (held: ServiceRecord['held']) =>
      client.setVariable(service.id, recordKey, renderRecord({ ...record, held }));
    if (hold && isPinned) await write(service.autoDeploy);
    await client.setAutoDeploy(service.id, !hold);
    const { held } = record;
    if (hold || !held) return;
    const { autoDeploy } = await client.service(service.id);
    if (held !== autoDeploy)
      session.warn(
        `${service.name}: autodeploy is on again (${autoDeploy}); before --hold it was ${held}, which the API cannot set: choose it in the Render dashboard`,
      );
    await write(undefined);
  });
}
