import { setTimeout } from 'node:timers/promises';
import { Secret } from './secret';

/** The outside world as the commands see it; tests hand in their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Writes to stdout: results, and nothing else under --json. */
  readonly out: (text: string) => void;
  /** Writes to stderr: progress, warnings, failures. */
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly nodeVersion: string;
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly execPath: string;
}

/** The real world. Read once, at the top of the program. */
export function realIo(): Io {
  return {
    env: { ...process.env },
    cwd: process.cwd(),
    out: text => process.stdout.write(text),
    err: text => process.stderr.write(text),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    now: Date.now,
    sleep: (ms, signal) =>
      setTimeout(ms, undefined, { signal }).catch(error => {
        signal?.throwIfAborted();
        throw error;
      }),
    nodeVersion: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    execPath: process.execPath,
  };
}

/** The value of a variable as a secret; undefined for a blank one. */
export function secretOf(env: Io['env'], name: string): Secret | undefined {
  const value = env[name]?.trim();
  return value ? new Secret(value) : undefined;
}
