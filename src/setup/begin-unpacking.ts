import { tuneForInstall } from '../install/tune';
import { openUnpackers, type Unpackers } from '../install/unpackers';

/**
 * Opens who unpacks, and V8 is tuned for it. A second thread does that itself once it has loaded its
 * code: V8 keeps compiled code, that of Node's built-in modules among it, apart by its flags, and a
 * thread that begins after they changed compiles all of them again (25 ms of processor time).
 */
export function beginUnpacking(nodeVersion: string, threads?: 1): Unpackers {
  const unpackers = openUnpackers({ threads });
  if (!unpackers.isShared) tuneForInstall(nodeVersion);
  return unpackers;
}
