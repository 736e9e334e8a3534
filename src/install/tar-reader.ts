import { IntegrityError } from '../errors';

/** What a reader tells about an archive, in its order. Bodies come in one or more pieces. */
export interface TarHandler {
  /**
   * A file begins.
   * @param path as it stands in the archive
   * @param mode permission bits as they stand in the archive
   * @returns false to skip it
   */
  file(path: string, mode: number, size: number): boolean;
  data(piece: Buffer): void;
  /** The file is whole. */
  end(): void;
}

/** No package comes near these; what passes them is made to fill a disk or a memory. */
export const mostEntries = 200_000;
const largestHeader = 1024 * 1024;

/**
 * Reads tar archives as npm's own reader does (ustar, PAX, GNU long names), and of all that they
 * can hold gives files only: folders, links, devices and unknown kinds are passed over. Takes the
 * archive in pieces of any size and keeps at most one header of it.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #name: string;
  /** The beginning of a header whose rest is in the next piece. */
  #partial: Buffer | undefined;
  #state: 'header' | 'file' | 'skip' | 'meta' = 'header';
  /** Bytes of the body, and of it with its padding, that are still to come. */
  #body = 0;
  #padded = 0;
  #meta: Buffer[] = [];
  #metaType = '';
  #local: Extended | undefined;
  #global: Extended | undefined;
  #entries = 0;
  #nullBlock = false;
  #ended = false;
  #valid = false;

  /** @param name what is read, for the failure: `left@1.0.0` */
  constructor(name: string, handler: TarHandler) {
    this.#name = name;
    this.#handler = handler;
  }

  /**
   * @throws IntegrityError TARBALL_HOSTILE for what no honest archive holds; whatever the handler throws
   */
  write(piece: Buffer): void {
    let at = 0;
    while (at < piece.length && !this.#ended) {
      if (this.#state !== 'header') at = this.#readBody(piece, at);
      else if (this.#partial) {
        const need = 512 - this.#partial.length;
        const block = Buffer.concat([this.#partial, piece.subarray(at, at + need)]);
        at += need;
        if (block.length === 512) {
          this.#partial = undefined;
          this.#readHeader(block, 0);
        } else this.#partial = block;
      } else if (piece.length - at >= 512) {
        this.#readHeader(piece, at);
        at += 512;
      } else {
        // A copy: the piece may be used again by its owner.
        this.#partial = Buffer.from(piece.subarray(at));
        at = piece.length;
      }
    }
  }

  /** @throws IntegrityError TARBALL_INVALID when the archive is cut off or is none */
  close(): void {
    if (this.#padded > 0) throw this.#invalid('it is cut off');
    if (!this.#valid) throw this.#invalid('it holds no entry');
  }

  #readBody(piece: Buffer, from: number): number {
    const content = Math.min(this.#body, piece.length - from);
    if (content > 0) {
      const part = piece.subarray(from, from + content);
      if (this.#state === 'file') this.#handler.data(part);
      else if (this.#state === 'meta') this.#meta.push(Buffer.from(part));
      this.#body -= content;
      if (this.#body === 0) this.#valid = true;
      if (this.#body === 0 && this.#state === 'file') {
        this.#handler.end();
        this.#state = 'skip';
      }
    }
    const step = Math.min(this.#padded, piece.length - from);
    this.#padded -= step;
    if (this.#padded === 0) {
      if (this.#state === 'meta') this.#takeMeta();
      this.#state = 'header';
    }
    return from + step;
  }

  #readHeader(block: Buffer, at: number): void {
    if (++this.#entries > mostEntries)
      throw hostile(this.#name, `more than ${mostEntries} entries`);
    const wanted = readNumber(block, at + 148, 8);
    const sum = checksum(block, at);
    if (wanted === undefined && sum === 8 * 0x20) {
      if (this.#nullBlock) this.#ended = true;
      this.#nullBlock = true;
      return;
    }
    this.#nullBlock = false;
    // A broken header is passed over block by block, as npm does, until one is right.
    if (sum !== wanted) return;
    const type = String.fromCharCode(block[at + 156] || 0x30);
    // Extended headers speak of the next file, not of another extended header before it.
    const isMeta = metaTypes.includes(type);
    const local = isMeta ? undefined : this.#local;
    const path = local?.path ?? readPath(block, at);
    if (!path) return;
    const isLink = type === '1' || type === '2';
    const linkpath = local?.linkpath !== undefined ? local.linkpath !== '' : block[at + 157] !== 0;
    if (isLink !== linkpath && type !== 'x' && type !== 'g') return;
    const isFolder = type === '5' || (type === '0' && path.endsWith('/'));
    const declared =
      local?.size ??
      (isMeta ? undefined : this.#global?.size) ??
      readNumber(block, at + 124, 12) ??
      0;
    const size = isFolder ? 0 : Math.max(0, declared);
    if (!Number.isSafeInteger(size)) throw hostile(this.#name, `an entry of ${size} bytes`);
    if (size === 0) this.#valid = true;
    this.#body = size;
    this.#padded = Math.ceil(size / 512) * 512;
    if (isMeta) {
      if (size > largestHeader) throw hostile(this.#name, `a name of ${size} bytes`);
      this.#meta = [];
      this.#metaType = type;
      this.#state = size > 0 ? 'meta' : 'header';
      return;
    }
    this.#local = undefined;
    this.#state = size > 0 ? 'skip' : 'header';
    if (isFolder || (type !== '0' && type !== '7')) return;
    const mode = local?.mode ?? this.#global?.mode ?? readNumber(block, at + 100, 8) ?? 0;
    if (!this.#handler.file(path, mode & 0o7777, size)) return;
    if (size > 0) this.#state = 'file';
    else this.#handler.end();
  }

  #takeMeta(): void {
    const text = Buffer.concat(this.#meta).toString('utf8');
    this.#meta = [];
    const type = this.#metaType;
    if (type === 'g') this.#global = readPax(text, this.#global);
    else if (type === 'x' || type === 'X') this.#local = readPax(text, this.#local);
    else this.#local = { ...this.#local, [type === 'K' ? 'linkpath' : 'path']: untilNull(text) };
  }

  #invalid(what: string): IntegrityError {
    return new IntegrityError(
      'TARBALL_INVALID',
      `the tarball of ${this.#name} is broken: ${what}`,
      {
        fix: 'its publisher has to publish a new version',
        facts: { package: this.#name },
      },
    );
  }
}

/** The failure for an archive that is made to harm. */
export function hostile(name: string, what: string): IntegrityError {
  return new IntegrityError('TARBALL_HOSTILE', `the tarball of ${name} holds ${what}`, {
    fix: "do not install this; tell the package's publisher or the registry's owner",
    facts: { package: name },
  });
}

/** PAX local, global and old; GNU long path, long link path, old long path. */
const metaTypes = 'xgXLKN';

interface Extended {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  readonly mode?: number;
}

/** The sum of a header's bytes, its own field counted as blanks. */
function checksum(block: Buffer, at: number): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += block[at + i] as number;
  return sum;
}

const ustar = Buffer.from('ustar\u000000', 'latin1');

function readPath(block: Buffer, at: number): string {
  const path = readText(block, at, 100);
  for (let i = 0; i < ustar.length; i++) if (block[at + 257 + i] !== ustar[i]) return path;
  // A longer prefix and two dates share the same bytes, in the two ways that there are.
  const isLong = block[at + 475] !== 0;
  const prefix = readText(block, at + 345, isLong ? 155 : 130);
  return prefix || isLong ? `${prefix}/${path}` : path;
}

function readText(block: Buffer, at: number, size: number): string {
  let end = at;
  while (end < at + size && block[end] !== 0) end++;
  return end === at ? '' : block.toString('utf8', at, end);
}

/** Octal text, or base 256 when the first bit is set; undefined for neither. */
function readNumber(block: Buffer, at: number, size: number): number | undefined {
  const first = block[at] as number;
  if (first & 0x80) {
    let value = 0;
    for (let i = at + 1; i < at + size; i++) value = value * 256 + (block[i] as number);
    return first === 0x80 ? value : -1;
  }
  let value = 0;
  let digits = 0;
  for (let i = at; i < at + size; i++) {
    const digit = (block[i] as number) - 0x30;
    if (digit >= 0 && digit <= 7) {
      value = value * 8 + digit;
      digits++;
    } else if (digits > 0 || !isBlank(block[i] as number)) break;
  }
  return digits > 0 ? value : undefined;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 9 && byte <= 13);
}

/** `LENGTH key=value` lines; a line whose length is wrong is passed over. */
function readPax(text: string, before: Extended | undefined): Extended {
  const found: { -readonly [K in keyof Extended]: Extended[K] } = { ...before };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const length = Number.parseInt(line, 10);
    if (length !== Buffer.byteLength(line) + 1) continue;
    const record = line.slice(`${length} `.length);
    const at = record.indexOf('=');
    const key = record.slice(0, at);
    const value = untilNull(record.slice(at + 1));
    if (key === 'path' && value) found.path = value;
    else if (key === 'linkpath') found.linkpath = value;
    else if (key === 'size' && Number(value) >= 0) found.size = Number(value);
    else if (key === 'mode' && Number(value) >= 0) found.mode = Number(value);
  }
  return found;
}

function untilNull(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
