import { hostname } from 'node:os';
import { systemCode } from '../errors';

/** This machine's name, as far as a file name may hold it. */
export function hostLabel(): string {
  return hostname().replace(/\W/g, '').slice(0, 20);
}

/** False only when there is no such process on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
