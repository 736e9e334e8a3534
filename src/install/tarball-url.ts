import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { type RegistryConfig, registryOf } from '../registry/config';
import type { Placement } from './placements';

/**
 * The address of a package's tarball. A lock's address on npm's default registry, or on the one that
 * `replace-registry-host` of .npmrc names, stands for the configured one, as npm reads it. Without an address it is the conventional one of the package's
 * registry; a registry that has none there is asked for the packument instead. Pure.
 */
export function planTarballUrl(
  { name, version, resolved }: Pick<Placement, 'name' | 'version' | 'resolved'>,
  config: RegistryConfig,
): { url: string; isGuess: boolean } {
  if (resolved !== undefined)
    return { url: onConfiguredRegistry(resolved, config), isGuess: false };
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

/** @see https://docs.npmjs.com/cli/v11/using-npm/config#replace-registry-host */
function onConfiguredRegistry(
  resolved: string,
  { defaultRegistry, replaceRegistryHost: rule }: RegistryConfig,
): string {
  const url = new URL(resolved);
  const old = URL.canParse(rule) ? new URL(rule) : undefined;
  const oldPath = withoutSlash(old?.pathname ?? '');
  const host = old?.hostname ?? (rule === 'npmjs' ? defaultHost : rule);
  if ((rule !== 'always' && url.hostname !== host) || !isBelow(url.pathname, oldPath))
    return url.href;
  const to = new URL(defaultRegistry.value);
  const path = withoutSlash(to.pathname);
  url.protocol = to.protocol;
  url.hostname = to.hostname;
  url.port = to.port;
  if (oldPath) url.pathname = path + url.pathname.slice(oldPath.length);
  else if (!isBelow(url.pathname, path)) url.pathname = path + url.pathname;
  return url.href;
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, '');
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
