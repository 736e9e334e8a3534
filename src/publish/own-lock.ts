import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstallError } from '../errors';
import { type LockDocument, lockName } from '../lock/document';
import { readBackendLock } from '../lock/validate';

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
