import { join } from 'node:path';
import { fetchTarball } from '../install/fetch-tarball';
import type { Tarball } from '../install/tarball';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config/config';
import type { DownloadContext } from '../registry/download';
import type { Manifest } from '../registry/packument';
import type { Transport } from '../registry/transport';

export interface FetchOptions {
  io: Pick<Io, 'now' | 'sleep'>;
  config: RegistryConfig;
  transport: Transport;
  /** A folder for a tarball that is too large for memory. */
  work: string;
  signal?: AbortSignal;
  /** Tries end this long after the first; two minutes when not given. */
  deadlineMs?: number;
  onRetry: (sentence: string) => void;
}

const patientMs = 120_000;

/**
 * Gets the backend's own tarball, every byte checked against the packument's checksum.
 * @throws AuthError, NotFoundError, NetworkError or IntegrityError
 */
export async function fetchBackend(
  manifest: Manifest,
  { config, transport, io, work, signal, deadlineMs = patientMs, onRetry }: FetchOptions,
): Promise<Tarball> {
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
    return await fetchTarball(manifest, join(work, 'fetched.tgz'), context);
  } finally {
    signal?.removeEventListener('abort', transport.close);
  }
}
