import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Io } from '../../src/io';

export type Clock = Pick<Io, 'now' | 'sleep'>;

/** Time that passes only by sleeping, and then at once. */
export function fakeClock(start = Date.parse('2026-03-01T12:00:00Z')): Clock {
  let time = start;
  return {
    now: () => time,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      time += ms;
      await setImmediate();
      signal?.throwIfAborted();
    },
  };
}

/**
 * Real time, a number of times faster: what takes a minute takes seconds.
 * @param start when it began, for processes that share it
 */
export function fastClock(factor: number, start = Date.now()): Clock {
  return {
    now: () => start + (Date.now() - start) * factor,
    async sleep(ms, signal) {
      try {
        await setTimeout(ms / factor, undefined, { signal });
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
  };
}
