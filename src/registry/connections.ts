import { isIP, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net';
import type { Answer } from './answer';
import { Connection, hangUp, type Request } from './connection';
import type { NetworkOptions } from './network';

/**
 * Connections to one host. A small package costs one way there and back: with a registry 30 ms away
 * 430 packages took 1.35 s over 12, 0.88 s over 24 and 0.72 s over 48.
 */
const mostConnections = 48;
/** Next door there is no difference, and opening one costs as much as a request. */
const mostNear = 12;
const nearMs = 5;

/**
 * GET requests over kept connections to one origin, one at a time on each. Node's own client makes
 * some twenty objects and a dozen turns of its queues for each request: the 423 packages of node-red
 * took 0.94 s and 140 MB with it, and take 0.77 s and 112 MB so.
 */
export class Connections {
  readonly origin: URL;
  readonly #network: NetworkOptions;
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: Request[] = [];
  #session: Buffer | undefined;
  #fastestMs = Number.POSITIVE_INFINITY;

  constructor(origin: URL, network: NetworkOptions) {
    this.origin = origin;
    this.#network = network;
  }

  /** @param path with its query @throws what the connection fails with */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = requestText(path, { host: this.origin.host, ...headers });
      this.#send({ text, resolve, reject });
    });
  }

  /** Breaks off what is under way. */
  close(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(hangUp());
    for (const connection of [...this.#open]) connection.destroy();
  }

  #send(request: Request): void {
    // Until its end is told, a broken connection may still be among them.
    let idle = request.isAgain ? undefined : this.#idle.pop();
    while (idle?.isBrokenOff) idle = this.#idle.pop();
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
        else {
          this.#idle.push(connection);
          connection.rest();
        }
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
    const { protocol, hostname, port } = this.origin;
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
    socket.once('error', () => {
      this.#session = undefined;
    });
    return socket;
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
