import { readFileSync } from 'node:fs';
import { SettingError, systemCode } from '../errors';

/** A settings file's text, or undefined when there is none. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SettingError('FILE_UNREADABLE', `cannot read ${file} (${code})`, {
      fix: code === 'EISDIR' ? `${file} is a folder: move it away` : `make ${file} readable`,
      cause: error,
    });
  }
}
