import { BootlaceError, NetworkError } from '../errors';
import type { Io } from '../io';
import { type RegistryConfig, registryOf } from './config/config';
import { withoutCredentials } from './config/credentials';
import { kindOfToken, notJson, registryFailure, unreachable } from './failure';
import { firstHop, type Hop, nextHop, redirectRefused } from './follow';
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

/** What npm-registry-fetch throws for a status of 400 and more. */
interface HttpError {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

/**
 * Asks registries for packuments with npm's own client. It has no Retry-After and follows redirects
 * with credentials across ports, so those two are done here.
 */
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
      const accept = full
        ? 'application/json'
        : 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
      const { body, headers } = await follow(first, name, accept, transport, over.signal);
      return parseJson(
        await readWhole(body, name, registry),
        headers.get('content-type'),
        registry,
      );
    } catch (error) {
      if (error instanceof BootlaceError) throw error;
      options.signal?.throwIfAborted();
      if (isHttpError(error)) throw refusalOf(error, first, name, registry);
      const cause = over.signal.aborted ? tooLate() : error;
      throw unreachable(registry, cause, Math.round((io.now() - begun) / 1000));
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
      if (!options.transport) transport.close();
    }
  }

  /** npm's client follows redirects within one origin; the agent refuses it every other. */
  async function follow(
    first: Hop,
    name: string,
    accept: string,
    transport: Transport,
    signal: AbortSignal,
  ) {
    const { registryFetch } = await import('./npm-libraries');
    for (let hop = first; ; ) {
      const agent = await transport.agent(hop.url);
      let elsewhere: URL | undefined;
      try {
        return await registryFetch(hop.url.href, {
          agent(url) {
            if (url.origin === hop.url.origin) return agent;
            elsewhere = url;
            throw new Error('another origin');
          },
          headers: { accept, 'cache-control': 'no-cache' },
          forceAuth: {
            _authToken: hop.credentials?.token?.reveal(),
            _auth: hop.credentials?.basic?.reveal(),
          },
          fetchRetries: 0,
          timeout: options.tryMs ?? tryTimeoutMs,
          signal,
        });
      } catch (error) {
        if (elsewhere) hop = nextHop(hop, elsewhere.href, name);
        else if (isRedirectFault(error)) throw redirectRefused(name, hop.url, 'to no http address');
        else throw error;
      }
    }
  }

  function refusalOf(
    { statusCode, headers, body }: HttpError,
    { credentials }: Hop,
    name: string,
    registry: string,
  ): BootlaceError {
    const flat = Object.fromEntries(
      Object.entries(headers).map(([key, values]) => [key.toLowerCase(), String(values)]),
    );
    const text = Buffer.isBuffer(body) ? body.toString('utf8', 0, 4096) : JSON.stringify(body);
    const failure = registryFailure({
      status: statusCode,
      headers: flat,
      body: withoutCredentials(text, credentials),
      package: name,
      registry,
      tokenFrom: credentials?.from,
      tokenEnv: config.tokenEnv,
      tokenHint: config.tokenHint,
      tokenKind: credentials?.token && kindOfToken(credentials.token.reveal()),
    });
    retryAfterOf.set(failure, parseRetryAfter(flat['retry-after'], io.now()));
    return failure;
  }
}

/** A body of bounded size. */
async function readWhole(
  body: AsyncIterable<Buffer> & { destroy(): void },
  name: string,
  registry: string,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > largestDocument) {
      body.destroy();
      throw new NetworkError(
        'REGISTRY_BAD_ANSWER',
        `${registry} answers for ${name} with ${size} bytes or more`,
        { fix: 'check BACKEND_REGISTRY: is it the address of an npm registry?' },
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function parseJson(body: Buffer, type: string | null, registry: string): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw notJson(registry, /json/.test(type ?? '') ? 'broken JSON' : (type ?? undefined));
  }
}

function tooLate(): Error {
  return Object.assign(new Error('the answer took too long'), { code: 'ETIMEDOUT' });
}

function isHttpError(error: unknown): error is HttpError {
  return typeof (error as Partial<HttpError> | undefined)?.statusCode === 'number';
}

/** Redirects within one origin are npm's client's to judge. */
function isRedirectFault(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return (
    /^(EINVALIDREDIRECT|EMAXREDIRECT|ERR_INVALID_URL)$/.test(code ?? '') ||
    /^Only HTTP\(S\) protocols/.test(message ?? '')
  );
}

const retryable = new Set(['RATE_LIMITED', 'REGISTRY_ERROR', 'REGISTRY_UNREACHABLE']);

function waitFor(error: unknown): false | number | undefined {
  if (!(error instanceof BootlaceError) || !retryable.has(error.code)) return false;
  if (isFinalFault(error.cause)) return false;
  return retryAfterOf.get(error);
}
