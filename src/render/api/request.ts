import { AuthError, BootlaceError, DeployError, NetworkError, NotFoundError } from '../../errors';
import type { Io } from '../../io';
import { parseObject } from '../../json';
import { parseRetryAfter, retry, retryAfterOf } from '../../registry/retry';
import type { Secret } from '../../secret';
import { badAnswer } from './answers';
import { oneLine } from './model';
import { withTimeout } from './with-timeout';

export interface RequestOptions {
  access: Access;
  io: Pick<Io, 'now' | 'sleep'>;
  signal: AbortSignal;
  pace: Pace;
  /** Told in one plain sentence before each wait. */
  onRetry: (sentence: string) => void;
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** A list becomes one `name=value` each. */
  query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  body?: unknown;
  /** What the call is about, for failures: `the service srv-1`. */
  about: string;
  /** A POST that may be repeated after a lost answer. */
  isSafe?: boolean;
  /** Retries end this long after the first try. */
  deadlineMs?: number;
}

/** @returns parsed JSON; undefined for an empty body */
type Requester = (call: Call) => Promise<unknown>;

const minuteMs = 60_000;

/** Where the API is and the key for it. */
export interface Access {
  readonly host: string;
  readonly key: Secret;
}

/** How many calls of a kind may begin within any minute. */
export interface Pace {
  reads: number;
  /** POSTs: Render allows ten deploys a minute. */
  posts: number;
}

const tryTimeoutMs = 30_000;
const defaultDeadlineMs = 120_000;
const longestAnswer = 20_000_000;

/**
 * Makes requests of the API: the one place where the key meets a URL. A redirect is never
 * followed. What is safe to repeat is repeated after 429, 5xx, lost connections and answers that
 * are no JSON; a POST that creates something only after 429, which says that nothing was done.
 */
export function createRequester(options: RequestOptions): Requester {
  const { io, signal, access } = options;
  const pace = createPacer(options.pace, io);
  /** Once it has answered as the API does, anything else is a fault on the way. */
  let isApi = false;
  return call =>
    retry(() => once(call), {
      io,
      signal,
      deadlineMs: call.deadlineMs ?? defaultDeadlineMs,
      retryAfter: error => waitFor(error, call.method !== 'POST' || call.isSafe === true),
      onRetry: options.onRetry,
    });

  async function once({ method, path, query, body, about }: Call): Promise<unknown> {
    await pace(method, signal);
    const url = new URL(`${access.host}${path}`);
    for (const [name, value] of Object.entries(query ?? {}))
      for (const item of value === undefined ? [] : [value].flat())
        url.searchParams.append(name, item);
    const send = async (until: AbortSignal) => {
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${access.key.reveal()}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: until,
      });
      if (Number(response.headers.get('content-length')) > longestAnswer)
        throw badAnswer('far more than was asked for');
      return { response, text: await response.text() };
    };
    const { response, text } = await withTimeout(tryTimeoutMs, signal, send).catch(error => {
      if (signal.aborted) throw signal.reason;
      throw error instanceof BootlaceError ? error : unreachable(access.host, error);
    });
    if (response.status >= 300) {
      // Before it is cut: nothing recognises a part of the key.
      const says = sentenceOf(text.replaceAll(access.key.reveal(), '***'));
      const failure = refusal(response.status, says, about);
      retryAfterOf.set(failure, askedWait(response.headers, io.now()));
      throw failure;
    }
    if (text === '') return undefined;
    try {
      const body: unknown = JSON.parse(text);
      isApi = true;
      return body;
    } catch {
      const failure = badAnswer('something that is no JSON');
      if (isApi) garbled.add(failure);
      throw failure;
    }
  }
}

/** Failures whose answer was none of the API's: a proxy's or a maintenance page's words. */
const garbled = new WeakSet<Error>();

function waitFor(error: unknown, isSafe: boolean): false | number | undefined {
  if (!(error instanceof BootlaceError)) return false;
  const mayRepeat = error.code === 'RENDER_RATE_LIMITED' || (isSafe && isLost(error));
  return mayRepeat && retryAfterOf.get(error);
}

/** True when the call may have been carried out although no good answer came. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof BootlaceError &&
    (error.code === 'RENDER_ERROR' || error.code === 'RENDER_UNREACHABLE' || garbled.has(error))
  );
}

/** Retry-After, or the seconds that are left of the limit's window; a second more than asked. */
function askedWait(headers: Headers, now: number): number | undefined {
  const asked =
    parseRetryAfter(headers.get('retry-after') ?? undefined, now) ??
    parseRetryAfter(headers.get('ratelimit-reset') ?? undefined, now);
  return asked === undefined ? undefined : asked + 1000;
}

function refusal(status: number, says: string, about: string): BootlaceError {
  const facts = { status, ...(says && { answer: says }) };
  if (status === 401)
    return new AuthError('RENDER_KEY_INVALID', 'the Render API refuses the key in RENDER_API_KEY', {
      fix: 'create a key in the Render dashboard (Account Settings, API Keys) and set RENDER_API_KEY to it',
      facts,
    });
  if (status === 403)
    return new AuthError('RENDER_NO_ACCESS', `the key in RENDER_API_KEY may not use ${about}`, {
      fix: 'use a key of a member of the workspace that owns it',
      facts,
    });
  if (status === 404)
    return new NotFoundError('RENDER_NOT_FOUND', `Render knows nothing of ${about}`, {
      fix: 'see what the key can reach: npx bootlace services',
      facts,
    });
  if (status === 429)
    return new NetworkError('RENDER_RATE_LIMITED', 'the Render API asks for fewer calls', {
      fix: 'wait a minute and run the same command again',
      facts,
    });
  if (status >= 500)
    return new NetworkError('RENDER_ERROR', `the Render API answers with ${status}`, {
      fix: 'see https://status.render.com and run the same command again',
      facts,
    });
  if (status < 400) return badAnswer(`a redirect (${status})`);
  return new DeployError('RENDER_REFUSED', `Render refuses ${about}${says && `: ${says}`}`, {
    fix: 'see the service in the Render dashboard',
    facts,
  });
}

function unreachable(host: string, error: unknown): NetworkError {
  const cause = (error as { cause?: { code?: unknown } }).cause?.code;
  const why =
    typeof cause === 'string' ? cause : (error as Error).name === 'TimeoutError' ? 'no answer' : '';
  return new NetworkError(
    'RENDER_UNREACHABLE',
    `the Render API at ${new URL(host).host} cannot be reached${why && ` (${why})`}`,
    { fix: 'check the network and RENDER_HOST, then run the same command again' },
  );
}

/** The API's own words, `{ message }`, in one line. */
function sentenceOf(text: string): string {
  const message = parseObject(text)?.message;
  return typeof message === 'string' ? oneLine(message).slice(0, 300) : '';
}

/** Below 60 and 10, what one deploy may cost at most. */
export const deployPace: Pace = { reads: 55, posts: 8 };
/** For looking at many services; Render allows 400 reads a minute. */
export const listPace: Pace = { reads: 200, posts: 8 };

/** Waits where a call would be one too many within a minute. */
export function createPacer(
  pace: Pace,
  io: Pick<Io, 'now' | 'sleep'>,
): (method: string, signal?: AbortSignal) => Promise<void> {
  const begun: Record<keyof Pace, number[]> = { reads: [], posts: [] };
  return async (method, signal) => {
    const kind = method === 'GET' ? 'reads' : method === 'POST' ? 'posts' : undefined;
    if (!kind) return;
    const times = begun[kind];
    while (times.length >= pace[kind]) {
      const waitMs = (times[0] as number) + minuteMs - io.now();
      if (waitMs <= 0) times.shift();
      else await io.sleep(waitMs, signal);
    }
    times.push(io.now());
  };
}
