import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { InstallError, NetworkError, systemCode } from '../errors';
import { createRegistryClient } from '../registry/client';
import { type RegistryConfig, registryOf } from '../registry/config/config';
import { type DownloadContext, download } from '../registry/download';
import { parseIntegrity } from '../registry/integrity';
import { integrityOf, type Manifest, parseManifest } from '../registry/packument';
import type { Placement } from './placements';
import { type Tarball, TarballSink } from './tarball';

/**
 * Gets the tarball of a version as its packument describes it, every byte checked against the
 * packument's checksum.
 * @param file where it goes when it is too large for memory
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError
 */
export async function fetchTarball(
  manifest: Manifest,
  file: string,
  context: DownloadContext,
): Promise<Tarball> {
  const { name, version } = manifest;
  const what = `${name}@${version}`;
  const checksum = parseIntegrity(integrityOf(manifest));
  if (!checksum)
    throw new NetworkError('REGISTRY_BAD_ANSWER', `the checksum of ${what} is not one`, {
      fix: 'publish the version again, or ask the registry’s owner',
    });
  const { url } = planTarballUrl(
    { name, version, resolved: manifest.dist.tarball },
    context.config,
  );
  const newSink = () => new TarballSink(file, checksum.algorithm);
  return (await download({ what, url, checksum }, newSink, context)).take();
}

export interface FetchedTarball {
  readonly tarball: Tarball;
  /** Bytes that came over the network. */
  readonly received: number;
}

/** How registries answer for an address that they do not have. */
const nothingThere = ['DEPENDENCY_NOT_FOUND', 'REGISTRY_BAD_ANSWER'];

/**
 * Gets the tarball of a placement and checks it against the lock. Without an address in the lock it
 * asks the conventional one, then the packument.
 * @param file where a large one goes
 * @param hold told how many more bytes of memory downloads hold, or fewer
 * @throws AuthError, NotFoundError, NetworkError, IntegrityError, or InstallError LOCK_NO_INTEGRITY
 */
export async function fetchPlacement(
  placement: Placement,
  file: string,
  hold: (bytes: number) => void,
  context: DownloadContext,
): Promise<FetchedTarball> {
  const what = describe(placement);
  const checksum = parseIntegrity(placement.integrity);
  if (!checksum)
    throw new InstallError('LOCK_NO_INTEGRITY', `${what} has no checksum in the lock`, {
      fix: 'make the lock again with: npx bootlace lock',
      facts: { package: what },
    });
  const get = (url: string) =>
    download(
      { what, url, checksum },
      () => new TarballSink(file, checksum.algorithm, hold),
      context,
    );
  const { url, isGuess } = planTarballUrl(placement, context.config);
  const sink = await get(url).catch(async error => {
    if (!isGuess || !nothingThere.includes(systemCode(error) ?? '')) throw error;
    return get(await askPackument(placement, context));
  });
  return { tarball: sink.take(), received: sink.size };
}

/** A placement as failures and warnings name it: `left@1.0.0`. */
export function describe({ name, version }: Pick<Placement, 'name' | 'version'>): string {
  return version ? `${name}@${version}` : name;
}

async function askPackument(
  { name, version = '' }: Placement,
  { config, io, signal, onRetry }: DownloadContext,
): Promise<string> {
  const client = createRegistryClient({ io, config, signal, onRetry });
  const { versions } = await client.packument(name);
  return parseManifest(versions[version], name, version, registryOf(name, config)).dist.tarball;
}

/**
 * The address of a package's tarball. A lock's address on npm's default registry, or on the one that
 * `replace-registry-host` of .npmrc names, stands for the configured one, as npm reads it. Without an
 * address it is the conventional one of the package's registry; a registry that has none there is
 * asked for the packument instead. Pure.
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
