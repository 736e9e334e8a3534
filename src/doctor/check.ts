import { BootlaceError } from '../errors';

/** One line of what doctor says. */
export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  text: string;
  fix?: string;
  code?: string;
  exitCode?: number;
}

export function ok(name: string, text: string): Check {
  return { name, state: 'ok', text };
}

export function warned(name: string, text: string, fix?: string): Check {
  return { name, state: 'warn', text, fix };
}

/** A failure as a line, with its own fix. @throws any error that is not a BootlaceError */
export function failed(name: string, error: unknown): Check {
  if (!(error instanceof BootlaceError)) throw error;
  const { code, exitCode, fix, message } = error;
  return { name, state: 'fail', text: `${code}: ${message}`, fix, code, exitCode };
}
