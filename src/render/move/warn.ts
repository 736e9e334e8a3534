import { BootlaceError, type FailureDetails } from '../../errors';
import type { Session } from '../api/session';

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
