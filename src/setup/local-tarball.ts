import { IntegrityError, SettingError } from '../errors';
import { type BackendTarball, readBackendTarball } from '../lock/backend-tarball';

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
      fix: "give --from the folder with the backend's package.json, or the .tgz that npm pack made",
      cause: error,
    });
  }
}
