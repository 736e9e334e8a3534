import { AuthError, BootlaceError, DeployError, NetworkError, NotFoundError } from '../../errors';
import type { Io } from '../../io';
import { parseObject } from '../../json';
import { parseRetryAfter, retry, retryAfterOf } from '../../registry/retry';
import type { Secret } from '../../secret';
import { fetchText } from './fetch-text';
import { badAnswer, oneLine } from './model';

export interface RequestOptions {
  access: Access;
  io: Pick<Io, 'now' | 'sleep'>;
  signal: AbortSignal;
  /** How many reads may begin within any minute. */
  readsAMinute: number;
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

/** Where the API is and the key for it. */
export interface Access {
  readonly host: string;
  readonly key: Secret;
}

/** Below the 60 that one deploy may cost at most. */
export const deployPace = 55;
/** For looking at many services; Render allows 400 reads a minute. */
export const listPace = 200;
/** Render allows ten deploys a minute. */
const postsAMinute = 8;
const tryTimeoutMs = 30_000;
const defaultDeadlineMs = 120_000;

/**
 * Makes requests of the API: the one place where the key meets a URL. A redirect is never
 * followed. What is safe to repeat is repeated after 429, 5xx, lost connections and answers that
 * are no JSON; a POST that creates something only after 429, which says that nothing was done.
 * @returns what gives parsed JSON; undefined for an empty body
 */
export function createRequester({
  access,
  io,
  signal,
  readsAMinute,
  onRetry,
}: RequestOptions): (call: Call) => Promise<unknown> {
  const paceRead = createPacer(readsAMinute, io);
  const pacePost = createPacer(postsAMinute, io);
  /** Once it has answered as the API does, anything else is a fault on the way. */
  let isApi = false;
  return call =>
    retry(() => once(call), {
      io,
      signal,
      deadlineMs: call.deadlineMs ?? defaultDeadlineMs,
      retryAfter: error => waitFor(error, call.method !== 'POST' || call.isSafe === true),
      onRetry,
    });

  async function once({ method, path, query, body, about }: Call): Promise<unknown> {
    if (method === 'GET') await paceRead(signal);
    if (method === 'POST') await pacePost(signal);
    const url = new URL(`${access.host}${path}`);
    for (const [name, value] of Object.entries(query ?? {}))
      for (const item of [value ?? []].flat()) url.searchParams.append(name, item);
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${access.key.reveal()}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await fetchText(url, init, signal, tryTimeoutMs).catch(error => {
      if (signal.aborted) throw error;
      throw new NetworkError(
        'RENDER_UNREACHABLE',
        `the Render API at ${url.host} cannot be reached (${(error as Error).message})`,
        { fix: 'check the network and RENDER_HOST, then run the same command again' },
      );
    });
    if (answer.status >= 300) {
      // Before it is cut: nothing recognises a part of the key.
      const says = sentenceOf(answer.text.replaceAll(access.key.reveal(), '***'));
      const failure = refusal(answer.status, says, about);
      retryAfterOf.set(failure, askedWait(answer.headers, io.now()));
      throw failure;
    }
    if (answer.text === '') return undefined;
    try {
      const parsed: unknown = JSON.parse(answer.text);
      isApi = true;
      return parsed;
    } catch {
      const noJson = 'something that is no JSON';
      throw isApi ? serverError(`answered with ${noJson}`) : badAnswer(noJson);
    }
  }
}

function waitFor(error: unknown, isSafe: boolean): false | number | undefined {
  if (!(error instanceof BootlaceError)) return false;
  const mayRepeat = error.code === 'RENDER_RATE_LIMITED' || (isSafe && isLost(error));
  return mayRepeat && retryAfterOf.get(error);
}

/** True when the call may have been carried out although no good answer came. */
export function isLost(error: unknown): boolean {
  return (
    error instanceof BootlaceError && ['RENDER_ERROR', 'RENDER_UNREACHABLE'].includes(error.code)
  );
}

/** Retry-After, or the seconds that are left of the limit's window; a second more than asked. */
function askedWait(headers: Headers, now: number): number | undefined {
  const text = headers.get('retry-after') ?? headers.get('ratelimit-reset') ?? undefined;
  const asked = parseRetryAfter(text, now);
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
  if (status >= 500) return serverError(`answers with ${status}`, facts);
  if (status < 400) return badAnswer(`a redirect (${status})`);
  return new DeployError('RENDER_REFUSED', `Render refuses ${about}${says && `: ${says}`}`, {
    fix: 'see the service in the Render dashboard',
    facts,
  });
}

function serverError(what: string, facts = {}): NetworkError {
  return new NetworkError('RENDER_ERROR', `the Render API ${what}`, {
    fix: 'see https://status.render.com and run the same command again',
    facts,
  });
}

/** The API's own words, `{ message }`, in one line. */
function sentenceOf(text: string): string {
  const message = parseObject(text)?.message;
  return typeof message === 'string' ? oneLine(message).slice(0, 300) : '';
}

/** Waits where a call would be one too many within a minute. */
export function createPacer(
  most: number,
  io: Pick<Io, 'now' | 'sleep'>,
): (signal?: AbortSignal) => Promise<void> {
  const begun: number[] = [];
  return async signal => {
    while (begun.length >= most) {
      const waitMs = (begun[0] as number) + 60_000 - io.now();
      if (waitMs <= 0) begun.shift();
      else await io.sleep(waitMs, signal);
    }
    begun.push(io.now());
  };
}
