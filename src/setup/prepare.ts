import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Context, Flags } from '../context';
import { SettingError, UsageError } from '../errors';
import { parseObject } from '../json';
import { checkSaveLock, type LockFile, parseLockFile } from '../lock/choose';
import type { LockedManifest } from '../lock/document';
import { secretsOf } from '../registry/config/config';
import { loadRegistryConfig } from '../registry/config/load-config';
import { renderNpmrc } from '../registry/config/npmrc';
import { layoutOf } from '../release/layout';
import { listReleases, readIfThere } from '../release/store';
import { definitions } from '../settings/definitions';
import { loadSources } from '../settings/load';
import { readText } from '../settings/read-text';
import { readSettings } from '../settings/settings';
import { shellWord } from '../settings/words';
import { findFreeServerFile, isServerFile, renderServerFile } from '../start/server-file';
import { checkFrom, readLocalTarball } from './local-tarball';
import { findReusable, type SetupPlan, type WantedInstall } from './plan';

/**
 * Reads the folder and the settings and plans the setup; asks no registry and changes nothing.
 * Secrets go to the redactor before anything else can print.
 * @param command the one that a fix repeats
 * @throws SettingError, UsageError
 */
export async function prepareSetup(context: Context, command = 'setup'): Promise<SetupPlan> {
  const { dir, flags, io } = context;
  const sources = loadSources(dir, await withLocalPackage(flags, dir), io.env);
  const settings = readSettings(sources);
  const config = loadRegistryConfig(settings, sources, dir, io);
  for (const secret of secretsOf(settings, config)) context.redactor.add(secret);
  const name = settings.package.value;
  const wanted: WantedInstall = {
    settings,
    config,
    host: { platform: io.platform, arch: io.arch, abi: process.versions.modules },
    from: flags.from === undefined ? undefined : resolve(dir, String(flags.from)),
    lock: readLockFile(flags.lock, dir, name),
  };
  const serverFile = serverFileName(flags['server-file']);
  return {
    ...wanted,
    typed: typedFlags(flags),
    saveLock: saveLockPath(flags['save-lock'], dir, name),
    reuse: findReusable(wanted, listReleases(layoutOf(dir))),
    waitForMs: waitFor(flags['wait-for']),
    ignoreEngines: flags['ignore-engines'] === true,
    failFast: false,
    serverFile,
    changes: planChanges(context, command, serverFile, config.managedLines),
  };
}

/**
 * The files to write. A new .npmrc holds our lines alone, no secret, and an image that root builds is
 * run by another user.
 * @throws SettingError NPMRC_MARKERS or SERVER_FILE_TAKEN
 */
function planChanges(
  { dir, dist, version, flags, rest }: Context,
  command: string,
  serverFile: string,
  managedLines: readonly string[],
): SetupPlan['changes'] {
  const changes: SetupPlan['changes'] = [];
  const keep = (path: string, present: string | undefined, text: string) => {
    if (text !== present) changes.push({ path, text });
  };
  const npmrc = join(dir, '.npmrc');
  const npmrcText = readText(npmrc) ?? '';
  keep(npmrc, npmrcText, renderNpmrc(npmrcText, managedLines));
  const server = join(dir, serverFile);
  const serverText = readText(server);
  if (serverText !== undefined && !isServerFile(serverText)) {
    const free = findFreeServerFile(name => readText(join(dir, name))) ?? 'bootlace.js';
    const again = setupCommand({ ...flags, 'server-file': free }, command, rest);
    throw new SettingError(
      'SERVER_FILE_TAKEN',
      `${serverFile} is there, and bootlace did not write it, or it was changed since`,
      {
        fix: `run: ${again}`,
        facts: { path: server },
      },
    );
  }
  // Before server.js, which loads it.
  const { launcher } = layoutOf(dir);
  keep(launcher, readIfThere(launcher), readFileSync(join(dist, 'launcher.cjs'), 'utf8'));
  keep(server, serverText, renderServerFile(version));
  return changes;
}

/** @throws SettingError LOCK_FILE_MISSING, or what a lock is refused for */
function readLockFile(flag: unknown, dir: string, name: string): LockFile | undefined {
  if (flag === undefined) return undefined;
  const path = String(flag);
  const text = readText(resolve(dir, path));
  if (text === undefined)
    throw new SettingError('LOCK_FILE_MISSING', `there is no lock ${path}`, {
      fix: `make it first: npx bootlace setup --save-lock ${path}`,
    });
  return parseLockFile(text, path, name, readProject(resolve(dir, path)));
}

/** The package.json of npm's own lock; what is wrong with it is npm's to say. */
function readProject(lock: string): LockedManifest | undefined {
  if (!/^(package-lock|npm-shrinkwrap)\.json$/.test(basename(lock))) return undefined;
  const project = parseObject(readIfThere(join(dirname(lock), 'package.json')));
  return project as LockedManifest | undefined;
}

const repeated = [
  ...Object.values(definitions)
    .map(({ flag }) => flag)
    .filter(flag => flag !== 'backend-version'),
  ...['from', 'server-file', 'ignore-engines', 'lock'],
];

/**
 * `npx bootlace setup` with those of the typed flags that decide what is installed.
 * @param rest the backend's words, for `up`
 */
export function setupCommand(
  flags: Flags,
  command = 'setup',
  rest: readonly string[] = [],
): string {
  const version = flags['backend-version'];
  const pin = version === undefined ? [] : ['--backend-version', String(version)];
  const words = [...typedFlags(flags), ...pin, ...(rest.length ? ['--', ...rest] : [])];
  return [`npx bootlace ${command}`, ...words.map(shellWord)].join(' ');
}

function typedFlags(flags: Flags): string[] {
  return repeated.flatMap(name => {
    const value = flags[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
}

/** @throws SettingError SAVE_LOCK_TAKEN */
function saveLockPath(flag: unknown, dir: string, name: string): string | undefined {
  if (flag === undefined) return undefined;
  const path = resolve(dir, String(flag));
  checkSaveLock(readText(path), String(flag), name);
  return path;
}

/**
 * A local build names itself: its package.json stands in for BACKEND_PACKAGE. What is missing is said
 * by the step that installs it.
 * @throws SettingError FROM_INVALID
 */
async function withLocalPackage(flags: Flags, dir: string): Promise<Flags> {
  if (flags.from === undefined) return flags;
  const from = resolve(dir, String(flags.from));
  checkFrom(from);
  if (flags.package !== undefined) return flags;
  const { name } = statSync(from).isFile()
    ? (await readLocalTarball(from, from, true)).manifest
    : (parseObject(readText(join(from, 'package.json'))) ?? {});
  return typeof name === 'string' ? { ...flags, package: name } : flags;
}

function serverFileName(flag: unknown): string {
  if (flag === undefined) return 'server.js';
  const name = String(flag);
  if (isAbsolute(name) || /[\\/\0]/.test(name) || !/\.(js|cjs|mjs)$/.test(name))
    throw new UsageError(
      'SERVER_FILE_INVALID',
      `--server-file ${JSON.stringify(name)} is no file name in this folder`,
      { fix: 'pass a name such as --server-file start.js' },
    );
  return name;
}

/** @returns milliseconds @throws UsageError WAIT_FOR_INVALID */
function waitFor(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (Number.isFinite(minutes) && minutes >= 0 && minutes <= 24 * 60) return minutes * 60_000;
  throw new UsageError(
    'WAIT_FOR_INVALID',
    `--wait-for ${JSON.stringify(text)} is no number of minutes`,
    { fix: 'pass minutes, such as --wait-for 10' },
  );
}
