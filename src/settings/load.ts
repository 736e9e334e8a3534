import { join } from 'node:path';
import type { Io } from '../io';
import { parseConfig } from './config-file';
import { readDotenv } from './dotenv-file';
import { readText } from './read-text';
import type { SettingSources } from './settings';

/**
 * Reads the folder's .env, package.json and bootlace.json; a missing file is an empty one.
 * @throws SettingError when a file, other than an unreadable .env, cannot be read or understood
 */
export function loadSources(
  dir: string,
  flags: SettingSources['flags'],
  env: Io['env'],
): SettingSources {
  const { values, unreadable } = readDotenv(dir);
  return {
    flags,
    env,
    dotenv: values,
    unreadable,
    config: parseConfig({
      packageJson: readText(join(dir, 'package.json')),
      bootlaceJson: readText(join(dir, 'bootlace.json')),
    }),
  };
}
