import { join } from 'node:path';
import { fetchTarball } from '../install/fetch-tarball';
import type { Tarball } from '../install/tarball';
import type { DownloadContext } from '../registry/download';
import type { Manifest } from '../registry/packument';

/** A download's context without what is the same for every backend. */
interface FetchOptions extends Omit<DownloadContext, 'signal' | 'deadlineMs'> {
  /** A folder for a tarball that is too large for memory. */
  work: string;
  signal?: AbortSignal;
  /** In milliseconds; two minutes when not given. */
  deadlineMs?: number;
}

const patientMs = 120_000;

/**
 * Gets the backend's own tarball, every byte checked against the packument's checksum.
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError
 */
export async function fetchBackend(
  manifest: Manifest,
  { work, signal, deadlineMs = patientMs, ...options }: FetchOptions,
): Promise<Tarball> {
  const { transport } = options;
  const context = { ...options, deadlineMs, signal: signal ?? new AbortController().signal };
  signal?.addEventListener('abort', transport.close, { once: true });
  try {
    return await fetchTarball(manifest, join(work, 'fetched.tgz'), context);
  } finally {
    signal?.removeEventListener('abort', transport.close);
  }
}
