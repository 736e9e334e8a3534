import { constants, gunzipSync } from 'node:zlib';

/** What a body is that should be a tarball. */
export type BodyKind = 'tarball' | 'nothing' | 'a web page' | 'JSON' | 'gzip within gzip' | 'other';

const tarBlock = 512;

/**
 * Tells a tarball from what a registry or a proxy may send in its place.
 * @param beginning the first bytes of the body, at least 1024 of them where it has so many
 */
export function kindOfBody(beginning: Buffer): BodyKind {
  if (beginning.length === 0) return 'nothing';
  if (!isGzip(beginning)) return isTarHeader(beginning) ? 'tarball' : kindOfText(beginning);
  const content = gunzipBeginning(beginning);
  // A tarball of which a byte was changed need not be gzip any more.
  if (!content || isTarHeader(content)) return 'tarball';
  return isGzip(content) ? 'gzip within gzip' : 'other';
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** @returns undefined for bytes that are no gzip */
function gunzipBeginning(bytes: Buffer): Buffer | undefined {
  try {
    // The end is missing, which this flush allows (nodejs.org/api/zlib.html, "Compressing HTTP
    // requests and responses"). 4 kB make at most 4 MB.
    return gunzipSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 8 * 1024 * 1024,
    });
  } catch {
    return undefined;
  }
}

/** A tar header holds the sum of its bytes, its own field counted as blanks. */
function isTarHeader(bytes: Buffer): boolean {
  if (bytes.length < tarBlock) return false;
  const stored = Number.parseInt(bytes.toString('latin1', 148, 156).replace(/[\0 ]/g, ''), 8);
  let sum = 8 * 0x20;
  for (let i = 0; i < tarBlock; i++) if (i < 148 || i >= 156) sum += bytes[i] as number;
  return sum === stored;
}

function kindOfText(bytes: Buffer): BodyKind {
  const text = bytes.toString('latin1').trimStart();
  if (/^<(!doctype|html|head|body|\?xml)/i.test(text)) return 'a web page';
  return /^[{[]/.test(text) ? 'JSON' : 'other';
}
