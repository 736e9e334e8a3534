import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { IntegrityError, NotFoundError, SettingError } from '../errors';
import { type BackendTarball, readBackendTarball } from '../lock/backend-tarball';
import type { NpmRun } from '../npm/run';
import { readWorkspace } from '../publish/workspace';

const fromFix =
  "give --from the folder with the backend's package.json, or the .tgz that npm pack made";

/**
 * Reads the tarball that --from names or that was packed from its folder.
 * @param from as it was given
 * @throws SettingError FROM_INVALID for another file, IntegrityError TARBALL_HOSTILE
 */
export async function readLocalTarball(
  file: string,
  from: string,
  hasLock: boolean,
): Promise<BackendTarball> {
  try {
    return await readBackendTarball({ file, isKept: true }, from, hasLock);
  } catch (error) {
    if (!(error instanceof IntegrityError && error.code === 'TARBALL_INVALID')) throw error;
    throw new SettingError('FROM_INVALID', `--from ${from} is no package's tarball`, {
      fix: fromFix,
      cause: error,
    });
  }
}

/**
 * Looks at what --from names before anything is done with it.
 * @param from a path, absolute
 * @throws NotFoundError FROM_NOT_FOUND, SettingError FROM_WORKSPACE for the root of a workspace, which
 *   is not what is published
 */
export function checkFrom(from: string): void {
  const stat = statSync(from, { throwIfNoEntry: false });
  if (stat?.isFile()) return;
  if (!existsSync(join(from, 'package.json'))) {
    const what = stat ? 'has no package.json' : 'is not there';
    throw new NotFoundError('FROM_NOT_FOUND', `--from ${from} ${what}`, { fix: fromFix });
  }
  const workspace = readWorkspace(from);
  if (!workspace?.manifest.private || workspace.members.size === 0) return;
  const folders = [...workspace.members.values()].map(({ folder }) => join(from, folder));
  throw new SettingError('FROM_WORKSPACE', `--from ${from} is the root of a workspace`, {
    fix: `name the backend's package: --from ${folders[0]}`,
    facts: { candidates: folders.join(', ') },
  });
}

/**
 * Turns --from into a tarball: a .tgz as it is, a folder packed as `npm publish` would pack it,
 * without its scripts.
 * @returns the tarball's path
 * @throws npm's failure
 */
export async function packLocal(from: string, run: NpmRun): Promise<string> {
  if (statSync(from).isFile()) return from;
  const { runNpm } = await import('../npm/run');
  const out = await runNpm(['pack', from, '--json', '--pack-destination', run.work], {
    ...run,
    cwd: run.work,
  });
  const [packed] = Object.values(
    JSON.parse(out.slice(out.search(/[[{]/))) as Record<string, { filename: string }>,
  );
  if (!packed) throw new Error(`npm pack printed ${out.slice(0, 200)}`);
  // npm 10 printed scoped names with their slash.
  return join(run.work, packed.filename.replace(/^@/, '').replace('/', '-'));
}
