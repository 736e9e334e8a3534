import { InstallError, systemCode } from '../errors';
import { createRegistryClient } from '../registry/client';
import { registryOf } from '../registry/config';
import { type DownloadContext, download } from '../registry/download';
import { parseIntegrity } from '../registry/integrity';
import { parseManifest } from '../registry/packument';
import { planTarballUrl } from './fetch-tarball';
import type { Placement } from './placements';
import { type Tarball, TarballSink } from './tarball';

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
