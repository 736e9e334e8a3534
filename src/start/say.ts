import { writeSync } from 'node:fs';

/** Writes to stderr. Who cannot be told, as on a full disk or to a reader that is gone, is not. */
export function say(text: string): void {
  try {
    writeSync(2, text);
  } catch {}
}
