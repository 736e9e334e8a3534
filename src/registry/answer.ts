import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { authorizationOf } from './config/credentials';
import { type Hop, nextHop } from './follow';
import type { Transport } from './transport';

/** Enough of a body to tell what it is, in bytes. */
export const beginningSize = 4096;
/** A refusal that comes a byte at a time is cut off there. */
const longestRefusalMs = 30_000;
/** A body that nobody reads is read to its end up to this size, so that the connection is kept. */
const worthKeeping = 32 * 1024;

const redirects = [301, 302, 303, 307, 308];
const decoders: Record<string, (() => ReturnType<typeof createGunzip>) | undefined> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Sends a GET and follows its redirects.
 * @param what whose request it is, for a failure: `left@1.0.0`
 * @returns the answer, whatever its status is
 * @throws what Node fails with; NetworkError REDIRECT_REFUSED
 */
export async function ask(
  first: Hop,
  what: string,
  headers: Readonly<Record<string, string>>,
  transport: Transport,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (let hop = first; ; ) {
    const authorization = hop.credentials && authorizationOf(hop.credentials);
    const response = await transport.get(
      hop.url,
      { ...headers, ...(authorization && { authorization }) },
      signal,
    );
    const { location } = response.headers;
    if (!redirects.includes(response.statusCode ?? 0) || location === undefined) return response;
    if (Number(response.headers['content-length']) <= worthKeeping) response.resume();
    else response.destroy();
    hop = nextHop(hop, location, what);
  }
}

/**
 * Reads the body, its content coding taken off.
 * @param take is given piece after piece, each its own until it returns; what it throws ends the reading
 * @throws what Node and zlib fail with
 */
export async function receive(
  response: IncomingMessage,
  take: (piece: Buffer) => void,
): Promise<void> {
  const decoder = decoderOf(response);
  const content: AsyncIterable<Buffer> = decoder
    ? pipeline(response, decoder(), () => {})
    : response;
  for await (const piece of content) take(piece);
}

/** What takes off the content coding of an answer; undefined where there is none. */
export function decoderOf({ headers }: IncomingMessage) {
  return decoders[headers['content-encoding'] ?? ''];
}

/** The beginning of a refusal's body, enough to tell its cause. It never fails. */
export async function beginningOf(response: IncomingMessage): Promise<string> {
  let beginning = Buffer.alloc(0);
  const until = performance.now() + longestRefusalMs;
  await receive(response, piece => {
    beginning = Buffer.concat([beginning, piece]);
    if (beginning.length > beginningSize || performance.now() > until) throw new Error('enough');
  }).catch(() => {
    // What arrived until then is enough.
  });
  return beginning.toString('utf8', 0, beginningSize);
}
