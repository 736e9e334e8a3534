import type { Io } from '../io';

const minuteMs = 60_000;

/** How many calls of a kind may begin within any minute. */
export interface Pace {
  reads: number;
  /** POSTs: Render allows ten deploys a minute. */
  posts: number;
}

/** Below 60 and 10, what one deploy may cost at most. */
export const deployPace: Pace = { reads: 55, posts: 8 };
/** For looking at many services; Render allows 400 reads a minute. */
export const lookPace: Pace = { reads: 200, posts: 8 };

/** Waits where a call would be one too many within a minute. */
export function createPacer(
  pace: Pace,
  io: Pick<Io, 'now' | 'sleep'>,
): (method: string, signal?: AbortSignal) => Promise<void> {
  const begun: Record<keyof Pace, number[]> = { reads: [], posts: [] };
  return async (method, signal) => {
    const kind = method === 'GET' ? 'reads' : method === 'POST' ? 'posts' : undefined;
    if (!kind) return;
    const times = begun[kind];
    while (times.length >= pace[kind]) {
      const waitMs = (times[0] as number) + minuteMs - io.now();
      if (waitMs <= 0) times.shift();
      else await io.sleep(waitMs, signal);
    }
    times.push(io.now());
  };
}
