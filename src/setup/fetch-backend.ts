import { join } from 'node:path';
import { NetworkError } from '../errors';
import { type Tarball, TarballSink } from '../install/tarball';
import { planTarballUrl } from '../install/tarball-url';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config';
import { type DownloadContext, download } from '../registry/download';
import { parseIntegrity } from '../registry/integrity';
import { integrityOf, type Manifest } from '../registry/packument';
import type { Transport } from '../registry/transport';

export interface FetchOptions {
  io: Pick<Io, 'now' | 'sleep'>;
  config: RegistryConfig;
  transport: Transport;
  /** A folder for a tarball that is too large for memory. */
  work: string;
  signal?: AbortSignal;
  onRetry: (sentence: string) => void;
}

const deadlineMs = 120_000;

/**
 * Gets the backend's own tarball, every byte checked against the packument's checksum.
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError
 */
export async function fetchBackend(
  manifest: Manifest,
  { config, transport, io, work, signal, onRetry }: FetchOptions,
): Promise<Tarball> {
  const { name, version } = manifest;
  const what = `${name}@${version}`;
  const checksum = parseIntegrity(integrityOf(manifest));
  if (!checksum)
    throw new NetworkError('REGISTRY_BAD_ANSWER', `the checksum of ${what} is not one`, {
      fix: 'publish the version again, or ask the registry’s owner',
    });
  const { url } = planTarballUrl({ name, version, resolved: manifest.dist.tarball }, config);
  const context: DownloadContext = {
    io,
    config,
    transport,
    signal: signal ?? new AbortController().signal,
    deadlineMs,
    onRetry,
  };
  signal?.addEventListener('abort', transport.close, { once: true });
  try {
    const makeSink = () => new TarballSink(join(work, 'fetched.tgz'));
    return (await download({ what, url, checksum }, makeSink, context)).take();
  } finally {
    signal?.removeEventListener('abort', transport.close);
  }
}
