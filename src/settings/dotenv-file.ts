import { join } from 'node:path';
import { SettingError } from '../errors';
import { readText } from './read-text';

/** Node's own parser, as of `node --env-file`; loaded with the first file, as most starts have none. */
function parseEnvText(text: string): Record<string, string | undefined> {
  return process.getBuiltinModule('node:util').parseEnv(text);
}

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
export function parseDotenv(text: string, file = '.env'): Record<string, string | undefined> {
  if (text.includes('\0')) throw invalid(file, 'is not a text file', 'write one NAME=value a line');
  const values = parseEnvText(text.replace(/^\uFEFF/, ''));
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
        if (taken && values[taken] === undefined) throw setsNothing(index, taken);
        isIn = !inner.includes(quote);
      }
      continue;
    }
    const name = /^\s*(?:export\s+|set\s+)?(BACKEND_\w+|NPM_TOKEN)\b/i.exec(line)?.[1];
    if (!name) continue;
    if (values[name] === undefined || value === undefined) throw setsNothing(index, name);
    if (isOpen)
      throw invalid(
        file,
        `line ${index + 1} opens a quote that it does not close`,
        `write it as ${name}=value`,
      );
  }
  return values;

  function setsNothing(index: number, name: string): SettingError {
    return invalid(
      file,
      `line ${index + 1} names ${name} and sets nothing`,
      `write it as ${name}=value`,
    );
  }
}

function invalid(file: string, what: string, fix: string): SettingError {
  return new SettingError('ENV_FILE_INVALID', `${file} ${what}`, { fix: `${fix} in ${file}` });
}
