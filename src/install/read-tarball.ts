import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { IntegrityError, systemCode } from '../errors';
import { hostile, type TarHandler, TarReader } from './tar-reader';
import type { Tarball } from './tarball';

/** Content up to this size is gunzipped at once: a stream costs more than the work on a small package. */
const mostAtOnce = 512 * 1024;
/** Text shrinks to a twentieth, seldom to a hundredth; this much for that little is a bomb. */
const suspiciousContent = 64 * 1024 * 1024;
const largestRatio = 250;
const largestContent = 2 * 1024 * 1024 * 1024;
/** Bytes of compressed data and of content that a stream holds at a time. */
const pieceSize = 16 * 1024;

/**
 * Reads a tarball, gzipped or plain, into a handler in bounded memory.
 * @param what `left@1.0.0`, for the failure
 * @throws IntegrityError TARBALL_HOSTILE or TARBALL_INVALID; whatever the handler throws
 */
export async function readTarball(
  tarball: Tarball,
  what: string,
  handler: TarHandler,
): Promise<void> {
  const reader = new TarReader(what, handler);
  try {
    const content = 'data' in tarball ? smallContent(tarball.data) : undefined;
    if (content) reader.write(content);
    else await readStream(tarball, what, reader);
  } catch (error) {
    if (!/^Z_/.test(systemCode(error) ?? '')) throw error;
    throw new IntegrityError('TARBALL_INVALID', `the tarball of ${what} cannot be gunzipped`, {
      fix: 'its publisher has to publish a new version',
      facts: { package: what, reason: systemCode(error) },
      cause: error,
    });
  }
  reader.close();
}

/**
 * The content of a tarball that holds little. A gzip's last four bytes say how much: the sender's
 * word, so the limit holds whatever they say.
 * @throws zlib's errors
 */
function smallContent(data: Buffer): Buffer | undefined {
  if (!isGzip(data)) return data;
  const declared = data.length < 18 ? 0 : data.readUInt32LE(data.length - 4);
  if (declared >= mostAtOnce) return undefined;
  try {
    // One byte more than the content, so that one piece of memory is enough.
    return gunzipSync(data, { chunkSize: Math.max(declared + 1, 64), maxOutputLength: mostAtOnce });
  } catch (error) {
    if (systemCode(error) !== 'ERR_BUFFER_TOO_LARGE') throw error;
    return undefined;
  }
}

async function readStream(tarball: Tarball, what: string, reader: TarReader): Promise<void> {
  const source =
    'data' in tarball
      ? Readable.from(slicesOf(tarball.data))
      : createReadStream(tarball.file, { highWaterMark: pieceSize });
  const gunzip = isGzip('data' in tarball ? tarball.data : beginningOf(tarball.file))
    ? createGunzip({ chunkSize: pieceSize })
    : undefined;
  if (gunzip) source.once('error', (error: Error) => gunzip.destroy(error)).pipe(gunzip);
  let size = 0;
  try {
    for await (const piece of (gunzip ?? source) as AsyncIterable<Buffer>) {
      size += piece.length;
      const from = gunzip?.bytesWritten ?? size;
      if ((size > suspiciousContent && size > from * largestRatio) || size > largestContent)
        throw hostile(what, `at least ${size} bytes in ${from}`);
      reader.write(piece);
    }
  } finally {
    source.destroy();
    gunzip?.destroy();
  }
}

function* slicesOf(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += pieceSize) yield data.subarray(at, at + pieceSize);
}

function isGzip(beginning: Buffer): boolean {
  return beginning[0] === 0x1f && beginning[1] === 0x8b;
}

function beginningOf(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(2);
    readSync(fd, piece, 0, 2, 0);
    return piece;
  } finally {
    closeSync(fd);
  }
}

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
