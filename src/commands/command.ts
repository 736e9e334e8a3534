import type { ParseArgsConfig } from 'node:util';
import type { Io } from '../io';
import type { Redactor } from '../ui/redact';
import type { Reporter } from '../ui/reporter';

export type Flags = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** What a command gets. */
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

/** What a command hands back: the exit code, or the last act to do once everything is printed. */
export type Outcome = number | { finally: () => void };

export interface Command {
  usage: string;
  /** Lines for --help: flag and what it does. */
  help: readonly (readonly [string, string])[];
  options: NonNullable<ParseArgsConfig['options']>;
  /** How many words may follow the command's name; -1 for any. */
  positionals: number;
  /** What it starts gets the words after --. */
  takesRest?: true;
  /** With true, everything from the first word on belongs to the command (exec). */
  stopAtFirst?: boolean;
  run(context: Context): Promise<Outcome> | Outcome;
}
