import { tuneForInstall } from '../install/tune';
import { openUnpackers, type Unpackers } from '../install/unpackers';

/**
 * Opens who unpacks. V8 is tuned only once the second thread has loaded its code: V8 keeps its
 * compiled code, Node's own built-in modules among it, apart by its flags, and another thread that
 * begins after they changed compiles all of them again (25 ms of processor time).
 */
export function beginUnpacking(nodeVersion: string, threads?: 1): Unpackers {
  return openUnpackers({ threads, whenLoaded: () => tuneForInstall(nodeVersion) });
}
