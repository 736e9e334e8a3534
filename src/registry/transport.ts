import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { NetworkOptions } from './config';

/** An answer whose body has not been read. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Readable;
  /** Gives the connection up without reading the body. */
  discard(): void;
}

/** One GET, one answer: no redirect is followed, nothing is tried again. */
export interface Transport {
  get(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /** Breaks off what is under way and gives up the connections; a later request opens new ones. */
  close(): void;
}

const silenceMs = 30_000;
/**
 * Connections to one host. A small package costs one way there and back: with a registry 30 ms away
 * 430 packages took 1.35 s over 12, 0.88 s over 24 and 0.72 s over 48; next door there is no difference.
 */
const mostConnections = 48;

/**
 * The way to registries: Node's own client with kept connections, or, where a proxy stands in
 * between, npm's.
 */
export function createTransport(network: NetworkOptions): Transport {
  return network.proxy || network.httpsProxy ? npmTransport(network) : plainTransport(network);
}

function plainTransport({ ca, strictSSL }: NetworkOptions): Transport {
  const options = {
    keepAlive: true,
    maxSockets: mostConnections,
    maxFreeSockets: mostConnections,
  };
  const agents: { http?: Agent; https?: Agent } = {};
  return {
    get(url, headers) {
      const isTls = url.protocol === 'https:';
      const name = isTls ? 'https' : 'http';
      // TLS is a tenth of what a start of Node costs, so only where it is used.
      const { Agent, request } = process.getBuiltinModule(`node:${name}`);
      agents[name] ??= new Agent({
        ...options,
        ...(isTls && { ca, rejectUnauthorized: strictSSL }),
      });
      const agent = agents[name];
      return new Promise((resolve, reject) => {
        const sent: ClientRequest = request(url, { agent, headers, timeout: silenceMs }, answer =>
          resolve(answerOf(answer)),
        );
        sent.once('timeout', () => sent.destroy(silence()));
        sent.once('error', reject);
        sent.end();
      });
    },
    close() {
      agents.http?.destroy();
      agents.https?.destroy();
    },
  };
}

function answerOf(message: IncomingMessage): Answer {
  return {
    status: message.statusCode ?? 0,
    headers: message.headers as Record<string, string>,
    body: message,
    discard: () => message.destroy(),
  };
}

function silence(): Error {
  return Object.assign(new Error(`no answer for ${silenceMs / 1000} s`), { code: 'ETIMEDOUT' });
}

function npmTransport(network: NetworkOptions): Transport {
  let stop = new AbortController();
  return {
    async get(url, headers) {
      const { fetch } = await import('./npm-libraries');
      const answer = await fetch(url.href, {
        headers,
        redirect: 'manual',
        cache: 'no-store',
        retry: false,
        timeout: silenceMs,
        signal: stop.signal,
        ca: network.ca,
        strictSSL: network.strictSSL,
        noProxy: network.noProxy,
        proxy: network.httpsProxy || network.proxy,
      });
      return {
        status: answer.status,
        headers: flat(answer.headers.raw()),
        ...bodyOf(answer.body),
      };
    },
    close() {
      stop.abort();
      stop = new AbortController();
    },
  };
}

function flat(headers: Record<string, string[]> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([key, values]) => [key.toLowerCase(), String(values)]),
  );
}

function bodyOf(
  source: Iterable<Buffer> | AsyncIterable<Buffer>,
): Pick<Answer, 'body' | 'discard'> {
  const body = Readable.from(source);
  return { body, discard: () => body.destroy() };
}

/**
 * Reads a body to its end.
 * @param take told each piece; what it throws ends the reading
 */
export function readBody({ body }: Answer, take: (piece: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('data', (piece: Buffer) => {
      try {
        take(piece);
      } catch (error) {
        reject(error);
        body.destroy();
      }
    });
    body.once('end', resolve);
    body.once('error', reject);
    body.once('close', () => {
      if (!body.readableEnded && !body.errored)
        reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    });
  });
}
