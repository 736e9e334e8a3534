import { systemCode } from '../errors';
import type { Io } from '../io';

interface RetryOptions {
  io: Pick<Io, 'now' | 'sleep'>;
  signal?: AbortSignal;
  /** No try begins later than this many milliseconds after the first. */
  deadlineMs: number;
  /** What a failure asks for: false to give up, or the wait in milliseconds, undefined for ours. */
  retryAfter: (error: unknown) => false | number | undefined;
  /** Told in one plain sentence before each wait. */
  onRetry?: (sentence: string) => void;
}

/**
 * Tries until it succeeds, the failure is final, or the next try would miss the deadline. A
 * Retry-After of the whole deadline still gets its second try.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const start = options.io.now();
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const asked = options.retryAfter(error);
      if (asked === false) throw error;
      const waitMs = asked ?? Math.min(500 * 2 ** tries, 10_000);
      const isFirst = tries === 0 && asked !== undefined;
      const passedMs = isFirst ? 0 : options.io.now() - start;
      if (passedMs + waitMs > options.deadlineMs) throw error;
      const seconds = Math.ceil(waitMs / 1000);
      options.onRetry?.(`${(error as Error).message}; trying again in ${seconds} s`);
      await options.io.sleep(waitMs, options.signal);
    }
  }
}

/** The wait in milliseconds that an answer asked for, beside its failure: it is no fact for the user. */
export const retryAfterOf = new WeakMap<Error, number | undefined>();

/** True for a fault of the set-up, such as a wrong certificate, which the next try meets again. */
export function isFinalFault(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|EPROTO|ERR_INVALID|UNSUPPORTED/.test(
    systemCode(error) ?? '',
  );
}

/**
 * Reads Retry-After: seconds, or a date.
 * @returns milliseconds from `now`, undefined when there is none that makes sense
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
