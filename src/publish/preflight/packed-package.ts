import { posix } from 'node:path';
import { readTarball } from '../../install/read-tarball';
import type { Tarball } from '../../install/tarball';
import { parseObject } from '../../json';
import { readBackendTarball } from '../../lock/backend-tarball';
import type { LockedManifest } from '../../lock/document';
import type { FindFile } from '../../start/plan/entry';
import { findAmong } from '../../start/plan/package-files';
import { type FoundSecret, findSecrets } from './secrets';

/** A package as it is packed; everything that the rules of `check` look at. */
export interface PackedPackage {
  manifest: LockedManifest;
  /** bootlace-lock.json, unchecked; undefined when the package carries none. */
  lock: string | undefined;
  /** Path in the package → size in bytes. */
  files: ReadonlyMap<string, number>;
  /** Which of its files a path means, as Node finds it. */
  find: FindFile;
  secrets: readonly FoundSecret[];
}

/** A larger file is not looked into. */
const largestText = 32 * 1024 ** 2;

/**
 * Reads a tarball; keeps its list of files, its manifests and its lock, and of no secret more than the
 * place.
 * @param label what it is, for a failure
 * @throws IntegrityError TARBALL_INVALID or TARBALL_HOSTILE
 */
export async function readPackedPackage(tarball: Tarball, label: string): Promise<PackedPackage> {
  const { manifest, lock } = await readBackendTarball(tarball, label, false);
  const files = new Map<string, number>();
  const folders = new Map<string, string>();
  const secrets: FoundSecret[] = [];
  let path = '';
  let pieces: Buffer[] = [];
  await readTarball(tarball, label, {
    file(entry, _mode, size) {
      path = posix.normalize(entry.replace(/^(?:\.?\/)*[^/]*\//, ''));
      pieces = [];
      files.set(path, size);
      return size <= largestText;
    },
    // The piece may be used again by its owner.
    data: piece => void pieces.push(Buffer.from(piece)),
    end() {
      // What dependencies bring along is not the publisher's: test keys, for example.
      if (/(^|\/)node_modules\//.test(path)) return;
      const text = Buffer.concat(pieces).toString('latin1');
      secrets.push(...findSecrets(path, text));
      if (posix.basename(path) === 'package.json') folders.set(posix.dirname(path), text);
    },
  });
  return {
    manifest,
    lock,
    files,
    find: findAmong(
      each => files.has(each),
      each => mainOf(folders.get(each)),
    ),
    secrets,
  };
}

function mainOf(text: string | undefined): string | undefined {
  const main = parseObject(text)?.main;
  return typeof main === 'string' ? main : undefined;
}
