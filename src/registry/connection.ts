import type { OnReadOpts, Socket } from 'node:net';
import { type Answer, ArrivingBody } from './answer';
import { AnswerReader } from './http-answer';

/** Milliseconds without a byte after which an answer is given up. */
export const silenceMs = 30_000;
/** Rather than wait for so much of a body that nobody reads, open another connection. */
const worthDraining = 32 * 1024;

/** A GET that waits for its answer. */
export interface Request {
  readonly text: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  /** True once a kept connection that the other side had given up was all that failed. */
  readonly isAgain?: boolean;
}

/** What arrives is read from here before anything else arrives, so that one serves all connections. */
let shared: Buffer | undefined;

/** Who keeps a connection. */
export interface Owner {
  /** @param ms from the request to the head of its answer */
  answered(ms: number): void;
  free(): void;
  /** @param unanswered a request that a kept connection took and did not answer at all */
  closed(unanswered: Request | undefined): void;
}

/** One connection: takes a request when it is free. */
export class Connection {
  readonly #socket: Socket;
  readonly #owner: Owner;
  #isReady = false;
  #isPaused = false;
  #isBrokenOff = false;
  #answers = 0;
  #request: Request | undefined;
  #sentAt = 0;
  #reader: AnswerReader | undefined;
  #body: ArrivingBody | undefined;
  #error: unknown;

  constructor(connect: (onread: OnReadOpts) => Socket, owner: Owner) {
    shared ??= Buffer.allocUnsafeSlow(64 * 1024);
    this.#owner = owner;
    const socket = connect({ buffer: shared, callback: size => this.#take(size) });
    this.#socket = socket;
    socket.setTimeout(silenceMs, () => this.destroy(silence()));
    // With TLS only now is it known who is there.
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      this.#isReady = true;
      this.#write();
    });
    socket.once('end', () => this.#ended());
    socket.once('error', error => {
      this.#error ??= error;
    });
    socket.once('close', () => this.#closed());
  }

  get isBrokenOff(): boolean {
    return this.#isBrokenOff;
  }

  /** Waits for the next request, and keeps nothing running meanwhile. */
  rest(): void {
    this.#socket.unref();
  }

  send(request: Request): void {
    this.#socket.ref();
    this.#request = request;
    this.#reader = new AnswerReader({
      head: (status, headers) => this.#head(status, headers),
      data: piece => this.#body?.push(piece),
      end: () => this.#body?.end(),
    });
    if (this.#isReady) this.#write();
  }

  /** @param error what to say to who waits for an answer */
  destroy(error: unknown = hangUp()): void {
    this.#isBrokenOff = true;
    this.#error ??= error;
    this.#socket.destroy();
  }

  #write(): void {
    if (!this.#request) return;
    this.#sentAt = performance.now();
    this.#socket.write(this.#request.text, 'latin1');
  }

  #take(size: number): boolean {
    const reader = this.#reader;
    if (!reader) {
      // Nobody asked.
      this.destroy();
      return false;
    }
    const isUnread = this.#body?.isRead === false;
    try {
      reader.write((shared as Buffer).subarray(0, size));
      // Who reads may have given it up.
      if (this.#isBrokenOff) return true;
      if (reader.isReusable) this.#free();
      else if (reader.isOver) this.destroy();
      else if (isUnread && this.#body?.isRead === false) this.#pause();
    } catch (error) {
      this.destroy(error);
    }
    return true;
  }

  #head(status: number, headers: Answer['headers']): void {
    const body = new ArrivingBody();
    const request = this.#request;
    this.#body = body;
    this.#request = undefined;
    this.#owner.answered(performance.now() - this.#sentAt);
    request?.resolve({
      status,
      headers,
      read: take => {
        const read = body.read(take);
        this.#resume();
        return read;
      },
      discard: () => {
        if (this.#body !== body) return;
        if ((this.#reader?.left ?? Number.POSITIVE_INFINITY) > worthDraining) this.destroy();
        else if (!body.isRead) {
          body.read(() => {}).catch(() => {});
          this.#resume();
        }
      },
    });
  }

  /** Nobody reads yet: no more is taken. */
  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  #free(): void {
    this.#reader = undefined;
    this.#body = undefined;
    this.#answers++;
    this.#owner.free();
  }

  #ended(): void {
    try {
      this.#reader?.close();
    } catch (error) {
      this.#error ??= error;
    }
  }

  #closed(): void {
    const error = this.#error ?? hangUp();
    this.#body?.end(error);
    // The other side may have given a kept connection up while the request was on its way.
    const isStale = this.#answers > 0 && !this.#isBrokenOff && !this.#request?.isAgain;
    const unanswered = isStale ? this.#request : undefined;
    if (!unanswered) this.#request?.reject(error);
    this.#request = undefined;
    this.#owner.closed(unanswered);
  }
}

function silence(): Error {
  return Object.assign(new Error(`no answer for ${silenceMs / 1000} s`), { code: 'ETIMEDOUT' });
}

export function hangUp(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
