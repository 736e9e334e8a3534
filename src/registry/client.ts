import { gunzipSync } from 'node:zlib';
import { BootlaceError, NetworkError, systemCode } from '../errors';
import type { Io } from '../io';
import type { Answer } from './answer';
import { authorizationFor } from './authorization';
import { type RegistryConfig, registryOf } from './config';
import { kindOfToken, notJson, registryFailure, unreachable } from './failure';
import { getFollowing } from './follow';
import { type Packument, parsePackument } from './packument';
import { isFinalFault, parseRetryAfter, retry } from './retry';
import { createTransport, type Transport } from './transport';

export interface ClientOptions {
  io: Pick<Io, 'now' | 'sleep'>;
  config: RegistryConfig;
  /** Connections to use and to keep; without them each request opens and closes its own. */
  transport?: Transport;
  /** Retries end this long after the first try of a request. */
  deadlineMs?: number;
  /** How long one try may take. */
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

export function createRegistryClient(options: ClientOptions): RegistryClient {
  const { config, io } = options;
  const deadlineMs = options.deadlineMs ?? 60_000;

  return {
    async packument(name, full = false) {
      const registry = registryOf(name, config);
      const url = registry + name.replace('/', '%2f');
      const begun = io.now();
      const text = await retry(() => get(url, name, registry, full, begun), {
        io,
        deadlineMs,
        signal: options.signal,
        retryAfter: waitFor,
        onRetry: options.onRetry,
      });
      return parsePackument(text, name, registry);
    },
  };

  /** @param begun when the first try did */
  async function get(
    url: string,
    name: string,
    registry: string,
    full: boolean,
    begun: number,
  ): Promise<unknown> {
    const transport = options.transport ?? createTransport(config.network);
    const stop = () => transport.close();
    // The whole of a try: a registry that sends a byte now and then must not hold us.
    const timer = setTimeout(stop, options.tryMs ?? tryTimeoutMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    try {
      const accept = full
        ? 'application/json'
        : 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
      const headers = { accept, 'cache-control': 'no-cache', 'accept-encoding': 'gzip' };
      const answer = await getFollowing(url, name, headers, {
        config,
        transport,
        signal: options.signal,
      });
      const body = await readWhole(answer, name, registry);
      if (answer.status === 200) return parseJson(body, answer, registry);
      throw refusalOf(answer, body, url, name, registry);
    } catch (error) {
      if (error instanceof BootlaceError) throw error;
      options.signal?.throwIfAborted();
      throw unreachable(registry, error, Math.round((io.now() - begun) / 1000));
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      if (!options.transport) transport.close();
    }
  }

  function refusalOf(
    { status, headers }: Answer,
    body: Buffer,
    url: string,
    name: string,
    registry: string,
  ): BootlaceError {
    const sent = authorizationFor(url, config);
    const failure = registryFailure({
      status,
      headers,
      body: body.toString('utf8'),
      package: name,
      registry,
      tokenFrom: sent?.from,
      tokenEnv: config.tokenEnv,
      tokenHint: config.tokenHint,
      tokenKind: sent?.token && kindOfToken(sent.token),
    });
    retryAfterOf.set(failure, parseRetryAfter(headers['retry-after'], io.now()));
    return failure;
  }
}

/** A body of bounded size, gunzipped. */
async function readWhole(answer: Answer, name: string, registry: string): Promise<Buffer> {
  const announced = Number(answer.headers['content-length'] ?? Number.NaN);
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    await answer.read(piece => {
      size += piece.length;
      if (size > largestDocument || announced > largestDocument)
        throw tooLarge(registry, name, size);
      pieces.push(Buffer.from(piece));
    });
  } catch (error) {
    answer.discard();
    throw error;
  }
  if (size < announced)
    throw Object.assign(new Error('the answer is cut off'), { code: 'ECONNRESET' });
  const body = Buffer.concat(pieces);
  if (answer.headers['content-encoding'] !== 'gzip') return body;
  try {
    return gunzipSync(body, { maxOutputLength: largestDocument });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE')
      throw tooLarge(registry, name, largestDocument);
    throw notJson(registry, 'broken gzip');
  }
}

function parseJson(body: Buffer, { headers }: Answer, registry: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    const type = headers['content-type'];
    throw notJson(registry, /json/.test(type ?? '') ? 'broken JSON' : type);
  }
}

function tooLarge(registry: string, name: string, bytes: number): NetworkError {
  return new NetworkError(
    'REGISTRY_BAD_ANSWER',
    `${registry} answers for ${name} with ${bytes} bytes or more`,
    { fix: 'check BACKEND_REGISTRY: is it the address of an npm registry?' },
  );
}

/** What a failure's answer asked for; kept beside it, because it is no fact for the user. */
const retryAfterOf = new WeakMap<Error, number | undefined>();

const retryable = new Set(['RATE_LIMITED', 'REGISTRY_ERROR', 'REGISTRY_UNREACHABLE']);

function waitFor(error: unknown): false | number | undefined {
  if (!(error instanceof BootlaceError) || !retryable.has(error.code)) return false;
  if (isFinalFault(error.cause)) return false;
  return retryAfterOf.get(error);
}
