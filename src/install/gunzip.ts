import { constants, createGunzip, type Gunzip, gunzipSync } from 'node:zlib';
import { systemCode } from '../errors';

/**
 * What zlib's streams keep for the sake of old programs. npm's own gunzipping stands on the same,
 * so it will be there as long as npm runs.
 */
interface Internals extends Gunzip {
  _handle: { close(): void; reset(): void } | null;
  _outBuffer: Buffer;
  _chunkSize: number;
  _maxOutputLength: number;
  _processChunk(piece: Buffer, flush: number): Buffer;
}

/** Content below this size is gunzipped at once. */
const roomSize = 512 * 1024;
/** Larger content is best read in pieces of this size, which may grow a thousandfold. */
export const sliceSize = 16 * 1024;
let room: Buffer | undefined;
/** Kept from one small tarball to the next: what it is made of costs as much as its work. */
let kept: ReturnType<typeof openGunzip>;

/**
 * Gunzips synchronously into memory that is used again for every package: a new buffer each time
 * costs more in page faults and garbage than the gunzipping itself.
 * @param pieces of the compressed data, in order
 * @returns pieces of content, each to be used before the next is asked for
 * @throws zlib's errors, such as Z_DATA_ERROR
 */
export function* gunzipPieces(pieces: Iterable<Buffer>): Generator<Buffer> {
  const gunzip = openGunzip(Number.POSITIVE_INFINITY);
  if (!gunzip) {
    yield gunzipSync(Buffer.concat([...pieces]));
    return;
  }
  try {
    for (const piece of pieces) yield gunzip.take(piece, constants.Z_SYNC_FLUSH);
  } finally {
    gunzip.close();
  }
}

/**
 * Gunzips at once what is small. The data's last bytes say how much content there is: the sender's
 * word, so memory is only used up to a limit.
 * @returns the content, to be used before the next call; undefined when there is too much of it
 * @throws zlib's errors
 */
export function gunzipSmall(data: Buffer): Buffer | undefined {
  const size = data.length < 18 ? 0 : data.readUInt32LE(data.length - 4);
  if (size >= roomSize) return undefined;
  kept ??= openGunzip(roomSize - 1);
  try {
    kept?.reset();
    return kept?.take(data, constants.Z_FINISH);
  } catch (error) {
    kept?.close();
    kept = undefined;
    if (systemCode(error) !== 'ERR_BUFFER_TOO_LARGE') throw error;
    return undefined;
  }
}

/** @returns undefined where Node's insides are not as expected */
function openGunzip(maxOutputLength: number) {
  const gunzip = createGunzip({ chunkSize: 64 }) as Internals;
  const handle = gunzip._handle;
  if (!handle || typeof gunzip._processChunk !== 'function') return undefined;
  room ??= Buffer.allocUnsafeSlow(roomSize);
  gunzip._outBuffer = room;
  gunzip._chunkSize = roomSize;
  gunzip._maxOutputLength = maxOutputLength;
  const closeHandle = handle.close.bind(handle);
  // It closes the handle after every piece.
  handle.close = () => {};
  return {
    take(piece: Buffer, flush: number): Buffer {
      const content = gunzip._processChunk(piece, flush);
      gunzip._handle = handle;
      gunzip.removeAllListeners('error');
      return content;
    },
    reset() {
      handle.reset();
    },
    close() {
      gunzip._handle = null;
      closeHandle();
    },
  };
}
