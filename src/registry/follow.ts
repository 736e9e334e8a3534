import { NetworkError } from '../errors';
import type { Answer } from './answer';
import { authorizationFor } from './authorization';
import type { RegistryConfig } from './config';
import type { Transport } from './transport';

const mostRedirects = 5;
const redirects = [301, 302, 303, 307, 308];

/**
 * Gets an address and follows redirects. Credentials go to the address they belong to and are
 * dropped for good by the first step to another origin; a step from https to http is refused.
 * @param what whose it is, for the failure: `left@1.0.0`
 * @throws NetworkError REDIRECT_REFUSED; what the transport throws
 */
export async function getFollowing(
  start: string,
  what: string,
  headers: Readonly<Record<string, string>>,
  {
    config,
    transport,
    signal,
  }: { config: RegistryConfig; transport: Transport; signal?: AbortSignal },
): Promise<Answer> {
  let url = withoutUser(new URL(start));
  let authorization = authorizationFor(url.href, config)?.header;
  for (let steps = 0; ; steps++) {
    signal?.throwIfAborted();
    const answer = await transport.get(url, {
      ...headers,
      ...(authorization && { authorization }),
    });
    const { location } = answer.headers;
    if (!redirects.includes(answer.status) || location === undefined) return answer;
    answer.discard();
    const from = url;
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (!next || !/^https?:$/.test(next.protocol))
      throw badRedirect(what, from, 'to no http address');
    if (steps === mostRedirects) throw badRedirect(what, from, `to ${next.host}, too often`);
    if (from.protocol === 'https:' && next.protocol === 'http:')
      throw badRedirect(what, from, `from https to http on ${next.host}`);
    if (next.origin !== from.origin) authorization = undefined;
    url = withoutUser(next);
  }
}

/** Credentials in an address would be sent past every rule about them. */
function withoutUser(url: URL): URL {
  if (url.username || url.password) {
    url.username = '';
    url.password = '';
  }
  return url;
}

function badRedirect(what: string, from: URL, where: string): NetworkError {
  return new NetworkError(
    'REDIRECT_REFUSED',
    `${from.host} sends the request for ${what} ${where}`,
    {
      fix: 'check the address of the registry in .npmrc',
      facts: { package: what, host: from.host },
    },
  );
}
