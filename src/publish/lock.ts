import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { InstallError, SettingError } from '../errors';
import { lockProblems } from '../install/check-lock';
import { bareLock } from '../install/compose-lock';
import {
  type LockDocument,
  type LockedManifest,
  lockName,
  parseLockDocument,
  renderLock,
} from '../install/lock-document';
import { resolveLock } from '../install/resolve-lock';
import { runNpm } from '../install/run-npm';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config';
import { createTransport } from '../registry/transport';
import { writeAtomic } from '../release/atomic';
import { parsePackageName } from '../settings/package-name';
import { readPublisher } from '../start/publisher';
import { addToFiles } from './files-list';
import { checkLockable } from './lockable';
import { findSeed } from './seed';

/** The folder that will be packed, and what its package.json says. */
export interface Publishable {
  /** The package's folder, where its own locks lie. */
  folder: string;
  /** The folder that is packed: `publishConfig.directory` of it, or itself. */
  target: string;
  manifest: LockedManifest;
  text: string;
}

/**
 * Finds what `npm publish` (or pnpm's, which knows publishConfig.directory) would pack.
 * @throws SettingError LOCK_NO_PACKAGE, LOCK_NOT_BUILT, PACKAGE_NAME_INVALID or PACKAGE_CONFIG_INVALID
 */
export function readPublishable(folder: string): Publishable {
  const own = readManifest(folder);
  if (!own)
    throw new SettingError('LOCK_NO_PACKAGE', `there is no package.json in ${folder}`, {
      fix: "run it in the backend package's folder, or name that folder: bootlace lock packages/backend",
    });
  const directory = (own.manifest.publishConfig as { directory?: unknown } | undefined)?.directory;
  if (typeof directory !== 'string') return { folder, target: folder, ...own };
  const target = join(folder, directory);
  const packed = readManifest(target);
  if (packed) return { folder, target, ...packed };
  throw new SettingError(
    'LOCK_NOT_BUILT',
    `publishConfig.directory names ${directory}, which has no package.json yet`,
    { fix: 'build first, then run bootlace lock: the build would remove a lock written before' },
  );
}

function readManifest(folder: string): { manifest: LockedManifest; text: string } | undefined {
  const file = join(folder, 'package.json');
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined;
  const text = readFileSync(file, 'utf8');
  let manifest: LockedManifest;
  try {
    manifest = JSON.parse(text.replace(/^\uFEFF/, '')) as LockedManifest;
  } catch {
    throw new SettingError('CONFIG_INVALID', `${file} is not JSON`, { fix: `correct ${file}` });
  }
  parsePackageName(String(manifest.name ?? ''), `"name" in ${file}`);
  // Its host would refuse it, and it is easier to correct here.
  readPublisher(manifest);
  return { manifest, text };
}

export interface LockOptions {
  io: Io;
  config: RegistryConfig;
  /** Leave what was locked before out of account. */
  fresh: boolean;
  redact: (text: string) => string;
  signal?: AbortSignal;
  warn: (sentence: string) => void;
}

export interface LockResult {
  file: string;
  packages: number;
  /** The lock whose versions were kept; undefined when every version was chosen now. */
  seed: string | undefined;
  changed: string[];
}

/**
 * Writes bootlace-lock.json into the package, and into `files` when package.json has such a list.
 * @throws SettingError LOCK_DEPENDENCY, InstallError LOCK_NOT_PACKED, npm's and the registry's
 */
export async function writeLock(
  { folder, target, manifest, text }: Publishable,
  options: LockOptions,
): Promise<LockResult> {
  checkLockable(manifest);
  const seed = options.fresh ? undefined : findSeed(folder, target, manifest.name);
  const work = mkdtempSync(join(tmpdir(), 'bootlace-lock-'));
  // A failure names the log, so it outlives the folder.
  const run = { ...options, work, cwd: target, log: `${work}.log` };
  const transport = createTransport(options.config.network);
  try {
    const lock = await resolveLock({
      ...run,
      transport,
      manifest,
      seed: seed?.lock,
      onRetry: options.warn,
    });
    const problems = lockProblems(lock, manifest);
    if (problems.length)
      throw new Error(
        `the new lock does not fit package.json: ${problems.slice(0, 10).join('; ')}`,
      );
    warnOfLoopback(lock, options.warn);
    const file = join(target, lockName);
    const changed: string[] = [];
    const write = (path: string, before: string | undefined, after: string) => {
      if (before === after) return;
      writeAtomic(path, after);
      changed.push(relative(folder, path));
    };
    write(file, existsSync(file) ? readFileSync(file, 'utf8') : undefined, renderLock(lock));
    write(join(target, 'package.json'), text, addToFiles(text, lockName));
    // npm pack wants a version, which many repositories only get when they publish.
    if (manifest.version !== undefined) await checkPacked(target, run);
    rmSync(run.log, { force: true });
    return { file, packages: Object.keys(lock.packages).length - 1, seed: seed?.from, changed };
  } finally {
    transport.close();
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Says what differs between the lock and package.json; no request, no change.
 * @returns one sentence for each difference; none when it fits
 */
export function checkLock({ target, manifest }: Publishable): string[] {
  checkLockable(manifest);
  const file = join(target, lockName);
  if (!existsSync(file)) return [`there is no ${lockName}`];
  const lock = parseLockDocument(readFileSync(file, 'utf8'));
  if (!lock) return [`${lockName} is not a lock`];
  const { bare } = bareLock(lock, manifest.name);
  const problems = lockProblems(bare, manifest);
  for (const [path, entry] of Object.entries(bare.packages))
    if (path !== '' && !entry.inBundle && !(entry.integrity && entry.resolved))
      problems.push(`${path} has no ${entry.integrity ? 'address' : 'checksum'}`);
  return problems;
}

/** Asks npm itself whether the file gets into the tarball: .npmignore and .gitignore have a say. */
async function checkPacked(target: string, run: Parameters<typeof runNpm>[1]): Promise<void> {
  const out = await runNpm(['pack', '--dry-run', '--json', target], { ...run, cwd: run.work });
  if (JSON.stringify(JSON.parse(out.slice(out.search(/[[{]/)))).includes(`"path":"${lockName}"`))
    return;
  throw new InstallError('LOCK_NOT_PACKED', `npm would not pack ${lockName}`, {
    fix: `add the line !${lockName} to .npmignore, or list the file in "files" of package.json`,
  });
}

function warnOfLoopback(lock: LockDocument, warn: (sentence: string) => void): void {
  for (const { resolved } of Object.values(lock.packages)) {
    const host = resolved && URL.canParse(resolved) ? new URL(resolved).hostname : '';
    if (!/^(localhost|127\.|\[::1\])/.test(host)) continue;
    warn(`the lock names addresses on ${host}, which other machines cannot reach`);
    return;
  }
}
