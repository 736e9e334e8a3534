import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BootlaceError } from '../../errors';
import { type NpmRun, runNpm } from '../../npm/run';
import type { LockDocument, LockedManifest } from '../document';
import { withoutMissing } from '../fits';
import { projectLock, writeJson, writeProject } from './project';

/** How npm ends for a lock that it would have to change: what is missing it would ask a registry for. */
const misfits = ['ENOTCACHED', 'EUSAGE', 'ERESOLVE'];

/**
 * Asks npm whether it would install a bare lock as it is: `npm ci` refuses a stale one. It works
 * offline and without a credential.
 * @param overrides those of the workspace around the package; by default the package's own count
 * @param run its work folder stays as it was
 * @returns one sentence on what does not fit; undefined when the lock fits
 * @throws npm's other failures
 */
export async function findMisfit(
  bare: LockDocument,
  manifest: LockedManifest,
  overrides: unknown,
  run: Omit<NpmRun, 'cwd'>,
): Promise<string | undefined> {
  const cwd = join(run.work, 'check');
  try {
    const stub = writeProject(cwd, manifest, overrides);
    writeJson(join(cwd, 'package-lock.json'), withoutMissing(projectLock(bare, stub)));
    await runNpm(['ci', '--dry-run', '--offline', '--json'], { ...run, cwd });
    return undefined;
  } catch (error) {
    if (!(error instanceof BootlaceError) || !misfits.includes(String(error.facts.npm)))
      throw error;
    const name = /request to \S+\/(\S+) failed/.exec(error.message)?.[1];
    return name
      ? `${decodeURIComponent(name)} is not in the lock as it is asked for`
      : error.message;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
