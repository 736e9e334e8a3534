import { systemCode } from '../../errors';
import { isLoopback } from '../../registry/config/credentials';

/** More than any answer that is asked for; the rest of a longer one is not read. */
const longestText = 5_000_000;

/**
 * Makes one request and reads its answer, both within a time. A redirect is not followed.
 * A timeout of AbortSignal, combined with the user's, would not do: Node 20 collects the timeout before
 * it fires (https://github.com/nodejs/node/issues/57736).
 * @param signal the user's, which ends it earlier
 * @param ms the time in milliseconds
 * @throws the signal's reason; an Error whose message is the system's code, `timed out` or `connection
 *   failed`: fetch's own may quote a header, and so a secret
 */
export async function fetchText(
  url: string | URL,
  init: { method?: string; headers?: Record<string, string>; body?: string | undefined },
  signal: AbortSignal,
  ms: number,
): Promise<{ status: number; headers: Headers; text: string }> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const stop = () => controller.abort(signal.reason);
  const late = new Error('timed out');
  const timer = setTimeout(() => controller.abort(late), ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: controller.signal });
    const { status, headers } = response;
    return { status, headers, text: await textOf(response) };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error === late) throw late;
    throw new Error(systemCode((error as Error).cause) ?? 'connection failed');
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > longestText) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** True for an address at which a secret travels over https, or stays on this machine. */
export function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
