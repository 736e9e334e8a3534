import type { Io } from '../io';
import type { Secret } from '../secret';
import { loadSources } from '../settings/load';
import { readAccess } from './access';
import { createRenderClient } from './client';
import type { LogLine } from './model';
import type { Pace } from './pace';
import { defaultLimits, type Limits, type Session } from './session';

/** What a command hands in to talk to Render. */
export interface Surroundings {
  dir: string;
  io: Pick<Io, 'env' | 'now' | 'sleep'>;
  signal: AbortSignal;
  addSecret: (secret: Secret | undefined) => void;
  say: (sentence: string) => void;
  warn: (sentence: string) => void;
  showLog: (title: string, lines: readonly LogLine[]) => void;
}

/**
 * Opens a session with the key from the environment or .env; asks nothing yet.
 * @throws SettingError of readAccess, or for a settings file that cannot be read
 */
export function openSession(
  surroundings: Surroundings,
  pace: Pace,
  limits: Partial<Limits> = {},
): Session {
  const { dir, io, signal, say, warn, showLog, addSecret } = surroundings;
  const access = readAccess({ ...loadSources(dir, {}, io.env).dotenv, ...io.env });
  addSecret(access.key);
  const client = createRenderClient({ access, io, signal, pace, onRetry: say });
  return { client, io, signal, say, warn, showLog, limits: { ...defaultLimits, ...limits } };
}
