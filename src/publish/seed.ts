import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { InstallError } from '../errors';
import { bareLock } from '../lock/compose';
import { type LockDocument, lockName, parseLockDocument } from '../lock/document';
import { readBackendLock } from '../lock/validate';
import { foldersAbove } from './workspace';

export interface Seed {
  lock: LockDocument;
  /** The file whose versions are kept. */
  from: string;
}

/**
 * The versions to start from: those that the publisher has tested, in npm's own lock of the
 * package or of the workspace around it; else those of the lock that is made again.
 * @param folder the package's folder
 * @param target where the lock is written
 */
export function findSeed(folder: string, target: string, name: string): Seed | undefined {
  for (const at of [folder, ...foldersAbove(folder)])
    for (const file of ['npm-shrinkwrap.json', 'package-lock.json']) {
      const path = join(at, file);
      const lock = existsSync(path) ? parseLockDocument(readFileSync(path, 'utf8')) : undefined;
      const seed = lock && seedOf(lock, relative(at, folder).split(sep).join('/'), name);
      if (seed) return { lock: seed, from: path };
    }
  const present = readOwnLock(target, name);
  return typeof present === 'string'
    ? undefined
    : { lock: bareLock(present, name).bare, from: join(target, lockName) };
}

/**
 * A package's part of an npm lock, as if the package stood alone. npm repairs what does not fit.
 * @param place the package's folder from the lock's folder, '' for the same
 */
function seedOf(lock: LockDocument, place: string, name: string): LockDocument | undefined {
  const isWorkspace = lock.packages['']?.name !== name && lock.packages[place] !== undefined;
  if (place !== '' && !isWorkspace && lock.packages['']?.name !== name) return undefined;
  const packages: LockDocument['packages'] = {};
  // What lies in the member's own folder counts before the root's.
  for (const folder of isWorkspace ? ['', `${place}/`] : [''])
    for (const [path, entry] of Object.entries(lock.packages))
      if (path.startsWith(`${folder}node_modules/`) && !entry.link)
        packages[path.slice(folder.length)] = entry;
  packages[''] = { name };
  return { name, lockfileVersion: 3, requires: true, packages };
}

/** A package's bootlace-lock.json as its host reads it, or what the host would refuse it for. */
export function readOwnLock(folder: string, backend: string): LockDocument | string {
  const file = join(folder, lockName);
  if (!existsSync(file)) return `there is no ${lockName}`;
  try {
    return readBackendLock(readFileSync(file, 'utf8'), lockName, backend);
  } catch (error) {
    if (error instanceof InstallError) return error.message;
    throw error;
  }
}
