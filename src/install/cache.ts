import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Checksum, isRight } from '../registry/integrity';
import { writeFailure } from '../release/atomic';
import type { Tarball } from './tarball';

/** Verified tarballs on a disk, found by their checksum; several processes may share it. */
export interface TarballCache {
  /** A tarball that is there and still right; one that is not is removed. */
  read(checksum: Checksum): Tarball | undefined;
  keep(checksum: Checksum, tarball: Tarball): void;
}

export function openTarballCache(folder: string): TarballCache {
  const fileOf = ({ algorithm }: Checksum, digest: string) => {
    const hex = Buffer.from(digest, 'base64').toString('hex');
    return join(folder, algorithm, hex.slice(0, 2), `${hex.slice(2)}.tgz`);
  };
  return {
    read(checksum) {
      for (const digest of checksum.digests) {
        const file = fileOf(checksum, digest);
        const found = verified(file, { ...checksum, digests: [digest] });
        if (found) return found;
      }
      return undefined;
    },
    keep(checksum, tarball) {
      // With several digests nobody knows here which one is right.
      const [digest] = checksum.digests;
      if (digest === undefined || checksum.digests.length > 1) return;
      const file = fileOf(checksum, digest);
      const temporary = `${file}.${process.pid}.tmp`;
      try {
        mkdirSync(dirname(file), { recursive: true });
        if ('data' in tarball) writeFileSync(temporary, tarball.data);
        else copyFileSync(tarball.file, temporary);
        renameSync(temporary, file);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw writeFailure(error, file);
      }
    },
  };
}

const wholeUpTo = 1024 * 1024;

function verified(file: string, checksum: Checksum): Tarball | undefined {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  const hash = createHash(checksum.algorithm);
  const piece = Buffer.allocUnsafeSlow(Math.min(size, wholeUpTo));
  const fd = openSync(file, 'r');
  try {
    for (let at = 0; at < size; ) {
      const read = readSync(fd, piece, 0, piece.length, at);
      if (read === 0) break;
      hash.update(piece.subarray(0, read));
      at += read;
    }
  } finally {
    closeSync(fd);
  }
  if (!isRight(checksum, `${checksum.algorithm}-${hash.digest('base64')}`)) {
    rmSync(file, { force: true });
    return undefined;
  }
  return size <= wholeUpTo ? { data: piece, isOurs: true } : { file, isKept: true };
}
