import { readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SettingError } from '../errors';
import { exportTarget, type PackageJson } from './entry';
import { readPackageJson } from './package-files';

/** Node flags of scripts.start, sorted by what they need. */
export interface NodeFlags {
  /** What --env-file names, in Node's order: read before anything else, and the last one wins. */
  readonly envFiles: readonly { readonly file: string; readonly must: boolean }[];
  /**
   * What else can be done in a process that already runs, in Node's order: each is awaited before
   * the next, and all before the entry.
   */
  readonly here: readonly (() => unknown)[];
  /** Flags that only a new process takes, as given; then all flags go there and `here` is unused. */
  readonly needProcess: boolean;
}

/**
 * Variables that Node, ICU, OpenSSL, libc or the loader read when a process begins: a new value needs a
 * new one. NODE_ENV, what the package config reads, and whether certificates count are looked at later.
 */
export const readAtStart =
  /^(NODE_(?!ENV$|CONFIG|APP_INSTANCE$|TLS_REJECT)|MALLOC_|LD_|GLIBC_|LC_|LANG$|OPENSSL_CONF$)/;

const envFile = /^--env-file(-if-exists)?$/;

/** Flags that are properties of process. */
const properties: Readonly<Record<string, string>> = {
  '--no-deprecation': 'noDeprecation',
  '--trace-deprecation': 'traceDeprecation',
  '--throw-deprecation': 'throwDeprecation',
};

/**
 * Sorts flags.
 * @param folder the package's folder, which relative paths start from (as under npm start)
 * @param canBecome true where a new process takes this one's place. Then imports go there: Node loads
 *   the entry in another way where it was given one (by the hooks that an import registers).
 */
export function sortNodeFlags(
  flags: readonly string[],
  folder: string,
  canBecome: boolean,
): NodeFlags {
  const here: (() => unknown)[] = [];
  const requires: (() => unknown)[] = [];
  const imports: (() => unknown)[] = [];
  const envFiles: { file: string; must: boolean }[] = [];
  let needProcess = false;
  for (let i = 0; i < flags.length; i++) {
    const [flag, inline] = splitFlag(flags[i] as string);
    const value = () => inline ?? flags[++i] ?? '';
    if (flag === '--enable-source-maps') here.push(() => process.setSourceMapsEnabled(true));
    else if (flag && Object.hasOwn(properties, flag))
      // Read-only where Node itself was given the flag.
      here.push(() => Reflect.set(process, properties[flag] as string, true));
    else if (flag === '--no-warnings') here.push(() => process.removeAllListeners('warning'));
    else if (flag === '-r' || flag === '--require') {
      const request = value();
      requires.push(() => preload(resolveFrom(request, folder, 'require')));
    } else if (flag === '--import') {
      const request = value();
      imports.push(() => import(resolveImport(request, folder)));
      needProcess ||= canBecome;
    } else if (envFile.test(flag)) {
      envFiles.push({ file: value(), must: flag === '--env-file' });
    } else needProcess = true;
  }
  return { envFiles, here: [...here, ...requires, ...imports], needProcess };
}

/** As Node does it for -r: what is loaded so has no parent and knows that it comes first. */
function preload(file: string): void {
  const { _preloadModules } = Module as unknown as { _preloadModules(files: string[]): void };
  _preloadModules([file]);
}

const flagOf = {
  require: /^(-r|--require)$/,
  import: /^--(import|loader|experimental-loader)$/,
  condition: /^(-C|--conditions)$/,
  path: /^--(openssl-config|icu-data-dir|snapshot-blob|allow-fs-(read|write))$/,
};

/**
 * Flags for a new process, which does not start in the package: what they name is resolved from
 * the package. Without the env files: what they say is in the environment by then, and a token among
 * it is not.
 */
export function absoluteFlags(flags: readonly string[], folder: string): string[] {
  const pairs: [name: string, value: string | undefined, isInline: boolean][] = [];
  for (let i = 0; i < flags.length; i++) {
    const [name, inline] = splitFlag(flags[i] as string);
    const next = flags[i + 1];
    // What follows a flag and is none itself is its value.
    if (inline === undefined && next !== undefined && !next.startsWith('-')) {
      pairs.push([name, next, false]);
      i++;
    } else pairs.push([name, inline, true]);
  }
  const conditions = pairs.flatMap(([name, value]) =>
    flagOf.condition.test(name) && value !== undefined ? [value] : [],
  );
  return pairs.flatMap(([name, value, isInline]) => {
    if (envFile.test(name)) return [];
    if (value === undefined) return [name];
    const absolute = absoluteValue(name, value, folder, conditions);
    return isInline ? [`${name}=${absolute}`] : [name, absolute];
  });
}

/**
 * NODE_OPTIONS with what it names resolved as in absoluteFlags. Its parts end at blanks that are in no
 * double quotes, where a backslash keeps the next sign:
 * https://nodejs.org/api/cli.html#node_optionsoptions
 */
export function absoluteOptions(text: string, folder: string): string {
  const words = [...text.matchAll(/(?:[^ "]|"(?:\\.|[^"\\])*")+/g)].map(([word]) =>
    word.replace(/"((?:\\.|[^"\\])*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
  );
  return absoluteFlags(words, folder)
    .map(word => (/[ "\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word))
    .join(' ');
}

function absoluteValue(
  flag: string,
  value: string,
  folder: string,
  conditions: readonly string[],
): string {
  try {
    if (flagOf.require.test(flag)) return resolveFrom(value, folder, 'require', conditions);
    if (flagOf.import.test(flag)) return resolveImport(value, folder, conditions);
    if (flagOf.path.test(flag) && value !== '*') return resolve(folder, value);
  } catch {
    // Node itself says what is missing, and ends as it would.
  }
  return value;
}

function splitFlag(flag: string): [string, string | undefined] {
  const at = flag.indexOf('=');
  return at < 0 ? [flag, undefined] : [flag.slice(0, at), flag.slice(at + 1)];
}

function resolveImport(request: string, folder: string, conditions?: readonly string[]): string {
  if (/^[a-z]+:/i.test(request)) return request;
  return pathToFileURL(
    /^[./]/.test(request)
      ? resolve(folder, request)
      : resolveFrom(request, folder, 'import', conditions),
  ).href;
}

/** What a package exports to an import may be another file, or nothing, for a require. */
function resolveFrom(
  request: string,
  folder: string,
  kind: 'require' | 'import',
  conditions: readonly string[] = [],
): string {
  const require = createRequire(join(folder, 'package.json'));
  const [, name = '', subpath = ''] = /^((?:@[^/]+\/)?[^./@#][^/]*)(\/.+)?$/.exec(request) ?? [];
  for (const home of (name && require.resolve.paths(request)) || []) {
    const json = packageIn(join(home, name));
    const target = json && exportTarget(json, `.${subpath}`, [kind], conditions);
    if (target) return join(home, name, target);
    if (json) break;
  }
  return require.resolve(request);
}

function packageIn(folder: string): PackageJson | undefined {
  try {
    return readPackageJson(folder);
  } catch {
    return undefined;
  }
}

/**
 * Reads what --env-file names.
 * @param folders where it is looked for, in this order
 * @throws SettingError ENV_FILE_MISSING
 */
export function readEnvFile(
  { file, must }: NodeFlags['envFiles'][number],
  folders: readonly string[],
): Record<string, string> {
  for (const folder of folders) {
    try {
      // As Node reads it, and not as dotenv does.
      const { parseEnv } = process.getBuiltinModule('node:util');
      return parseEnv(readFileSync(resolve(folder, file), 'utf8')) as Record<string, string>;
    } catch {}
  }
  if (must)
    throw new SettingError(
      'ENV_FILE_MISSING',
      `scripts.start asks for --env-file=${file}, which is not there`,
      {
        fix: `write ${file}, or set BACKEND_ENTRY to start another way`,
      },
    );
  return {};
}
