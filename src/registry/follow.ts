import { NetworkError } from '../errors';
import type { RegistryConfig } from './config/config';
import { type Credentials, credentialsFor } from './config/credentials';

const mostRedirects = 5;

/** One request on the way to an answer. */
export interface Hop {
  readonly url: URL;
  readonly credentials: Credentials | undefined;
  /** How many redirects led here. */
  readonly count: number;
}

/**
 * The first request for an address. A user and a password in the address are not sent.
 * @throws SettingError REGISTRY_INSECURE
 */
export function firstHop(address: string, config: RegistryConfig): Hop {
  const url = withoutUser(new URL(address));
  return { url, credentials: credentialsFor(url.href, config), count: 0 };
}

/**
 * The request that follows a redirect. The first step to another origin drops the credentials for
 * good. The step from http to https of the same host keeps them, because .npmrc names both by one
 * line. https never becomes http.
 * @param location of the answer
 * @param what whose request it is, for the failure: `left@1.0.0`
 * @throws NetworkError REDIRECT_REFUSED
 */
export function nextHop(from: Hop, location: string, what: string): Hop {
  const base = from.url;
  const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw redirectRefused(what, base, 'to no http address');
  if (from.count === mostRedirects) throw redirectRefused(what, base, `to ${url.host}, too often`);
  if (base.protocol === 'https:' && url.protocol === 'http:')
    throw redirectRefused(what, base, `from https to http on ${url.host}`);
  return {
    url: withoutUser(url),
    // Not an http origin with the same host: that was refused above.
    credentials: url.host === base.host ? from.credentials : undefined,
    count: from.count + 1,
  };
}

/** Credentials in an address would be sent past every rule about them. */
function withoutUser(url: URL): URL {
  url.username = '';
  url.password = '';
  return url;
}

export function redirectRefused(what: string, from: URL, where: string): NetworkError {
  return new NetworkError(
    'REDIRECT_REFUSED',
    `${from.host} redirects the request for ${what} ${where}`,
    {
      fix: 'check the address of the registry in .npmrc',
      facts: { package: what, host: from.host },
    },
  );
}
