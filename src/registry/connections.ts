import { isIP, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net';
import { type Answer, ArrivingBody } from './answer';
import type { NetworkOptions } from './config';
import { AnswerReader } from './http-answer';

/** Milliseconds without a byte after which an answer is given up. */
export const silenceMs = 30_000;
/**
 * Connections to one host. A small package costs one way there and back: with a registry 30 ms away
 * 430 packages took 1.35 s over 12, 0.88 s over 24 and 0.72 s over 48.
 */
const mostConnections = 48;
/** Next door there is no difference, and opening one costs as much as a request. */
const mostNear = 12;
const nearMs = 5;
/** Rather than wait for so much of a body that nobody reads, open another connection. */
const worthDraining = 32 * 1024;

interface Request {
  readonly text: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  /** True once a kept connection that the other side had given up was all that failed. */
  isAgain?: boolean;
}

/** What arrives is read from here before anything else arrives, so that one serves all connections. */
let shared: Buffer | undefined;

/**
 * GET requests over kept connections to one origin, one at a time on each. Node's own client makes
 * some twenty objects and a dozen turns of its queues for each; this costs a fifth of it.
 */
export class Connections {
  readonly #origin: URL;
  readonly #network: NetworkOptions;
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: Request[] = [];
  #session: Buffer | undefined;
  #fastestMs = Number.POSITIVE_INFINITY;

  constructor(origin: URL, network: NetworkOptions) {
    this.#origin = origin;
    this.#network = network;
  }

  /** @param path with its query @throws what the connection fails with */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = requestText(path, { host: this.#origin.host, ...headers });
      this.#send({ text, resolve, reject });
    });
  }

  /** Breaks off what is under way. */
  close(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(hangUp());
    for (const connection of [...this.#open]) connection.destroy();
  }

  #send(request: Request): void {
    const idle = request.isAgain ? undefined : this.#idle.pop();
    if (idle) idle.send(request);
    else if (this.#open.size < this.#most() || request.isAgain) this.#connect(request);
    else this.#waiting.push(request);
  }

  #most(): number {
    return this.#fastestMs < nearMs ? mostNear : mostConnections;
  }

  #connect(request: Request): void {
    const connection: Connection = new Connection(this.#socket.bind(this), {
      answered: ms => {
        this.#fastestMs = Math.min(this.#fastestMs, ms);
      },
      free: () => {
        const next = this.#waiting.shift();
        if (next) connection.send(next);
        else this.#idle.push(connection);
      },
      closed: unanswered => {
        this.#open.delete(connection);
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
        const next = unanswered ? { ...unanswered, isAgain: true } : this.#waiting.shift();
        if (next) this.#send(next);
      },
    });
    this.#open.add(connection);
    connection.send(request);
  }

  #socket(onread: OnReadOpts): Socket {
    const { protocol, hostname, port } = this.#origin;
    const host = hostname.replace(/^\[|\]$/g, '');
    const isTls = protocol === 'https:';
    const to = { host, port: Number(port || (isTls ? 443 : 80)), onread };
    if (!isTls) return process.getBuiltinModule('node:net').connect(to as NetConnectOpts);
    // TLS is a tenth of what a start of Node costs, so only where it is used.
    const socket = process.getBuiltinModule('node:tls').connect({
      ...to,
      servername: isIP(host) ? '' : host,
      ca: this.#network.ca,
      rejectUnauthorized: this.#network.strictSSL,
      session: this.#session,
    });
    socket.on('session', session => {
      this.#session = session;
    });
    return socket;
  }
}

interface Owner {
  /** @param ms from the request to the head of its answer */
  answered(ms: number): void;
  free(): void;
  /** @param unanswered a request that a kept connection took and did not answer at all */
  closed(unanswered: Request | undefined): void;
}

/** One connection: takes a request when it is free. */
class Connection {
  readonly #socket: Socket;
  readonly #owner: Owner;
  #isReady = false;
  #isClosed = false;
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

  send(request: Request): void {
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
        else {
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
    if (this.#isClosed) return;
    this.#isClosed = true;
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

function requestText(path: string, headers: Readonly<Record<string, string>>): string {
  const all = { connection: 'keep-alive', 'user-agent': 'bootlace', ...headers };
  const lines = Object.entries(all).map(([name, value]) => {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw Object.assign(new Error(`the header ${name} holds what no header may hold`), {
        code: 'ERR_INVALID_CHAR',
      });
    return `${name}: ${value}\r\n`;
  });
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function silence(): Error {
  return Object.assign(new Error(`no answer for ${silenceMs / 1000} s`), { code: 'ETIMEDOUT' });
}

function hangUp(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
