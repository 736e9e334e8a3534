import { writeSync } from 'node:fs';

/** Writes to stderr. Best effort: a full disk or a closed pipe is ignored. */
export function say(text: string): void {
  try {
    writeSync(2, text);
  } catch {}
}
