import { BootlaceError, NotFoundError } from '../errors';
import type { Io } from '../io';
import type { VersionWish } from '../settings/version-wish';
import type { RegistryClient } from './client';
import type { RegistryConfig } from './config/config';
import { isExcluded } from './config/npm-keys';
import { checkEngines, type Locator, pickVersion } from './pick';

interface ResolveOptions {
  io: Pick<Io, 'now' | 'sleep' | 'nodeVersion'>;
  package: string;
  wish: VersionWish;
  /** Where the wish comes from, for a failure. */
  from?: string;
  config: Pick<RegistryConfig, 'registry' | 'before' | 'beforeExclude'>;
  client: RegistryClient;
  /** Ask for the whole packument, which also names scripts and exports. */
  full?: boolean;
  ignoreEngines?: boolean;
  /** Keep asking this many milliseconds for a version that was just published. */
  waitForMs?: number;
  signal?: AbortSignal;
  onWait?: (sentence: string) => void;
}

const pollMs = 5_000;

/**
 * Turns a wish into one exact version of the registry.
 * @throws the client's failures, VERSION_NOT_FOUND or ENGINE_MISMATCH
 */
export async function resolveVersion(options: ResolveOptions): Promise<Locator> {
  const { io, client, config } = options;
  const before = isExcluded(options.package, config.beforeExclude) ? undefined : config.before;
  const start = io.now();
  const { default: pickManifest } = await import('npm-pick-manifest');
  for (;;) {
    try {
      const packument = await client.packument(
        options.package,
        options.full || before !== undefined,
      );
      const locator = pickVersion(packument, options.wish, {
        registry: config.registry.value,
        before,
        from: options.from,
        nodeVersion: io.nodeVersion,
        pickManifest,
      });
      if (!options.ignoreEngines) checkEngines(locator.manifest, io.nodeVersion);
      return locator;
    } catch (error) {
      if (!isMissing(error)) throw error;
      const waited = io.now() - start;
      const left = (options.waitForMs ?? 0) - waited;
      if (left <= 0) throw options.waitForMs ? stillMissing(error, waited) : error;
      options.onWait?.(`${error.message} yet; asking again every ${pollMs / 1000} s`);
      await io.sleep(Math.min(pollMs, left), options.signal);
    }
  }
}

function stillMissing({ code, message, fix, facts }: BootlaceError, waitedMs: number): Error {
  const after = `after waiting ${Math.round(waitedMs / 1000)} s`;
  return new NotFoundError(code, `${message}, ${after}`, { fix, facts });
}

function isMissing(error: unknown): error is BootlaceError {
  return (
    error instanceof BootlaceError &&
    (error.code === 'VERSION_NOT_FOUND' || error.code === 'PACKAGE_NOT_FOUND')
  );
}
