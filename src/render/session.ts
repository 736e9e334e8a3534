import type { Io } from '../io';
import type { RenderClient } from './client';
import type { LogLine } from './model';

/** What the steps of a deploy share. */
export interface Session {
  readonly client: RenderClient;
  readonly io: Pick<Io, 'now' | 'sleep'>;
  readonly signal: AbortSignal;
  /** One calm sentence about what is going on. */
  readonly say: (sentence: string) => void;
  readonly warn: (sentence: string) => void;
  /** Lines of the service's own logs. */
  readonly showLog: (title: string, lines: readonly LogLine[]) => void;
  readonly limits: Limits;
}

/** All in milliseconds. */
export interface Limits {
  /** For a deploy, from its creation until it is live. */
  readonly deployMs: number;
  /** For the proof once it is live; a service's shutdown delay is added. */
  readonly proofMs: number;
  readonly pollMs: number;
}

export const defaultLimits: Limits = {
  // Render's own: build 120 min, pre-deploy 30, start 15.
  deployMs: 165 * 60_000,
  proofMs: 5 * 60_000,
  pollMs: 5_000,
};
