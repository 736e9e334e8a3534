import { DeployError, NetworkError, UsageError } from '../../errors';
import { isObject, parseObject } from '../../json';
import { Secret } from '../../secret';
import { oneLine } from './model';
import { withTimeout } from './with-timeout';

/**
 * Reads a deploy hook. The whole address is the secret; its key is one by itself as well.
 * @throws UsageError HOOK_INVALID, which never shows the address
 */
export function parseHook(text: string): { url: Secret; secrets: Secret[] } {
  const fix = "copy the hook again from the service's settings in the Render dashboard";
  const invalid = () =>
    new UsageError('HOOK_INVALID', 'the deploy hook is no address with a key', { fix });
  const wanted = text.trim();
  if (!URL.canParse(wanted)) throw invalid();
  const url = new URL(wanted);
  const key = url.searchParams.get('key');
  const isLocal = ['127.0.0.1', 'localhost'].includes(url.hostname);
  if (!key || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)))
    throw invalid();
  return { url: new Secret(wanted), secrets: [new Secret(wanted), new Secret(key)] };
}

/**
 * Triggers a deploy hook once. It is never repeated: whether a lost answer means a deploy cannot
 * be known without an API key, and the proof that follows tells.
 * @returns the deploy's id, undefined when the answer was lost or names none
 * @throws DeployError HOOK_REFUSED; NetworkError HOOK_UNREACHABLE when no connection was made
 */
export async function triggerHook(
  hook: Secret,
  image: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const url = new URL(hook.reveal());
  if (image !== undefined) url.searchParams.set('imgURL', image);
  let status: number;
  let text: string;
  try {
    ({ status, text } = await withTimeout(30_000, signal, async until => {
      const response = await fetch(url, { method: 'POST', redirect: 'manual', signal: until });
      return { status: response.status, text: await response.text() };
    }));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    // Nothing was sent; anything else may have arrived.
    if (typeof code !== 'string' || !/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|CERT/.test(code))
      return undefined;
    throw new NetworkError('HOOK_UNREACHABLE', `the deploy hook cannot be reached (${code})`, {
      fix: 'check the network, then run the same command again',
    });
  }
  if (status === 429 || status >= 500)
    throw new NetworkError('HOOK_ERROR', `the deploy hook answers ${status}`, {
      fix: 'wait a minute and run the same command again',
    });
  if (status >= 300)
    throw new DeployError('HOOK_REFUSED', `the deploy hook answers ${status}`, {
      fix: "copy the hook again from the service's settings in the Render dashboard",
    });
  const deploy = parseObject(text)?.deploy;
  return isObject(deploy) && typeof deploy.id === 'string' ? oneLine(deploy.id) : undefined;
}
