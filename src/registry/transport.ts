import { Readable } from 'node:stream';
import type { Answer } from './answer';
import { silenceMs } from './connection';
import { Connections } from './connections';
import type { NetworkOptions } from './network';

/** One GET, one answer: no redirect is followed, nothing is tried again. */
export interface Transport {
  get(url: URL, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /** Breaks off what is under way and gives up the connections; a later request opens new ones. */
  close(): void;
}

/** The way to registries: kept connections, or, where a proxy stands in between, npm's client. */
export function createTransport(network: NetworkOptions): Transport {
  return network.proxy || network.httpsProxy ? npmTransport(network) : plainTransport(network);
}

function plainTransport(network: NetworkOptions): Transport {
  const origins = new Map<string, Connections>();
  return {
    get(url, headers) {
      let connections = origins.get(url.origin);
      if (!connections) {
        connections = new Connections(url, network);
        origins.set(url.origin, connections);
      }
      return connections.get(url.pathname + url.search, headers);
    },
    close() {
      for (const connections of origins.values()) connections.close();
    },
  };
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

function bodyOf(source: AsyncIterable<Buffer>): Pick<Answer, 'read' | 'discard'> {
  const body = Readable.from(source);
  return {
    async read(take) {
      for await (const piece of body) take(piece);
    },
    discard: () => body.destroy(),
  };
}
