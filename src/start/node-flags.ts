import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SettingError } from '../errors';
import { parseEnvText } from '../settings/dotenv-file';

/** Node flags of scripts.start, sorted by what they need. */
export interface NodeFlags {
  /** What can be done in a process that already runs; awaited in order before the entry. */
  readonly here: readonly (() => unknown)[];
  /** Flags that only a new process takes, as given; then all flags go there and `here` is unused. */
  readonly needProcess: boolean;
}

/** Variables that Node, libc or the loader read when a process begins. */
const readAtStart = /^(NODE_(?!ENV$)|MALLOC_|LD_|GLIBC_)/;

/**
 * Sorts flags. @param folder the package's folder, which relative paths start from (as under npm
 * start). @param cwd where --env-file is looked for first
 */
export function sortNodeFlags(
  flags: readonly string[],
  envNames: readonly string[],
  folder: string,
  cwd: string,
): NodeFlags {
  const here: (() => unknown)[] = [];
  let needProcess = envNames.some(name => readAtStart.test(name));
  for (let i = 0; i < flags.length; i++) {
    const [flag, inline] = splitFlag(flags[i] as string);
    const value = () => inline ?? flags[++i] ?? '';
    if (flag === '--enable-source-maps') here.push(() => process.setSourceMapsEnabled(true));
    else if (flag === '--no-deprecation')
      here.push(() => Object.assign(process, { noDeprecation: true }));
    else if (flag === '--trace-deprecation')
      here.push(() => Object.assign(process, { traceDeprecation: true }));
    else if (flag === '--throw-deprecation')
      here.push(() => Object.assign(process, { throwDeprecation: true }));
    else if (flag === '--no-warnings') here.push(() => process.removeAllListeners('warning'));
    else if (flag === '-r' || flag === '--require') {
      const request = value();
      here.push(() => createRequire(join(folder, 'package.json'))(request));
    } else if (flag === '--import') {
      const request = value();
      here.push(() => import(resolveImport(request, folder)));
    } else if (flag === '--env-file' || flag === '--env-file-if-exists') {
      const file = value();
      here.push(() => loadEnvFile(file, [cwd, folder], flag === '--env-file'));
    } else needProcess = true;
  }
  return { here, needProcess };
}

/**
 * Flags for a new process, which does not start in the package: what they name is resolved from
 * the package, env files from the working folder first.
 */
export function absoluteFlags(flags: readonly string[], folder: string, cwd: string): string[] {
  return flags.map((flag, i) => {
    const [name, inline] = splitFlag(flag);
    if (inline !== undefined) return `${name}=${absoluteValue(name, inline, folder, cwd)}`;
    const before = flags[i - 1] ?? '';
    return flag.startsWith('-') ? flag : absoluteValue(before, flag, folder, cwd);
  });
}

function absoluteValue(flag: string, value: string, folder: string, cwd: string): string {
  if (/^(-r|--require)$/.test(flag))
    return createRequire(join(folder, 'package.json')).resolve(value);
  if (/^--(import|loader|experimental-loader)$/.test(flag)) return resolveImport(value, folder);
  if (/^--env-file(-if-exists)?$/.test(flag))
    return [cwd, folder].map(from => resolve(from, value)).find(existsSync) ?? resolve(cwd, value);
  return value;
}

function splitFlag(flag: string): [string, string | undefined] {
  const at = flag.indexOf('=');
  return at < 0 ? [flag, undefined] : [flag.slice(0, at), flag.slice(at + 1)];
}

function resolveImport(request: string, folder: string): string {
  if (/^[a-z]+:/i.test(request)) return request;
  if (/^[./]/.test(request)) return pathToFileURL(resolve(folder, request)).href;
  return pathToFileURL(createRequire(join(folder, 'package.json')).resolve(request)).href;
}

function loadEnvFile(file: string, folders: readonly string[], must: boolean): void {
  for (const folder of folders) {
    try {
      for (const [name, value] of Object.entries(
        parseEnvText(readFileSync(resolve(folder, file), 'utf8')),
      ))
        process.env[name] ??= value;
      return;
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
}
