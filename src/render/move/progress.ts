import { BootlaceError, type FailureDetails } from '../../errors';
import { oneLine, type Service } from '../api/model';
import { fixInLog } from '../api/reason';
import { addressOf } from '../proof/address';
import type { Session } from '../session';
import type { Plan, Stage } from './plan';

/** A pin as a report names it. */
export function pinText(pin: string | undefined): string {
  return pin === undefined ? 'not set' : oneLine(pin);
}

/** What became of the pin on a way back; empty where it was never touched. */
export function restoredText(
  { state: { key, isPinned }, before: { pin }, keepsPin }: Plan,
  isOurs: boolean,
): string {
  if (!isPinned || keepsPin) return '';
  if (!isOurs) return `${key} stays as somebody else set it`;
  return pin === undefined ? `${key} is unset as before` : `${key} is ${pinText(pin)} again`;
}

/** The state that was left, and how to go on. */
export function describeProgress(
  { line }: Pick<Session, 'line'>,
  { kind, state, target, before, keepsPin, progress }: Plan,
): string {
  const { name } = state.service;
  const { stage, deploy, isGoingBack } = progress;
  const to = target.version;
  const rollback = line('rollback', { services: [name] });
  if (isGoingBack && stage !== 'back')
    return `${name}: going back to ${before.version ?? 'what was live'} was not finished; to go on: ${rollback}`;
  const again = line(undefined, { version: keepsPin ? undefined : to });
  const back = to && kind === 'deploy' ? `; to go back: ${rollback}` : '';
  const texts: Record<Stage, string> = {
    planned: 'nothing was changed',
    pinning: 'nothing was deployed',
    pinned: 'nothing was deployed',
    creating: 'a deploy may have been created',
    running: `${deploy} goes on without us`,
    live: `${deploy} is live and not proven`,
    unproven: `${deploy} is live and not proven`,
    bad: `${deploy ?? 'the deploy'} is bad`,
    proven: `${to ?? deploy} is live and proven${back}`,
    back: `done (${deploy ?? 'nothing to deploy'})`,
  };
  const text = texts[stage];
  if (stage === 'planned') return `${name}: ${text}; again: ${again}`;
  if (stage === 'proven' || stage === 'back') return `${name}: ${text}`;
  const now = stage === 'pinning' ? `may be ${to} already` : `is ${to}`;
  const pinned = keepsPin ? '' : `${state.key} ${now} (it was ${pinText(before.pin)}), `;
  return `${name}: ${pinned}${text}; to go on: ${again}${back}`;
}

/**
 * What to do about a deploy that failed. A published version cannot be corrected: only what the service
 * is at fault for ends with the same command.
 * @param lastLines the end of its log; a fix of bootlace's own in it comes first
 */
export function failedFix(
  { line }: Pick<Session, 'line'>,
  { state: { service, isPinned }, keepsPin, target }: Plan,
  lastLines: readonly string[],
): string {
  const again = line(undefined, { version: keepsPin ? undefined : target.version });
  const own = fixInLog(lastLines);
  if (!own && !isPinned) return `correct the code or the service, then run: ${again}`;
  if (!own)
    return `if the package is at fault, publish a corrected version and deploy that; else correct the service and run: ${again}`;
  const where = /\b[A-Z]+_[A-Z]/.test(own)
    ? ` (variables: on Render, the Environment page of ${service.name})`
    : '';
  return `its log says: ${own}${where}; then deploy the version that you publish, or, if you publish none, run: ${again}`;
}

/** How to prove what is live and shows no version. */
export function unprovenFix({ proof }: Pick<Session, 'proof'>, again: string): string {
  return proof.place
    ? `prove it: ${again}; or without the version: ${again} --health-only`
    : `prove it where it shows its version: ${again} --expect-json /version (or --expect-header NAME, or --health-only)`;
}

/** For what comes after the proof: its failure must not undo what is proven. */
export async function orWarn(
  session: Pick<Session, 'warn'>,
  sentence: string,
  act: () => Promise<void>,
): Promise<void> {
  const error = await failureIn(act);
  if (error) session.warn(`${sentence}: ${error.message}`);
}

/** The expected failure of an act; undefined when it succeeds. */
export async function failureIn(act: () => Promise<void>): Promise<BootlaceError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof BootlaceError) return error;
    throw error;
  }
}

type Family = new (code: string, message: string, details: FailureDetails) => BootlaceError;

/** The same failure with more of the story in its sentence and its facts. */
export function withStory(
  error: BootlaceError,
  story: readonly string[],
  facts: Record<string, unknown> = {},
  fix = error.fix,
): BootlaceError {
  const message = [error.message, ...story].join('. ');
  return new (error.constructor as Family)(error.code, message, {
    fix,
    facts: { ...error.facts, ...facts },
    cause: error,
  });
}

/** What became of one service; the rows of every report. */
export interface ServiceResult {
  service: string;
  id: string;
  type: string;
  /** What is live now, where that is known; what was asked for while nothing was done yet. */
  version?: string | undefined;
  previous?: string | undefined;
  /** The version that was left again, or that is live and unproven. */
  failedVersion?: string | undefined;
  deploy?: string | undefined;
  url: string | undefined;
  outcome:
    | 'untouched'
    | 'planned'
    | 'already live'
    | 'deployed'
    | 'triggered'
    | 'rolled back'
    | 'unproven'
    | 'undone'
    | 'failed'
    | 'interrupted';
  /** Why it did not end well. */
  reason?: string | undefined;
  /** What was seen, one sentence each. */
  proof: readonly string[];
}

/** The row of a service to which nothing was done yet. */
export function newResult(
  { proof }: Pick<Session, 'proof'>,
  service: Service,
  version?: string,
): ServiceResult {
  const { name, id, type } = service;
  const url = addressOf(service, proof)?.url;
  return { service: name, id, type, version, url, outcome: 'untouched', proof: [] };
}
