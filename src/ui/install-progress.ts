import { count, megabytes } from './text';

/** How far an install is. */
export interface InstallProgress {
  /** Tarballs that are unpacked, and of how many. */
  readonly done: number;
  readonly total: number;
  /** Bytes that came over the network. */
  readonly received: number;
}

interface ProgressOptions {
  /** Milliseconds. */
  readonly now: () => number;
  /** True where a line can be rewritten: it then changes ten times a second. */
  readonly isInteractive: boolean;
  readonly say: (sentence: string) => void;
}

const onTerminalMs = 100;
/** In a log a line every few seconds, none for an install that is over before. */
const inLogMs = 3000;

/** Turns the many states of an install into the few sentences that a reader can take. */
export function sayProgress({
  now,
  isInteractive,
  say,
}: ProgressOptions): (state: InstallProgress) => void {
  const begun = now();
  const every = isInteractive ? onTerminalMs : inLogMs;
  let last = begun;
  return ({ done, total, received }) => {
    const time = now();
    if (time - last < every) return;
    last = time;
    const rate = received / ((time - begun) / 1000);
    const traffic = received > 0 ? `, ${megabytes(received)}, ${megabytes(rate)}/s` : '';
    say(`installing ${done} of ${count(total, 'package')}${traffic}`);
  };
}
