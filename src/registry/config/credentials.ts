import { SettingError } from '../../errors';
import { Secret } from '../../secret';
import type { Setting } from '../../settings/settings';
import { isUnexpanded } from './npmrc';
import type { NpmrcLevel } from './npmrc-files';

/** The credentials that .npmrc or the token variable give for one nerf-darted address. */
export interface Credentials {
  readonly token?: Secret;
  /** Base64 of `user:password`. */
  readonly basic?: Secret;
  /** Where they come from, such as NPM_TOKEN. */
  readonly from: string;
}

/** Which address gets which credentials. */
export interface CredentialConfig {
  /** Where the backend comes from, and by which rule. */
  readonly registry: Setting<string>;
  /** Where packages come from whose scope names no registry. */
  readonly defaultRegistry: Setting<string>;
  /** `@scope` → address; the backend's own scope among them. One that is no address is as written. */
  readonly scopes: ReadonlyMap<string, string>;
  /** By nerf-darted address: `//host/path/`. */
  readonly credentials: ReadonlyMap<string, Credentials>;
  /** Send them over plain http, too. */
  readonly insecure: boolean;
}

/** The keys of .npmrc that hold credentials. */
export const authKeys = ['_authToken', '_auth', '_password'];

/**
 * The credentials for a request. This is the one function in which credentials meet an address.
 * They are those of the longest nerf-darted path that the address lies under, else those of a
 * configured registry of the same origin, because GitLab and others serve tarballs beside the
 * registry's path (npm does the same). An http address gets none unless a configured registry has
 * this origin.
 * @param url the address, such as a packument's or a tarball's
 * @throws SettingError REGISTRY_INSECURE when a token would travel over plain http to another host
 */
export function credentialsFor(url: string, config: CredentialConfig): Credentials | undefined {
  if (config.credentials.size === 0) return undefined;
  const { protocol, origin, hostname } = new URL(url);
  const registries = [
    config.registry.value,
    ...config.scopes.values(),
    config.defaultRegistry.value,
  ];
  const beside = registries.filter(
    registry => URL.canParse(registry) && new URL(registry).origin === origin,
  );
  if (protocol !== 'https:' && beside.length === 0) return undefined;
  const found = [url, ...beside]
    .map(address => lookUpCredentials(address, config.credentials))
    .find(credentials => credentials !== undefined);
  if (found && protocol !== 'https:' && !isLoopback(hostname) && !config.insecure)
    throw insecure(origin, found);
  return found;
}

/**
 * Refuses an address for which npm would send credentials over plain http: npm finds them by host and
 * path alone, so those of an https registry would go to the http address of the same host, too.
 * @throws SettingError REGISTRY_INSECURE
 */
export function checkForNpm(url: string, config: CredentialConfig): void {
  const { protocol, origin, hostname } = new URL(url);
  if (protocol === 'https:' || isLoopback(hostname) || config.insecure) return;
  const found = lookUpCredentials(url, config.credentials);
  if (found) throw insecure(origin, found);
}

function insecure(origin: string, { from }: Credentials): SettingError {
  return new SettingError('REGISTRY_INSECURE', `${origin}/ has no https for the token of ${from}`, {
    fix: `write the registry's address with https://; if it has none and the network is yours alone, pass --insecure-registry`,
    facts: { registry: origin },
  });
}

/** The value of the Authorization header. */
export function authorizationOf({ token, basic }: Credentials): string {
  return token ? `Bearer ${token.reveal()}` : `Basic ${basic?.reveal()}`;
}

/**
 * A registry's words without the credentials that were sent to it: what is cut later would keep a
 * part of one, which nothing recognises.
 */
export function withoutCredentials(text: string, sent: Credentials | undefined): string {
  return [sent?.token, sent?.basic].reduce(
    (clean, secret) => (secret ? clean.replaceAll(secret.reveal(), '***') : clean),
    text,
  );
}

/** The credentials of the longest configured path that an address lies under, as npm finds them. */
function lookUpCredentials(
  url: string,
  credentials: CredentialConfig['credentials'],
): Credentials | undefined {
  const { host, pathname } = new URL(url);
  for (let path = pathname; ; path = path.replace(/[^/]*\/?$/, '')) {
    const found = credentials.get(`//${host}${path.endsWith('/') ? path : `${path}/`}`);
    if (found) return found;
    if (path === '' || path === '/') return undefined;
  }
}

/** True for a host that is this machine. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Every pair of an address and its credentials in .npmrc; the first level that has one counts. */
export function readCredentials(levels: readonly NpmrcLevel[]): Map<string, Credentials> {
  const credentials = new Map<string, Credentials>();
  for (const { keys, from } of levels)
    for (const [key, value] of Object.entries(keys)) {
      const match = /^(\/\/.+?\/?):(_authToken|_auth|_password)$/.exec(key);
      if (!match?.[1] || value === '' || isUnexpanded(value)) continue;
      const dart = match[1].endsWith('/') ? match[1] : `${match[1]}/`;
      if (credentials.has(dart)) continue;
      if (match[2] === '_authToken') credentials.set(dart, { token: new Secret(value), from });
      else if (match[2] === '_auth') credentials.set(dart, { basic: new Secret(value), from });
      else {
        const username = keys[`${match[1]}:username`];
        if (!username) continue;
        const password = Buffer.from(value, 'base64').toString();
        const basic = Buffer.from(`${username}:${password}`).toString('base64');
        credentials.set(dart, { basic: new Secret(basic), from });
      }
    }
  return credentials;
}
