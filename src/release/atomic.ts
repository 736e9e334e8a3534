import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InstallError, systemCode } from '../errors';

/**
 * Writes a whole file, and its folder where there is none, by a temporary one beside it and a rename:
 * a reader, or a kill, sees the old content or the new. An existing file keeps its mode.
 * @throws InstallError NOT_WRITABLE or DISK_FULL, the old content kept
 */
export function writeAtomic(path: string, text: string): void {
  const file = targetOf(path);
  // Two containers on one volume may have the same process id.
  const unique = randomBytes(4).toString('hex');
  const temporary = join(dirname(file), `.${basename(file)}.${unique}.tmp`);
  try {
    makeFolder(dirname(file));
  } catch (error) {
    throw writeFailure(error, file);
  }
  try {
    const keep = statSync(file, { throwIfNoEntry: false })?.mode;
    const fd = openSync(temporary, 'w', keep === undefined ? 0o644 : keep & 0o777);
    try {
      // All of it: one write to a disk that is nearly full takes a part and says so by a number only.
      writeFileSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeFailure(error, file);
  }
}

/** A link is kept, and what it points to is written. */
function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const inTheWay =
  'move away what is in its place, a file or a link to nowhere, or choose another folder with --dir';
const writeFixes: Readonly<Record<string, string>> = {
  EROFS: 'mount it writable, or start what is there: node server.js',
  EISDIR: 'move the folder of that name away and run it again',
  ENOTDIR: inTheWay,
  EEXIST: inTheWay,
  ENOENT: inTheWay,
  ELOOP: inTheWay,
};

/**
 * Makes a folder and those above it.
 * @throws what mkdir throws, with the true reason: on a read-only disk Node says ENOENT
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    let nearest = dirname(path);
    while (!existsSync(nearest)) nearest = dirname(nearest);
    if (systemCode(error) === 'ENOENT') accessSync(nearest, constants.W_OK);
    throw error;
  }
}

/** DISK_FULL for a write that found no room, or the error itself. */
export function fullDisk(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new InstallError('DISK_FULL', `the disk is full: cannot write ${path}`, {
    fix: 'make room and run the same command again',
    cause: error,
  });
}

/** The failure of a write, or the error itself when it is none of a disk's. */
export function writeFailure(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code && (code in writeFixes || code === 'EACCES' || code === 'EPERM'))
    return new InstallError('NOT_WRITABLE', `cannot write ${path} (${code})`, {
      fix: writeFixes[code] ?? 'run as the owner of the folder, or choose another with --dir',
      facts: { path, reason: code },
      cause: error,
    });
  return fullDisk(error, path);
}
