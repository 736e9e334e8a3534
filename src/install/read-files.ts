import { readTarball } from './read-tarball';
import type { Tarball } from './tarball';

/** A larger file is passed over; none that decides a tree comes near it. */
const largestFile = 64 * 1024 ** 2;

/**
 * Reads a few files of a verified tarball into memory, by their path in the package; npm strips the
 * first folder, whatever its name is.
 * @param what `left@1.0.0`, for a failure
 * @param isEnough asked before each entry with what is read so far; true ends the reading
 * @throws IntegrityError TARBALL_INVALID or TARBALL_HOSTILE
 */
export async function readFiles(
  tarball: Tarball,
  what: string,
  isWanted: (path: string) => boolean,
  isEnough: (files: ReadonlyMap<string, Buffer>) => boolean = () => false,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let path = '';
  let pieces: Buffer[] = [];
  try {
    await readTarball(tarball, what, {
      file(entry, _mode, size) {
        if (isEnough(files)) throw enough;
        path = entry.replace(/^(?:\.?\/)*[^/]*\//, '');
        pieces = [];
        return isWanted(path) && size <= largestFile;
      },
      // The piece may be used again by its owner.
      data: piece => void pieces.push(Buffer.from(piece)),
      end: () => void files.set(path, Buffer.concat(pieces)),
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
  return files;
}

const enough = new Error('what was wanted is read');
