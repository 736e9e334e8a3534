import type { IncomingMessage } from 'node:http';
import { BootlaceError, systemCode } from '../errors';
import type { Io } from '../io';
import { ask, beginningOf, beginningSize, decoderOf, receive } from './answer';
import { type BodyKind, kindOfBody } from './body-kind';
import type { RegistryConfig } from './config/config';
import { withoutCredentials } from './config/credentials';
import { mismatch, noTarball, outOfReach, refusal, tooLarge } from './download-failure';
import { firstHop, type Hop } from './follow';
import { type Checksum, isRight } from './integrity';
import { isFinalFault, parseRetryAfter, retry } from './retry';
import type { Transport } from './transport';

export interface DownloadContext {
  readonly io: Pick<Io, 'now' | 'sleep'>;
  readonly config: RegistryConfig;
  readonly transport: Transport;
  readonly signal: AbortSignal;
  /** Tries end this many milliseconds after the first. */
  readonly deadlineMs: number;
  /** Told in one plain sentence before each wait. */
  readonly onRetry?: (sentence: string) => void;
}

/** What to get, and whose it is for the failure. */
export interface Download {
  /** `left@1.0.0`. */
  readonly what: string;
  readonly url: string;
  readonly checksum: Checksum;
}

/** Where the bytes of one try go; a new one for each try. */
export interface Sink {
  /** @param length as announced; undefined when it was not */
  begin(length: number | undefined): void;
  /** @param piece its own until this returns */
  write(piece: Buffer): void;
  /** Of all that was written, such as `sha512-…`, by the algorithm that is wanted. */
  checksum(): string;
  /** Called instead of a use of the bytes when the try failed. */
  abandon(): void;
}

/** Bytes a millisecond: a tarball that comes slower than this is given up and asked for again. */
const slowestRate = 16;
/** A proxy may have cached wrong bytes, so they are tried once more. */
const triesForIntegrity = 2;
/** An answer that goes on and on must not fill the disk. */
const largestTarball = 2 * 1024 * 1024 * 1024;
/** A failure that another try may mend. */
class RetryableError extends Error {
  constructor(
    readonly failure: BootlaceError,
    readonly waitMs?: number,
  ) {
    super(failure.message);
  }
}

/**
 * Gets a tarball and checks every byte before it returns. Tries again after 429 (as its Retry-After
 * says), 5xx, broken connections and wrong bytes, never after 401, 403 and 404.
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError, each naming the package
 */
export async function download<S extends Sink>(
  { what, url, checksum }: Download,
  makeSink: () => S,
  context: DownloadContext,
): Promise<S> {
  const { io, config, transport, signal } = context;
  let wrong = 0;
  try {
    return await retry(attempt, {
      io,
      signal,
      deadlineMs: context.deadlineMs,
      retryAfter: error => (error instanceof RetryableError ? error.waitMs : false),
      onRetry: context.onRetry,
    });
  } catch (error) {
    throw error instanceof RetryableError ? error.failure : error;
  }

  async function attempt(): Promise<S> {
    const first = firstHop(url, config);
    let sink: S | undefined;
    try {
      const response = await ask(first, what, { accept: '*/*' }, transport, signal).catch(error => {
        // A proxy's failure may have no code.
        throw error instanceof BootlaceError ? error : passing(error);
      });
      if (response.statusCode !== 200) throw await refusalOf(response, first);
      sink = makeSink();
      const kind = await fill(sink, response);
      const found = sink.checksum();
      if (isRight(checksum, found)) return sink;
      const failure =
        kind === 'tarball' ? mismatch(what, url, checksum, found) : noTarball(what, url, kind);
      throw ++wrong < triesForIntegrity ? new RetryableError(failure, 0) : failure;
    } catch (error) {
      sink?.abandon();
      signal.throwIfAborted();
      throw isNetworkFault(error) ? passing(error) : error;
    }
  }

  function passing(error: unknown): Error {
    const failure = outOfReach(what, url, error);
    return isFinalFault(error) ? failure : new RetryableError(failure);
  }

  async function fill(sink: Sink, response: IncomingMessage): Promise<BodyKind> {
    const length = Number(response.headers['content-length'] ?? Number.NaN);
    const isKnown = Number.isSafeInteger(length) && !decoderOf(response);
    sink.begin(isKnown ? length : undefined);
    const until = performance.now() + longest(length);
    let beginning = Buffer.alloc(0);
    let size = 0;
    await receive(response, piece => {
      if (performance.now() > until) throw tooSlow();
      size += piece.length;
      if (size > largestTarball) throw tooLarge(what, url);
      if (beginning.length < beginningSize)
        beginning = Buffer.concat([beginning, piece.subarray(0, beginningSize)]);
      sink.write(piece);
    });
    return kindOfBody(beginning);
  }

  /** What a refusal means; an error to be tried again when that may help. */
  async function refusalOf(response: IncomingMessage, { credentials }: Hop): Promise<Error> {
    const status = response.statusCode ?? 0;
    const failure = refusal({
      what,
      url,
      status,
      headers: response.headers as Record<string, string | undefined>,
      body: withoutCredentials(await beginningOf(response), credentials),
      registries: [config.registry.value, config.defaultRegistry.value, ...config.scopes.values()],
      tokenFrom: credentials?.from,
      tokenHere: config.tokenHere,
    });
    if (status !== 429 && status !== 408 && status < 500) return failure;
    return new RetryableError(failure, parseRetryAfter(response.headers['retry-after'], io.now()));
  }
}

function tooSlow(): Error {
  return Object.assign(new Error('it comes too slowly'), { code: 'ETIMEDOUT' });
}

/** The longest time for a body in milliseconds: a registry that sends a byte now and then ends there. */
function longest(length: number): number {
  return 60_000 + (Number.isSafeInteger(length) ? length / slowestRate : 240_000);
}

function isNetworkFault(error: unknown): boolean {
  return /^(E[A-Z_]*(CONN|NET|HOST|PIPE|TIMEDOUT|TIMEOUT|NOTFOUND|AGAIN|PROTO)|ERR_|HPE_|CERT|SELF|UNABLE|DEPTH|Z_)/.test(
    systemCode(error) ?? '',
  );
}
