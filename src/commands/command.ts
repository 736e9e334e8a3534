import type { ParseArgsConfig } from 'node:util';
import type { Context } from '../context';

export type { Context, Flags } from '../context';

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
