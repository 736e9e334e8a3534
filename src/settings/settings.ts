import { SettingError } from '../errors';
import type { Io } from '../io';
import { Secret } from '../secret';
import { type Definition, definitions, type SettingName } from './definitions';
import { isQuoted } from './dotenv-file';
import { type Memory, parseMemory } from './memory';
import { parsePackageName } from './package-name';
import { refused } from './refused';
import { parseRegistryUrl } from './registry-url';
import { parseVersionWish, type VersionWish } from './version-wish';
import { nameHere } from './where-set';
import { literal, splitWords } from './words';

/** A value that remembers where it came from, such as `BACKEND_VERSION in .env`. */
export interface Setting<T> {
  readonly value: T;
  readonly from: string;
}

type Installer = 'bootlace' | 'npm';

export interface Settings {
  readonly package: Setting<string>;
  readonly version: Setting<VersionWish>;
  /** undefined: no one asked for a registry, so .npmrc and the defaults decide. */
  readonly registry: Setting<string> | undefined;
  readonly tokenEnv: Setting<string>;
  readonly token: Setting<Secret> | undefined;
  /** The token may travel over plain http. */
  readonly insecure: Setting<boolean>;
  readonly entry: Setting<string> | undefined;
  readonly args: Setting<readonly string[]> | undefined;
  /** auto, off, or a budget in MB. */
  readonly memory: Setting<Memory>;
  readonly scripts: Setting<readonly string[]>;
  readonly installer: Setting<Installer>;
  readonly slim: Setting<boolean>;
}

/** Everything that settings are read from, in the order of precedence. */
export interface SettingSources {
  flags: Readonly<Record<string, unknown>>;
  env: Io['env'];
  dotenv: Readonly<Record<string, string | undefined>>;
  /** Why .env could not be read. */
  unreadable?: SettingError;
  config: { readonly values: Readonly<Record<string, unknown>>; readonly file: string };
}

type Raw = Partial<Record<SettingName, Setting<unknown>>>;

/** The first source that names each setting wins. Pure; checks nothing. */
export function collectSettings({ flags, env, dotenv, config }: SettingSources): Raw {
  const raw: Raw = {};
  for (const key of Object.keys(definitions) as SettingName[]) {
    const definition: Definition = definitions[key];
    // A blank variable is unset, but a blank pin is a mistake that must not become `latest`.
    const isSet = (value: string | undefined) =>
      value !== undefined && (key === 'version' || value.trim() !== '');
    if (flags[definition.flag] !== undefined)
      raw[key] = { value: flags[definition.flag], from: `--${definition.flag}` };
    else if (isSet(env[definition.env]))
      raw[key] = { value: env[definition.env], from: definition.env };
    else if (isSet(dotenv[definition.env]))
      raw[key] = { value: dotenv[definition.env], from: `${definition.env} in .env` };
    else if (config.values[key] !== undefined)
      raw[key] = { value: config.values[key], from: `"${key}" in ${config.file}` };
  }
  return raw;
}

/**
 * Checks every setting once.
 * @throws SettingError whose code and fix name the setting
 */
export function readSettings(sources: SettingSources): Settings {
  const raw = collectSettings(sources);
  const named = <T>(key: SettingName, parse: (text: string, name: string) => T) => {
    const setting = raw[key];
    if (!setting) return undefined;
    const { value, from } = setting;
    if (from === definitions[key].env && isQuoted(String(value))) throw quoted(from);
    return { value: parse(String(value), from.replace(/ in \.env$/, '')), from };
  };
  const packageName = named('package', parsePackageName);
  if (!packageName)
    throw (
      sources.unreadable ??
      new SettingError('PACKAGE_MISSING', 'no backend package is named', {
        fix: 'set BACKEND_PACKAGE, for example BACKEND_PACKAGE=@acme/backend',
      })
    );
  const from = 'default';
  const tokenEnv = named('tokenEnv', parseVariableName) ?? { value: 'NPM_TOKEN', from };
  return Object.freeze({
    package: packageName,
    version: named('version', parseVersionWish) ?? { value: { kind: 'tag', tag: 'latest' }, from },
    registry: named('registry', parseRegistryUrl),
    tokenEnv,
    token: readToken(sources, tokenEnv.value),
    insecure: named('insecure', parseSwitch) ?? { value: false, from },
    entry: named('entry', parseEntry),
    args: readArgs(raw.args),
    memory: named('memory', parseMemory) ?? { value: 'auto', from },
    scripts: named('scripts', parseNames) ?? { value: [], from },
    installer: named('installer', parseInstaller) ?? { value: 'bootlace', from },
    slim: named('slim', parseSwitch) ?? { value: false, from },
  } satisfies Settings);
}

/** The value is not repeated: it may be the token. */
function quoted(name: string): SettingError {
  return new SettingError('VALUE_QUOTED', `the value of ${name} is in quotes`, {
    fix: `set ${name} without quotes; docker's --env-file keeps them`,
  });
}

/** The token alone, for a check where another setting is wrong. @throws SettingError */
export function tokenOf(sources: SettingSources): { name: string; token: Settings['token'] } {
  const { value, from } = collectSettings(sources).tokenEnv ?? { value: 'NPM_TOKEN', from: '' };
  const name = parseVariableName(String(value), from);
  return { name, token: readToken(sources, name) };
}

/** The token of the variable that holds it, from the environment or .env. */
function readToken(
  { env, dotenv }: Pick<SettingSources, 'env' | 'dotenv'>,
  name: string,
): Setting<Secret> | undefined {
  for (const [values, from] of [
    [env, name],
    [dotenv, `${name} in .env`],
  ] as const) {
    const value = values[name]?.trim();
    if (!value) continue;
    if (isQuoted(value)) throw quoted(from);
    // A header cannot carry these, and an error about the header would print the value.
    if (/[^\x21-\x7e]/.test(value))
      throw new SettingError('TOKEN_MALFORMED', `${from} holds blanks or control characters`, {
        fix: `set ${nameHere(name, env)} again, as one word without quotes or line ends`,
      });
    return { value: new Secret(value), from };
  }
  return undefined;
}

function parseVariableName(text: string, name: string): string {
  const wanted = text.trim();
  if (/^(gh[a-z]_|github_pat_|npm_[A-Za-z0-9]{20})/.test(wanted) || !/^[A-Za-z_]\w*$/.test(wanted))
    throw new SettingError('TOKEN_ENV_INVALID', `${name} is not the name of a variable`, {
      fix: `set ${name} to a name such as NPM_TOKEN, and that variable to the token`,
    });
  return wanted;
}

function parseEntry(text: string, name: string): string {
  const wanted = text.trim();
  if (/[\0\n\r]|^[\\/]|^[a-z]:[\\/]|(^|[\\/])\.\.([\\/]|$)/i.test(wanted)) {
    const fix = `set ${name} to a file in the package such as dist/main.js, a bin's name, or an export such as ./worker`;
    throw refused('ENTRY_OUTSIDE', name, wanted, 'is outside the package', fix);
  }
  return wanted;
}

function parseNames(text: string, name: string): string[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(item => parsePackageName(item, name));
}

function parseInstaller(text: string, name: string): Installer {
  const wanted = text.trim().toLowerCase();
  if (wanted === 'bootlace' || wanted === 'npm') return wanted;
  throw refused(
    'INSTALLER_INVALID',
    name,
    text,
    'is no installer',
    `set ${name} to bootlace or npm`,
  );
}

function parseSwitch(text: string, name: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(wanted)) return true;
  if (['0', 'false', 'no', 'off'].includes(wanted)) return false;
  throw refused('SWITCH_INVALID', name, text, 'is neither on nor off', `set ${name} to 1 or 0`);
}

function readArgs(setting: Setting<unknown> | undefined): Setting<readonly string[]> | undefined {
  if (!setting) return undefined;
  if (Array.isArray(setting.value)) return { value: setting.value.map(String), from: setting.from };
  const words = splitWords(String(setting.value))?.map(literal);
  if (words?.every(word => word !== undefined))
    return { value: words as string[], from: setting.from };
  throw new SettingError('ARGS_INVALID', `${setting.from} needs a shell to be understood`, {
    fix: 'write plain words, with quotes around those that hold blanks or special characters',
  });
}
