/** What a reader tells about an answer, in its order. */
export interface AnswerHandler {
  head(status: number, headers: Headers): void;
  /** @param piece of the body, to be used before this returns */
  data(piece: Buffer): void;
  /** The body is whole. */
  end(): void;
}

/** Names in lower case. Of several of one name the first counts. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** A head or a line of the framing that is longer than this is no honest registry's. */
const largestHead = 64 * 1024;
const largestLine = 4096;

/**
 * Reads one answer of an HTTP/1.1 server to a GET (RFC 9112), which comes in pieces of any size.
 * Takes what servers send and is strict about the rest: an answer whose end could be read in two
 * ways is refused. After `end` a new reader reads the next one.
 */
export class AnswerReader {
  readonly #handler: AnswerHandler;
  #state: 'head' | 'body' | 'until close' | 'size' | 'chunk' | 'after' | 'trailer' | 'end' = 'head';
  /** The beginning of a head or line whose rest is in the next piece. */
  #partial: Buffer | undefined;
  /** Bytes of the body or chunk that are still to come. */
  #left = 0;
  #trailer = 0;
  #isKept = false;

  constructor(handler: AnswerHandler) {
    this.#handler = handler;
  }

  /** True once the answer is whole and the connection may carry another. */
  get isReusable(): boolean {
    return this.#state === 'end' && this.#isKept;
  }

  /** True once the answer is whole. */
  get isOver(): boolean {
    return this.#state === 'end';
  }

  /** Bytes of the body that are still to come, where that is known. */
  get left(): number | undefined {
    return this.#state === 'body' ? this.#left : undefined;
  }

  /**
   * @throws Error with a code HPE_… for what is no answer; whatever the handler throws
   */
  write(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'end') {
        // Nobody asked for more.
        this.#isKept = false;
        return;
      }
      if (this.#state === 'body' || this.#state === 'chunk' || this.#state === 'until close')
        at = this.#readBody(piece, at);
      else at = this.#readText(piece, at);
    }
  }

  /** The connection has ended. @throws Error ECONNRESET when the answer is not whole */
  close(): void {
    if (this.#state === 'until close') this.#finish();
    if (this.#state !== 'end') throw broken('ECONNRESET', 'the connection was closed');
  }

  #readBody(piece: Buffer, at: number): number {
    const isOpen = this.#state === 'until close';
    const size = isOpen ? piece.length - at : Math.min(this.#left, piece.length - at);
    this.#left -= isOpen ? 0 : size;
    this.#handler.data(at === 0 && size === piece.length ? piece : piece.subarray(at, at + size));
    if (this.#left === 0 && this.#state === 'body') this.#finish();
    else if (this.#left === 0 && this.#state === 'chunk') this.#state = 'after';
    return at + size;
  }

  /** A head, or a line of the chunked framing. */
  #readText(piece: Buffer, at: number): number {
    const isHead = this.#state === 'head';
    const mark = isHead ? '\r\n\r\n' : '\r\n';
    const before = this.#partial?.length ?? 0;
    const all = this.#partial ? Buffer.concat([this.#partial, piece.subarray(at)]) : piece;
    const from = this.#partial ? 0 : at;
    const end = all.indexOf(mark, Math.max(from, before - mark.length), 'latin1');
    const size = (end < 0 ? all.length : end) - from;
    if (size > (isHead ? largestHead : largestLine))
      throw broken('HPE_HEADER_OVERFLOW', `${size} bytes without an end`);
    if (end < 0) {
      this.#partial = Buffer.from(all.subarray(from));
      return piece.length;
    }
    this.#partial = undefined;
    const text = all.toString('latin1', from, end);
    if (isHead) this.#takeHead(text);
    else this.#takeLine(text);
    return at + (end - from) + mark.length - before;
  }

  #takeHead(text: string): void {
    const [first = '', ...lines] = text.split('\r\n');
    const [, minor, code] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
    if (!code) throw broken('HPE_INVALID_CONSTANT', 'it is no HTTP/1 answer');
    const status = Number(code);
    const headers = readHeaders(lines);
    // An informational answer comes before the real one.
    if (status < 200 && status !== 101) return;
    if (status < 200) throw broken('HPE_INVALID_STATUS', `status ${status}`);
    const { 'transfer-encoding': encoding, 'content-length': length, connection = '' } = headers;
    const words = connection.toLowerCase();
    this.#isKept = minor === '1' ? !/\bclose\b/.test(words) : /\bkeep-alive\b/.test(words);
    if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || minor === '0'))
      throw broken('HPE_INVALID_TRANSFER_ENCODING', `the transfer encoding ${encoding}`);
    if (encoding !== undefined && length !== undefined)
      throw broken('HPE_UNEXPECTED_CONTENT_LENGTH', 'a length beside a transfer encoding');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw broken('HPE_INVALID_CONTENT_LENGTH', `the length ${length}`);
    this.#handler.head(status, headers);
    if (status === 204 || status === 304) return this.#finish();
    if (encoding !== undefined) this.#state = 'size';
    else if (length === undefined) {
      this.#isKept = false;
      this.#state = 'until close';
    } else {
      this.#left = Number(length);
      this.#state = 'body';
      if (this.#left === 0) this.#finish();
    }
  }

  #takeLine(line: string): void {
    if (this.#state === 'after') {
      if (line !== '') throw broken('HPE_STRICT', 'a chunk is longer than it says');
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const [, size] = /^([0-9a-f]{1,8})[\t ]*(?:;|$)/i.exec(line) ?? [];
      if (!size) throw broken('HPE_INVALID_CHUNK_SIZE', 'a chunk without a size');
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left > 0 ? 'chunk' : 'trailer';
    } else if (line === '') this.#finish();
    else {
      this.#trailer += line.length;
      if (this.#trailer > largestHead) throw broken('HPE_HEADER_OVERFLOW', 'a trailer without end');
    }
  }

  #finish(): void {
    this.#state = 'end';
    this.#handler.end();
  }
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const control = /[\0-\x08\n-\x1f\x7f]/;

function readHeaders(lines: readonly string[]): Headers {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!token.test(name) || control.test(line))
      throw broken('HPE_INVALID_HEADER_TOKEN', 'a line of its head is no header');
    const value = withoutBlanks(line, colon + 1);
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else if (name === 'connection') headers[name] = `${known}, ${value}`;
    else if (name === 'transfer-encoding' || (name === 'content-length' && known !== value))
      throw broken('HPE_UNEXPECTED_CONTENT_LENGTH', `two headers ${name}`);
  }
  return headers;
}

/** What stands from `from` on, less the blanks around it. A pattern would be quadratic in those inside. */
function withoutBlanks(line: string, from: number): string {
  const isBlank = (at: number) => line[at] === ' ' || line[at] === '\t';
  let start = from;
  let end = line.length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return line.slice(start, end);
}

function broken(code: string, what: string): Error {
  return Object.assign(new Error(`the answer is broken: ${what}`), { code });
}
