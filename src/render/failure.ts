import type { BootlaceError, FailureDetails } from '../errors';

type Family = new (code: string, message: string, details: FailureDetails) => BootlaceError;

/** The same failure with more of the story in its sentence and its facts. */
export function withStory(
  error: BootlaceError,
  story: readonly string[],
  facts: Record<string, unknown>,
): BootlaceError {
  const message = [error.message, ...story].join('. ');
  return new (error.constructor as Family)(error.code, message, {
    fix: error.fix,
    facts: { ...error.facts, ...facts },
    cause: error,
  });
}
