import { BootlaceError, type FailureDetails } from '../../errors';
import { oneLine, type Service } from '../api/model';
import type { Session } from '../api/session';
import type { Plan } from './plan';

/**
 * How far a move has come. `pinning` and `creating`: a request is on its way whose answer is not known.
 */
export type Stage =
  | 'planned'
  | 'pinning'
  | 'pinned'
  | 'creating'
  | 'running'
  | 'live'
  | 'proven'
  | 'unproven'
  | 'bad'
  | 'back';

export interface DeployProgress {
  stage: Stage;
  deploy?: string;
  /** The deploy has ended, however. */
  isOver?: boolean;
  /** A note of this run may be in the service's record. */
  hasNote?: boolean;
  /** The way back has begun; what was changed before it still stands where it has not come far. */
  isGoingBack?: boolean;
  /** Migrations have run, which no way back undoes. */
  hasMigrated?: boolean;
}

/** A pin as a report names it. */
export function pinText(pin: string | undefined): string {
  return pin === undefined ? 'not set' : oneLine(pin);
}

/** The state that was left, and how to go on. */
export function describeProgress(
  { line }: Pick<Session, 'line'>,
  { kind, state, target, before, keepsPin }: Plan,
  { stage, deploy, isGoingBack }: DeployProgress,
): string {
  const { name } = state.service;
  const to = target.version;
  const was = `(it was ${pinText(before.pin)})`;
  const pinned = keepsPin ? '' : `${state.key} is ${to} ${was}, `;
  const command = kind === 'rollback' ? 'rollback' : 'deploy';
  const again = line(command, { version: keepsPin ? undefined : to });
  const rollback = line('rollback', { services: [name] });
  const back = to && command === 'deploy' ? `; to go back: ${rollback}` : '';
  const goOn = `to go on: ${again}${back}`;
  if (isGoingBack && stage !== 'back')
    return `${name}: going back to ${before.version ?? 'what was live'} was not finished; to go on: ${rollback}`;
  switch (stage) {
    case 'planned':
      return `${name}: nothing was changed; again: ${again}`;
    case 'pinning':
      return `${name}: ${keepsPin ? '' : `${state.key} may be ${to} already ${was}, `}nothing was deployed; ${goOn}`;
    case 'pinned':
      return `${name}: ${pinned}nothing was deployed; ${goOn}`;
    case 'creating':
      return `${name}: ${pinned}a deploy may have been created; ${goOn}`;
    case 'running':
      return `${name}: ${pinned}${deploy} goes on without us; ${goOn}`;
    case 'live':
    case 'unproven':
      return `${name}: ${pinned}${deploy} is live and not proven; ${goOn}`;
    case 'bad':
      return `${name}: ${pinned}${deploy ?? 'the deploy'} is bad; ${goOn}`;
    case 'proven':
      return `${name}: ${to ?? deploy} is live and proven${back}`;
    default:
      return `${name}: done (${deploy ?? 'nothing to deploy'})`;
  }
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
): BootlaceError {
  const message = [error.message, ...story].join('. ');
  return new (error.constructor as Family)(error.code, message, {
    fix: error.fix,
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
  version: string | undefined;
  previous: string | undefined;
  /** The version that was left again, or that is live and unproven. */
  failedVersion?: string | undefined;
  deploy: string | undefined;
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
  { name, id, type }: Service,
  url: string | undefined,
  version: string | undefined,
): ServiceResult {
  const nothing = { previous: undefined, deploy: undefined, outcome: 'untouched' } as const;
  return { service: name, id, type, version, url, ...nothing, proof: [] };
}
