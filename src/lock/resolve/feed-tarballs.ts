import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchTarball } from '../../install/fetch-tarball';
import { registryOf } from '../../registry/config/config';
import type { DownloadContext } from '../../registry/download';
import { integrityOf, type Manifest, parseManifest } from '../../registry/packument';

/** Where a tarball is and what it must be. */
export interface Dist {
  readonly tarball: string;
  readonly integrity: string;
}

/**
 * The tarballs that npm opens to choose a tree: of packages that bundle others or carry a
 * shrinkwrap. Each is fetched and verified here.
 * @param base the address that they are served at
 * @param work a folder for what is thrown away
 */
export function openFeedTarballs(base: string, work: string, context: DownloadContext) {
  const opened = new Map<string, { name: string; version: string; manifest: unknown }>();
  let fetched = 0;

  function find(address: string): Manifest | undefined {
    const found = opened.get(address);
    if (!found) return undefined;
    const { name, version, manifest } = found;
    return parseManifest(manifest, name, version, registryOf(name, context.config));
  }

  return {
    /** A version's part of a packument as npm gets it: the tarball's address is the feed's. */
    serve(name: string, version: string, manifest: Record<string, unknown>): unknown {
      const { bundleDependencies, bundledDependencies, _hasShrinkwrap } = manifest;
      if (!(bundleDependencies || bundledDependencies || _hasShrinkwrap)) return manifest;
      // Where registries have it, so that what npm says of it names the real place.
      const file = `${name.slice(name.lastIndexOf('/') + 1)}-${encodeURIComponent(version)}.tgz`;
      const tarball = `${base}${name}/-/${file}`;
      opened.set(tarball, { name, version, manifest });
      return { ...manifest, dist: { tarball } };
    },
    /** The real address and checksum behind one of the feed's; undefined for another address. */
    original(address: string): Dist | undefined {
      const manifest = find(address);
      return manifest && { tarball: manifest.dist.tarball, integrity: integrityOf(manifest) };
    },
    /** @throws what a download fails with; undefined for an address that is none of these */
    async fetch(address: string): Promise<Buffer | undefined> {
      const manifest = find(address);
      if (!manifest) return undefined;
      const file = join(work, `opened-${fetched++}.tgz`);
      const tarball = await fetchTarball(manifest, file, context);
      try {
        return 'data' in tarball ? tarball.data : readFileSync(tarball.file);
      } finally {
        if ('file' in tarball) rmSync(tarball.file, { force: true });
      }
    },
  };
}
