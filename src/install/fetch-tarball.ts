import { NetworkError } from '../errors';
import { type DownloadContext, download } from '../registry/download';
import { parseIntegrity } from '../registry/integrity';
import { integrityOf, type Manifest } from '../registry/packument';
import { type Tarball, TarballSink } from './tarball';
import { planTarballUrl } from './tarball-url';

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
