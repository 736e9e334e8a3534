import type { Io } from './io';
import type { Redactor } from './ui/redact';
import type { Reporter } from './ui/reporter';

export type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** What a command gets, and hands on to what it calls. */
export interface Context {
  io: Io;
  report: Reporter;
  redactor: Redactor;
  flags: Flags;
  positionals: readonly string[];
  /** What follows --, for the backend. */
  rest: readonly string[];
  /** The folder to work in, absolute. */
  dir: string;
  /** Aborted by SIGINT and SIGTERM while the command runs. */
  signal: AbortSignal;
  /** This bootlace's version. */
  version: string;
  /** The folder of the bundles. */
  dist: string;
}
