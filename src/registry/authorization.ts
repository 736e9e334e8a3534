import { findCredentials, type RegistryConfig } from './config';

export interface Authorization {
  /** The value of the header. */
  readonly header: string;
  /** Where the credentials come from, such as NPM_TOKEN. */
  readonly from: string;
  /** The token itself, to tell its kind by its public prefix. */
  readonly token: string | undefined;
}

/**
 * The authorization that belongs to an address: that of the path it lies under, else that of a
 * registry of the same origin, since GitLab and others serve tarballs beside the registry's path
 * (npm does the same). None over http to a host that is configured with https.
 */
export function authorizationFor(url: string, config: RegistryConfig): Authorization | undefined {
  if (config.credentials.size === 0) return undefined;
  const { protocol, origin } = new URL(url);
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
    .map(address => findCredentials(address, config.credentials))
    .find(credentials => credentials !== undefined);
  if (found?.token) {
    const token = found.token.reveal();
    return { header: `Bearer ${token}`, from: found.from, token };
  }
  const basic = found?.basic?.reveal();
  return found && basic
    ? { header: `Basic ${basic}`, from: found.from, token: undefined }
    : undefined;
}
