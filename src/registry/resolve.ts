import { BootlaceError } from '../errors';
import type { Io } from '../io';
import type { VersionWish } from '../settings/version-wish';
import type { RegistryClient } from './client';
import { checkEngines, type Picked, pickVersion } from './pick';

export interface ResolveOptions {
  io: Pick<Io, 'now' | 'sleep' | 'nodeVersion'>;
  package: string;
  wish: VersionWish;
  registry: string;
  client: RegistryClient;
  /** Ask for the whole packument, which also names scripts and exports. */
  full?: boolean;
  ignoreEngines?: boolean;
  /** Keep asking this long for a version that was just published; registries lag by minutes. */
  waitForMs?: number;
  signal?: AbortSignal;
  onWait?: (sentence: string) => void;
}

const pollMs = 5_000;

/**
 * Turns a wish into one exact version of the registry.
 * @throws the client's failures, VERSION_NOT_FOUND or ENGINE_MISMATCH
 */
export async function resolveVersion(options: ResolveOptions): Promise<Picked> {
  const { io, client, wish, registry } = options;
  const start = io.now();
  // npm's own choice in a range; a tag or a pin needs no library to load.
  const pickManifest = wish.kind === 'range' && (await import('./npm-libraries')).pickManifest;
  for (;;) {
    try {
      const packument = await client.packument(options.package, options.full);
      const picked = pickVersion(packument, wish, {
        registry,
        nodeVersion: io.nodeVersion,
        choose: pickManifest || unused,
      });
      if (!options.ignoreEngines) checkEngines(picked.manifest, io.nodeVersion);
      return picked;
    } catch (error) {
      if (!isMissing(error) || io.now() + pollMs - start > (options.waitForMs ?? 0)) throw error;
      options.onWait?.(`${(error as Error).message} yet; asking again every ${pollMs / 1000} s`);
      await io.sleep(pollMs, options.signal);
    }
  }
}

function unused(): never {
  throw new Error('only a range is chosen in');
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof BootlaceError &&
    (error.code === 'VERSION_NOT_FOUND' || error.code === 'PACKAGE_NOT_FOUND')
  );
}
