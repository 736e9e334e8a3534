import { SettingError } from '../errors';
import { isObject } from '../json';
import { definitions } from './definitions';

export interface Config {
  values: Record<string, unknown>;
  file: string;
}

const backendKeys = ['roles', 'requires', 'migrate', 'schedules', 'health'];
/** What a backend's own package.json may say in the same object (see docs/starting.md), an old name too. */
export const publisherKeys = [...backendKeys, 'release'];
const lists = ['args', 'scripts'];

/**
 * The settings of a folder: the `bootlace` object of its package.json, or bootlace.json.
 * @param texts the files' contents, undefined for a file that is not there
 * @throws SettingError CONFIG_INVALID, CONFIG_UNKNOWN_KEY, CONFIG_HOLDS_TOKEN or CONFIG_TWICE
 */
export function parseConfig(texts: { packageJson?: string; bootlaceJson?: string }): Config {
  const fromPackage = readObject(texts.packageJson, 'package.json')?.bootlace;
  const fromFile = readObject(texts.bootlaceJson, 'bootlace.json');
  if (fromPackage !== undefined && fromFile !== undefined)
    throw new SettingError('CONFIG_TWICE', 'both package.json and bootlace.json hold settings', {
      fix: 'keep one: move the "bootlace" object of package.json into bootlace.json',
    });
  if (fromFile) return { values: check(fromFile, 'bootlace.json'), file: 'bootlace.json' };
  return { values: check(fromPackage ?? {}, 'package.json'), file: 'package.json' };
}

function readObject(text: string | undefined, file: string): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return objectOf(JSON.parse(text.replace(/^\uFEFF/, '')), file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SettingError('CONFIG_INVALID', `${file} is not JSON: ${place(error, text)}`, {
      fix: `correct ${file}`,
    });
  }
}

/** Where the parser stopped; its message may quote the text, which may hold a secret. */
function place(error: Error, text: string): string {
  const at = /position (\d+)/.exec(error.message)?.[1];
  if (at === undefined) return 'it ends too early';
  return `line ${text.slice(0, Number(at)).split('\n').length}`;
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new SettingError('CONFIG_INVALID', `${what} does not hold an object`, {
    fix: `write { "package": "@acme/backend" } in ${what}`,
  });
}

/**
 * What a backend's own `bootlace` object holds that nobody reads, such as a misspelled `roles`; an older
 * bootlace may meet a newer package, so the host says so and goes on.
 * @returns a sentence; undefined when every key is known
 */
export function sayUnknownKeys(value: unknown, name: string): string | undefined {
  const known = [...publisherKeys, ...Object.keys(definitions)];
  const unknown = Object.keys(isObject(value) ? value : {}).filter(key => !known.includes(key));
  if (unknown.length === 0) return undefined;
  const list = unknown.slice(0, 5).map(key => JSON.stringify(key.slice(0, 60)));
  return `the "bootlace" object of ${name}'s package.json holds ${list.join(', ')}, which nobody reads; it may hold ${backendKeys.join(', ')}`;
}

function check(value: unknown, file: string): Record<string, unknown> {
  const object = objectOf(value, file === 'package.json' ? '"bootlace" in package.json' : file);
  const known = Object.keys(definitions);
  const ofBackend =
    file === 'package.json' ? `; in the backend's own package.json: ${backendKeys.join(', ')}` : '';
  for (const [key, item] of Object.entries(object)) {
    if (publisherKeys.includes(key)) continue;
    if (/token$/i.test(key))
      throw new SettingError('CONFIG_HOLDS_TOKEN', `${file} holds "${key}"`, {
        fix: `take it out, revoke that token, and set a new one in the variable NPM_TOKEN`,
      });
    if (!known.includes(key))
      throw new SettingError(
        'CONFIG_UNKNOWN_KEY',
        `${file} holds "${key.slice(0, 60)}", which is no setting`,
        { fix: `use one of ${known.join(', ')}${ofBackend}` },
      );
    const fits =
      typeof item === 'string' ||
      (typeof item === 'number' && key === 'memory') ||
      (typeof item === 'boolean' && 'switch' in definitions[key as keyof typeof definitions]) ||
      (lists.includes(key) && Array.isArray(item) && item.every(word => typeof word === 'string'));
    if (!fits)
      throw new SettingError('CONFIG_INVALID', `"${key}" in ${file} has the wrong type`, {
        fix: `write it as a string${lists.includes(key) ? ' or a list of strings' : ''}`,
      });
  }
  return object;
}
