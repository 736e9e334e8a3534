import { join } from 'node:path';
import { SettingError } from '../errors';
import { readText } from './read-text';

export interface Dotenv {
  values: Readonly<Record<string, string | undefined>>;
  /** A .env that cannot be read: a failure only where a variable is missing, else a warning. */
  unreadable?: SettingError;
}

/**
 * Reads a folder's .env; there are no values when there is no such file.
 * @throws SettingError ENV_FILE_INVALID
 */
export function readDotenv(folder: string): Dotenv {
  try {
    const text = readText(join(folder, '.env'));
    return { values: text === undefined ? {} : parseDotenv(text) };
  } catch (error) {
    if (!(error instanceof SettingError) || error.code !== 'FILE_UNREADABLE') throw error;
    return { values: {}, unreadable: error };
  }
}

/** True for a value in quotes, as `docker run --env-file` leaves it. */
export function isQuoted(value: string | undefined): boolean {
  return /^\s*(["']).*\1\s*$/s.test(value ?? '');
}

/**
 * Reads a .env text. Node passes over what it cannot read; a line that names one of our
 * variables and sets nothing is an error here, because a pin that is passed over becomes `latest`.
 * @throws SettingError ENV_FILE_INVALID, with the line's number and never its content
 */
export function parseDotenv(text: string): Record<string, string | undefined> {
  if (text.includes('\0')) throw invalid('is not a text file', 'write one NAME=value a line');
  // Node's own parser, loaded with the first file, as most starts have none.
  const { parseEnv } = process.getBuiltinModule('node:util');
  const values: Record<string, string | undefined> = parseEnv(text.replace(/^\uFEFF/, ''));
  const lines = text.split(/\r\n?|\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const [, key = '', value] = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    const quote = /^["'`]/.exec(value ?? '')?.[0];
    const isOpen = quote !== undefined && (value ?? '').indexOf(quote, 1) < 0;
    if (isOpen && values[key]?.includes('\n')) {
      // The lines of a value are no lines of the file, save where a quote that is not closed took a
      // setting in.
      for (let isIn = true; isIn && ++index < lines.length; ) {
        const inner = lines[index] ?? '';
        const taken = /^\s*(?:export\s+)?(BACKEND_\w+|NPM_TOKEN)\s*=/.exec(inner)?.[1];
        if (taken && values[taken] === undefined) throw wrongLine(index, taken);
        isIn = !inner.includes(quote);
      }
      continue;
    }
    const name = /^\s*(?:export\s+|set\s+)?(BACKEND_\w+|NPM_TOKEN)\b/i.exec(line)?.[1];
    if (!name) continue;
    if (values[name] === undefined || value === undefined) throw wrongLine(index, name);
    if (isOpen) throw wrongLine(index, name, 'opens a quote that it does not close');
  }
  return values;

  function wrongLine(index: number, name: string, what = `names ${name} and sets nothing`) {
    return invalid(`line ${index + 1} ${what}`, `write it as ${name}=value`);
  }
}

function invalid(what: string, fix: string): SettingError {
  return new SettingError('ENV_FILE_INVALID', `.env ${what}`, { fix: `${fix} in .env` });
}
