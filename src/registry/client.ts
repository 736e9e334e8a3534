import type { IncomingMessage } from 'node:http';
import { BootlaceError, NetworkError } from '../errors';
import type { Io } from '../io';
import { ask, beginningOf, receive } from './answer';
import { type RegistryConfig, registryOf } from './config/config';
import { withoutCredentials } from './config/credentials';
import { kindOfToken, notJson, registryFailure, unreachable } from './failure';
import { firstHop, type Hop } from './follow';
import { type Packument, parsePackument } from './packument';
import { isFinalFault, parseRetryAfter, retry, retryAfterOf } from './retry';
import { createTransport, type Transport } from './transport';

export interface ClientOptions {
  io: Pick<Io, 'now' | 'sleep'>;
  config: RegistryConfig;
  /** Connections to use and to keep; without them each request opens and closes its own. */
  transport?: Transport;
  /** Retries end this many milliseconds after the first try of a request. */
  deadlineMs?: number;
  /** How many milliseconds one try may take. */
  tryMs?: number;
  signal?: AbortSignal;
  /** Told in one plain sentence before each wait. */
  onRetry?: (sentence: string) => void;
}

export interface RegistryClient {
  /**
   * Asks the package's registry for its document, never from a cache.
   * @param full the whole document, with scripts and exports, instead of the abbreviated one
   * @throws AuthError, NotFoundError or NetworkError with the registry's own words in its facts
   */
  packument(name: string, full?: boolean): Promise<Packument>;
}

const tryTimeoutMs = 60_000;
const largestDocument = 256 * 1024 * 1024;

/** Asks registries for packuments, each within a bounded time and size. */
export function createRegistryClient(options: ClientOptions): RegistryClient {
  const { config, io } = options;

  return {
    async packument(name, full = false) {
      const registry = registryOf(name, config);
      const url = registry + name.replace('/', '%2f');
      const begun = io.now();
      const value = await retry(() => attempt(url, name, registry, full, begun), {
        io,
        deadlineMs: options.deadlineMs ?? 60_000,
        signal: options.signal,
        retryAfter: waitFor,
        onRetry: options.onRetry,
      });
      return parsePackument(value, name, registry);
    },
  };

  /** @param begun when the first try did */
  async function attempt(
    url: string,
    name: string,
    registry: string,
    full: boolean,
    begun: number,
  ): Promise<unknown> {
    // Before the timer: a refused address must not leave one running.
    const first = firstHop(url, config);
    const transport = options.transport ?? createTransport(config.network);
    // The whole of a try: a registry that sends a byte now and then must not hold us.
    const over = new AbortController();
    const stop = () => over.abort();
    const timer = setTimeout(stop, options.tryMs ?? tryTimeoutMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    try {
      options.signal?.throwIfAborted();
      const response = await ask(first, name, headersFor(full), transport, over.signal);
      if (response.statusCode !== 200) throw await refusalOf(response, first, name, registry);
      const type = response.headers['content-type'];
      return parseJson(await readWhole(response, name, registry), type, registry);
    } catch (error) {
      if (error instanceof BootlaceError) throw error;
      options.signal?.throwIfAborted();
      const cause = over.signal.aborted ? tooLate() : error;
      throw unreachable(registry, cause, Math.round((io.now() - begun) / 1000));
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      if (!options.transport) transport.close();
    }
  }

  async function refusalOf(
    response: IncomingMessage,
    { credentials }: Hop,
    name: string,
    registry: string,
  ): Promise<BootlaceError> {
    const headers = response.headers as Record<string, string | undefined>;
    const failure = registryFailure({
      status: response.statusCode ?? 0,
      headers,
      body: withoutCredentials(await beginningOf(response), credentials),
      package: name,
      registry,
      tokenFrom: credentials?.from,
      tokenHere: config.tokenHere,
      tokenHint: config.tokenHint,
      tokenKind: credentials?.token && kindOfToken(credentials.token.reveal()),
    });
    retryAfterOf.set(failure, parseRetryAfter(headers['retry-after'], io.now()));
    return failure;
  }
}

function headersFor(full: boolean): Record<string, string> {
  return {
    accept: full
      ? 'application/json'
      : 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*',
    'accept-encoding': 'gzip',
    'cache-control': 'no-cache',
  };
}

/** A body of bounded size. */
async function readWhole(
  response: IncomingMessage,
  name: string,
  registry: string,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  await receive(response, piece => {
    size += piece.length;
    if (size > largestDocument)
      throw new NetworkError(
        'REGISTRY_BAD_ANSWER',
        `${registry} answers for ${name} with ${size} bytes or more`,
        { fix: 'check BACKEND_REGISTRY: is it the address of an npm registry?' },
      );
    pieces.push(piece);
  });
  return Buffer.concat(pieces);
}

function parseJson(body: Buffer, type: string | undefined, registry: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw notJson(registry, /json/.test(type ?? '') ? 'broken JSON' : type);
  }
}

function tooLate(): Error {
  return Object.assign(new Error('the answer took too long'), { code: 'ETIMEDOUT' });
}

const retryable = new Set(['RATE_LIMITED', 'REGISTRY_ERROR', 'REGISTRY_UNREACHABLE']);

function waitFor(error: unknown): false | number | undefined {
  if (!(error instanceof BootlaceError) || !retryable.has(error.code)) return false;
  if (isFinalFault(error.cause)) return false;
  return retryAfterOf.get(error);
}
