import { join } from 'node:path';
import { SettingError } from '../errors';
import { readText } from './read-text';

/** dotenv's own parser, loaded with the first file: most starts have none. */
function parseEnvText(text: string): Record<string, string> {
  const { parse } = require('dotenv') as typeof import('dotenv');
  return parse(text);
}

/**
 * The values of a folder's .env; none when there is no such file.
 * @throws SettingError FILE_UNREADABLE or ENV_FILE_INVALID
 */
export function readDotenv(folder: string): Record<string, string> {
  const text = readText(join(folder, '.env'));
  return text === undefined ? {} : parseDotenv(text);
}

/**
 * Reads a .env text. dotenv passes over what it cannot read; a line that names one of our
 * variables and sets nothing is an error here, because a pin that is passed over becomes `latest`.
 * @throws SettingError ENV_FILE_INVALID, with the line's number and never its content
 */
export function parseDotenv(text: string, file = '.env'): Record<string, string> {
  if (text.includes('\0')) throw invalid(file, 'is not a text file', 'write one NAME=value a line');
  const values = parseEnvText(text.replace(/^\uFEFF/, ''));
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    const name = /^\s*(?:export\s+|set\s+)?(BACKEND_\w+|NPM_TOKEN)\b/i.exec(line)?.[1];
    if (!name) continue;
    const value = /^\s*(?:export\s+)?[\w.-]+\s*[=:]\s*(.*)$/.exec(line)?.[1];
    if (values[name] === undefined || value === undefined)
      throw invalid(
        file,
        `line ${index + 1} names ${name} and sets nothing`,
        `write it as ${name}=value`,
      );
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote && !closed(value, quote))
      throw invalid(
        file,
        `line ${index + 1} opens a quote that it does not close`,
        `write it as ${name}=value`,
      );
  }
  return values;
}

function closed(value: string, quote: string): boolean {
  return value.indexOf(quote, 1) > 0;
}

function invalid(file: string, what: string, fix: string): SettingError {
  return new SettingError('ENV_FILE_INVALID', `${file} ${what}`, { fix: `${fix} in ${file}` });
}
