import { setFlagsFromString } from 'node:v8';

/**
 * Sets V8 up for what an install is: a second of work on two threads, nearly all of whose memory is
 * garbage a moment later. For the whole process, so only where nothing else will run in it.
 */
export function tuneForInstall(nodeVersion: string): void {
  // V8 would let tens of megabytes of garbage gather before it looks.
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--semi-space-growth-factor=1');
  // It would begin to mark a heap of 10 MB, step by step, that is thrown away a moment later.
  setFlagsFromString('--no-incremental-marking');
  // Compiling less takes less of the two processors. An unknown flag would show on stderr, so only
  // where it has been seen to work.
  const major = Number.parseInt(nodeVersion, 10);
  if (major >= 22 && major <= 26) setFlagsFromString('--efficiency-mode');
}
