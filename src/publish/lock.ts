import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { AuthError, InstallError, NotFoundError } from '../errors';
import type { Io } from '../io';
import { bareLock } from '../lock/compose';
import { lockName, renderLock, rootOverrides } from '../lock/document';
import { lockMismatches } from '../lock/fits';
import { findMisfit } from '../lock/resolve/check';
import { resolveLock } from '../lock/resolve/resolve';
import { runNpm } from '../npm/run';
import type { RegistryConfig } from '../registry/config/config';
import { createTransport } from '../registry/transport';
import { fullDisk, writeAtomic } from '../release/atomic';
import { checkLockable, lockNotPackedFix, publishFix } from './lockable';
import { addToFiles } from './manifest-text';
import type { Publishable } from './publishable';
import { findSeed, readOwnLock } from './seed';
import { sayForeignOverrides, type Workspace, workspaceOverrides } from './workspace';

interface LockOptions {
  io: Io;
  config: RegistryConfig;
  /** Leave what was locked before out of account. */
  fresh: boolean;
  redact: (text: string) => string;
  signal?: AbortSignal;
  warn: (sentence: string) => void;
}

interface LockResult {
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
  { folder, target, manifest, text, workspace }: Publishable,
  options: LockOptions,
): Promise<LockResult> {
  checkLockable(manifest, workspace);
  const seed = options.fresh ? undefined : findSeed(folder, target, manifest.name);
  const overrides = workspaceOverrides(workspace, manifest);
  const foreign = overrides || manifest.overrides ? undefined : sayForeignOverrides(folder);
  if (foreign) options.warn(foreign);
  const work = mkdtempSync(join(tmpdir(), 'bootlace-lock-'));
  // A failure names the log, so it outlives the folder.
  const run = { ...options, work, cwd: target, log: `${work}.log` };
  const transport = createTransport(options.config.network);
  try {
    const lock = await resolveLock({
      ...run,
      transport,
      manifest,
      workspaceOverrides: overrides,
      seed: seed?.lock,
      onRetry: options.warn,
    }).catch(error => {
      throw workspace ? sayUnpublished(error, workspace) : error;
    });
    const misfit = await findMisfit(lock, manifest, overrides, run);
    if (misfit)
      throw new InstallError(
        'LOCK_CONTRADICTS',
        `npm's tree does not fit package.json: ${misfit}`,
        {
          fix: seed
            ? 'run: npx bootlace lock --fresh'
            : 'correct "overrides", or use a newer npm: npm 10 does not apply all of them',
        },
      );
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
  } catch (error) {
    if (options.signal?.aborted) rmSync(run.log, { force: true });
    throw fullDisk(error, work);
  } finally {
    transport.close();
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Says what differs between the lock and package.json; no request, no change.
 * @param options where npm can run
 * @returns one sentence for each difference; none when it fits
 */
export async function checkLock(
  { target, manifest, text, workspace }: Publishable,
  options: Pick<LockOptions, 'io' | 'config' | 'redact' | 'signal'>,
): Promise<string[]> {
  checkLockable(manifest, workspace);
  const lock = readOwnLock(target, manifest.name);
  if (typeof lock === 'string') return [lock];
  const { bare } = bareLock(lock, manifest.name);
  const problems = lockMismatches(bare, manifest);
  if (addToFiles(text, lockName) !== text)
    problems.push(`"files" of package.json leaves ${lockName} out of the package`);
  if (problems.length) return problems;
  const work = mkdtempSync(join(tmpdir(), 'bootlace-check-'));
  try {
    // Outside of its workspace, as in an image, the lock's own record counts.
    const overrides = workspace
      ? (workspaceOverrides(workspace, manifest) ?? rootOverrides(manifest) ?? {})
      : bare.packages['']?.overrides;
    // A failure names the log, so it outlives the folder.
    const log = `${work}.log`;
    const misfit = await findMisfit(bare, manifest, overrides, { ...options, work, log });
    rmSync(log, { force: true });
    return misfit ? [misfit] : [];
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Asks npm itself whether the file gets into the tarball: .npmignore and .gitignore have a say. */
async function checkPacked(target: string, run: Parameters<typeof runNpm>[1]): Promise<void> {
  const out = await runNpm(['pack', '--dry-run', '--json', target], { ...run, cwd: run.work });
  if (JSON.stringify(JSON.parse(out.slice(out.search(/[[{]/)))).includes(`"path":"${lockName}"`))
    return;
  throw new InstallError('LOCK_NOT_PACKED', `npm would not pack ${lockName}`, {
    fix: lockNotPackedFix,
  });
}

/** What the workspace has and no registry does, was not published before what needs it. */
function sayUnpublished(error: unknown, { members }: Workspace): unknown {
  // Registries answer 401 and 403, too, for what is not there.
  const isRefused = error instanceof AuthError;
  if (!(error instanceof NotFoundError || isRefused)) return error;
  const said = error.message.replaceAll(/%2f/gi, '/');
  const name = [...members.keys()].find(each => {
    const literal = each.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&');
    return new RegExp(`(?<![\\w.~-]|@[\\w.~-]+/)${literal}(?![\\w~-]|[./]\\w)`).test(said);
  });
  if (name === undefined) return error;
  const publish = publishFix({ name, spec: '' });
  const Family = isRefused ? AuthError : NotFoundError;
  return new Family(
    error.code,
    `${name} is ${members.get(name)?.folder} of the workspace, and ${isRefused ? 'perhaps ' : ''}not published as it is asked for: ${error.message}`,
    {
      fix: isRefused ? `${publish}; if it is published: ${error.fix}` : publish,
      facts: error.facts,
      cause: error,
    },
  );
}
