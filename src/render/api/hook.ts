import { DeployError, NetworkError, UsageError } from '../../errors';
import { isObject, parseObject } from '../../json';
import { Secret } from '../../secret';
import { fetchText, isPrivate } from './fetch-text';
import { oneLine } from './model';

const copyAgain = "copy the hook again from the service's settings in the Render dashboard";

/**
 * Reads a deploy hook. The whole address is the secret; its key is one by itself as well.
 * @throws UsageError HOOK_INVALID, which never shows the address
 */
export function parseHook(text: string): { url: Secret; secrets: Secret[] } {
  const wanted = text.trim();
  const url = URL.canParse(wanted) ? new URL(wanted) : undefined;
  const key = url?.searchParams.get('key');
  if (!url || !key || !isPrivate(url))
    throw new UsageError('HOOK_INVALID', 'the deploy hook is no address with a key', {
      fix: copyAgain,
    });
  return { url: new Secret(wanted), secrets: [new Secret(wanted), new Secret(key)] };
}

/**
 * Triggers a deploy hook once. It is never repeated: whether a lost answer means a deploy cannot
 * be known without an API key, and the proof that follows tells.
 * @returns the deploy's id, undefined when the answer was lost or names none
 * @throws DeployError HOOK_REFUSED; NetworkError HOOK_ERROR when no connection was made, or for 429 and 5xx
 */
export async function triggerHook(
  hook: Secret,
  image: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const url = new URL(hook.reveal());
  if (image !== undefined) url.searchParams.set('imgURL', image);
  const answer = await fetchText(url, { method: 'POST' }, signal, 30_000).catch(error => {
    if (signal.aborted) throw error;
    const { message } = error as Error;
    // Nothing was sent; anything else may have arrived.
    if (/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|CERT/.test(message)) throw noAnswer(message);
    return undefined;
  });
  if (!answer) return undefined;
  const { status, text } = answer;
  if (status === 429 || status >= 500) throw noAnswer(status);
  if (status >= 300)
    throw new DeployError('HOOK_REFUSED', `the deploy hook answers ${status}`, {
      fix: copyAgain,
    });
  const deploy = parseObject(text)?.deploy;
  return isObject(deploy) && typeof deploy.id === 'string' ? oneLine(deploy.id) : undefined;
}

function noAnswer(why: string | number): NetworkError {
  return new NetworkError('HOOK_ERROR', `the deploy hook cannot be triggered (${why})`, {
    fix: 'check the network, wait a minute and run the same command again',
  });
}
