import { type BootlaceError, systemCode } from '../errors';
import type { Io } from '../io';
import type { Answer } from './answer';
import { authorizationFor } from './authorization';
import type { RegistryConfig } from './config';
import { cutOff, mismatch, outOfReach, refusal, webPage } from './download-failure';
import { getFollowing } from './follow';
import { type Checksum, isRight } from './integrity';
import { isFinalFault, parseRetryAfter, retry } from './retry';
import type { Transport } from './transport';

export interface DownloadContext {
  readonly io: Pick<Io, 'now' | 'sleep'>;
  readonly config: RegistryConfig;
  readonly transport: Transport;
  readonly signal: AbortSignal;
  /** Tries end this long after the first. */
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
/** Bytes that are wrong come again from a proxy's cache more often than not; one more try. */
const triesForIntegrity = 2;

/** A failure that another try may mend. */
class Passing extends Error {
  constructor(
    readonly failure: BootlaceError,
    readonly waitMs?: number,
  ) {
    super(failure.message);
  }
}

/**
 * Gets a tarball and checks every byte before it returns. Tries again what may pass (429 and what
 * its Retry-After says, 5xx, broken connections, cut off bodies), never 401, 403 and 404.
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError, each naming the package
 */
export async function download<S extends Sink>(
  wanted: Download,
  makeSink: () => S,
  context: DownloadContext,
): Promise<S> {
  let wrong = 0;
  try {
    return await retry(attempt, {
      io: context.io,
      signal: context.signal,
      deadlineMs: context.deadlineMs,
      retryAfter: error => (error instanceof Passing ? error.waitMs : false),
      onRetry: context.onRetry,
    });
  } catch (error) {
    throw error instanceof Passing ? error.failure : error;
  }

  async function attempt(): Promise<S> {
    const answer = await ask(wanted, context);
    if (answer.status !== 200) return await refuse(answer, wanted, context);
    const sink = makeSink();
    try {
      const length = Number(answer.headers['content-length'] ?? Number.NaN);
      sink.begin(Number.isSafeInteger(length) && length >= 0 ? length : undefined);
      let size = 0;
      const until = performance.now() + longest(length);
      await answer.read(piece => {
        if (performance.now() > until) throw tooSlow();
        size += piece.length;
        sink.write(piece);
      });
      if (Number.isSafeInteger(length) && size < length)
        throw new Passing(cutOff(wanted.what, size, length));
      const found = sink.checksum();
      if (isRight(wanted.checksum, found)) return sink;
      const isPage = /^text\/html\b/i.test(answer.headers['content-type'] ?? '');
      const failure = isPage ? webPage(wanted) : mismatch(wanted, found);
      if (++wrong < triesForIntegrity) throw new Passing(failure, 0);
      throw failure;
    } catch (error) {
      sink.abandon();
      answer.discard();
      throw isNetworkFault(error) ? new Passing(outOfReach(wanted, error)) : error;
    }
  }
}

async function ask(wanted: Download, context: DownloadContext): Promise<Answer> {
  try {
    return await getFollowing(wanted.url, wanted.what, { accept: '*/*' }, context);
  } catch (error) {
    if (!isNetworkFault(error)) throw error;
    throw isFinalFault(error) ? outOfReach(wanted, error) : new Passing(outOfReach(wanted, error));
  }
}

function tooSlow(): Error {
  return Object.assign(new Error('it comes too slowly'), { code: 'ETIMEDOUT' });
}

/** A registry that sends a byte now and then must not hold the install for ever. */
function longest(length: number): number {
  return 60_000 + (Number.isSafeInteger(length) ? length / slowestRate : 240_000);
}

/** What a refusal means; thrown as passing when another try may mend it. */
async function refuse(
  answer: Answer,
  wanted: Download,
  { config, io }: DownloadContext,
): Promise<never> {
  const { url, what } = wanted;
  const { status, headers } = answer;
  const sent = authorizationFor(url, config);
  const failure = refusal({
    what,
    url,
    status,
    headers,
    body: await beginningOf(answer),
    registry: config.registry.value,
    tokenFrom: sent?.from,
    tokenEnv: config.tokenEnv,
  });
  if (status !== 429 && status !== 408 && status < 500) throw failure;
  throw new Passing(failure, parseRetryAfter(headers['retry-after'], io.now()));
}

/** Enough of a refusal's body to tell its cause. */
async function beginningOf(answer: Answer): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    await answer.read(piece => {
      pieces.push(Buffer.from(piece));
      size += piece.length;
      if (size > 4096) answer.discard();
    });
  } catch {}
  answer.discard();
  return Buffer.concat(pieces).toString('utf8').slice(0, 4096);
}

function isNetworkFault(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Passing || error.name === 'AbortError')
    return false;
  const code = systemCode(error);
  return (
    (code !== undefined &&
      /^(E[A-Z_]*(CONN|NET|HOST|PIPE|TIMEDOUT|NOTFOUND|AGAIN|PROTO)|ERR_|HPE_|CERT|SELF|UNABLE|DEPTH)/.test(
        code,
      )) ||
    error.message === 'aborted' ||
    (error as { type?: string }).type === 'system'
  );
}
