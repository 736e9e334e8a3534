import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { type RegistryConfig, registryOf } from '../registry/config';
import type { Placement } from './placements';

/**
 * The address of a package's tarball. A lock's address on npm's default registry stands for the
 * configured one, as npm reads it. Without an address it is the conventional one of the package's
 * registry; a registry that has none there is asked for the packument instead. Pure.
 */
export function planTarballUrl(
  { name, version, resolved }: Pick<Placement, 'name' | 'version' | 'resolved'>,
  config: RegistryConfig,
): { url: string; isGuess: boolean } {
  if (resolved !== undefined)
    return { url: onConfiguredRegistry(resolved, config.defaultRegistry.value), isGuess: false };
  const base = name.slice(name.lastIndexOf('/') + 1);
  return {
    url: `${registryOf(name, config)}${name}/-/${base}-${version}.tgz`,
    isGuess: true,
  };
}

/** Without user, password, query and fragment: a signed address is a secret and does not last. */
export function plainAddress(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href;
}

const defaultHost = new URL(defaults.registry).hostname;

function onConfiguredRegistry(resolved: string, registry: string): string {
  const url = new URL(resolved);
  if (url.hostname !== defaultHost) return url.href;
  const to = new URL(registry);
  url.protocol = to.protocol;
  url.hostname = to.hostname;
  url.port = to.port;
  const prefix = to.pathname.replace(/\/$/, '');
  if (prefix && url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`))
    url.pathname = prefix + url.pathname;
  return url.href;
}
