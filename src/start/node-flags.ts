import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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
 * Variables that Node, libc or the loader read when a process begins: a new value needs a new one.
 * NODE_ENV, what the package config reads, and whether certificates count are looked at later.
 */
export const readAtStart = /^(NODE_(?!ENV$|CONFIG|APP_INSTANCE$|TLS_REJECT)|MALLOC_|LD_|GLIBC_)/;

const envFile = /^--env-file(-if-exists)?$/;

/** Flags that are properties of process. */
const properties: Readonly<Record<string, string>> = {
  '--no-deprecation': 'noDeprecation',
  '--trace-deprecation': 'traceDeprecation',
  '--throw-deprecation': 'throwDeprecation',
};

/**
 * Sorts flags. @param folder the package's folder, which relative paths start from (as under npm
 * start)
 */
export function sortNodeFlags(flags: readonly string[], folder: string): NodeFlags {
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
      requires.push(() => requireOf(folder)(request));
    } else if (flag === '--import') {
      const request = value();
      imports.push(() => import(resolveImport(request, folder)));
    } else if (envFile.test(flag)) {
      envFiles.push({ file: value(), must: flag === '--env-file' });
    } else needProcess = true;
  }
  return { envFiles, here: [...here, ...requires, ...imports], needProcess };
}

/**
 * Flags for a new process, which does not start in the package: what they name is resolved from
 * the package. Without the env files: what they say is in the environment by then, and a token among
 * it is not.
 */
export function absoluteFlags(flags: readonly string[], folder: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] as string;
    const [name, inline] = splitFlag(flag);
    if (envFile.test(name)) i += inline === undefined ? 1 : 0;
    else if (inline !== undefined) result.push(`${name}=${absoluteValue(name, inline, folder)}`);
    else if (flag.startsWith('-')) result.push(flag);
    else result.push(absoluteValue(flags[i - 1] ?? '', flag, folder));
  }
  return result;
}

function absoluteValue(flag: string, value: string, folder: string): string {
  if (/^(-r|--require)$/.test(flag)) return requireOf(folder).resolve(value);
  if (/^--(import|loader|experimental-loader)$/.test(flag)) return resolveImport(value, folder);
  return value;
}

function splitFlag(flag: string): [string, string | undefined] {
  const at = flag.indexOf('=');
  return at < 0 ? [flag, undefined] : [flag.slice(0, at), flag.slice(at + 1)];
}

function resolveImport(request: string, folder: string): string {
  if (/^[a-z]+:/i.test(request)) return request;
  if (/^[./]/.test(request)) return pathToFileURL(resolve(folder, request)).href;
  const require = requireOf(folder);
  const [, name = '', subpath = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.+)?$/.exec(request) ?? [];
  for (const home of require.resolve.paths(request) ?? []) {
    const json = packageIn(join(home, name));
    // What a package exports to an import may be another file, or nothing, for a require.
    const target = json && exportTarget(json, `.${subpath}`, ['import']);
    if (target) return pathToFileURL(join(home, name, target)).href;
    if (json) break;
  }
  return pathToFileURL(require.resolve(request)).href;
}

const requireOf = (folder: string) => createRequire(join(folder, 'package.json'));

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
