import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import nodeModule from 'node:module';
import { join } from 'node:path';
import type { Layout } from '../release/layout';

interface CompileCache {
  enableCompileCache?: (folder: string) => unknown;
  getCompileCacheDir?: () => string | undefined;
  flushCompileCache?: () => void;
}
/** From Node 22.1 and 22.10; absent before. */
const { enableCompileCache, flushCompileCache, getCompileCacheDir } =
  nodeModule as unknown as CompileCache;

/** Writes what was compiled so far; Node itself does so at its end, save when a signal ends it. */
export const flushCache = (): void => flushCompileCache?.();

/**
 * `warm`: there is compiled code for this Node; `cold`: there is none yet; `off`: no cache was
 * made for this release, this Node has none, or the backend brings its own.
 */
export type CacheState = 'warm' | 'cold' | 'off';

/** The cache of a release; it goes when the release goes. */
export function compileCacheFolder(layout: Layout, release: string): string {
  return join(layout.cache, 'compile', release);
}

/**
 * Switches V8's compile cache on, in this process. Node keeps a folder for each of its versions,
 * so another version's cache is not even looked at, and only reads where it cannot write. That
 * folder also depends on V8's flags (v8.cachedDataVersionTag): code that was warmed under other
 * flags, such as those of a small budget, is a miss.
 * A release that was never warmed starts without: looking for code that is not there, and writing
 * it at the end, would cost every start of a disk that forgets.
 * https://nodejs.org/api/module.html#module-compile-cache
 * @param create for setup --warm
 */
export function enableCache(folder: string, create: boolean): CacheState {
  try {
    const { NODE_COMPILE_CACHE: theirs, NODE_DISABLE_COMPILE_CACHE: never } = process.env;
    if (!enableCompileCache || theirs || never) return 'off';
    if (create) mkdirSync(folder, { recursive: true });
    else if (!existsSync(folder)) return 'off';
    enableCompileCache(folder);
    // The folder of this very Node, below ours.
    const directory = getCompileCacheDir?.();
    return directory === undefined ? 'off' : readdirSync(directory).length ? 'warm' : 'cold';
  } catch {
    return 'off';
  }
}
