import { isObject } from '../../json';
import type { LockDocument, LockedManifest } from '../../lock/document';

/**
 * Tells whether a package's production dependencies bring a bin, before anything is installed. Pure.
 * @returns false also for a tool that only devDependencies name; undefined where no lock says it
 */
export function dependencyBins(
  manifest: Pick<LockedManifest, 'dependencies' | 'devDependencies'>,
  lock: LockDocument | undefined,
): (name: string) => boolean | undefined {
  const names = new Set<string>();
  for (const { bin } of Object.values(lock?.packages ?? {}))
    if (isObject(bin)) for (const name of Object.keys(bin)) names.add(name);
  const has = (table: unknown, name: string) => isObject(table) && Object.hasOwn(table, name);
  return name => {
    if (lock) return names.has(name);
    const isForDevelopment =
      has(manifest.devDependencies, name) && !has(manifest.dependencies, name);
    return isForDevelopment ? false : undefined;
  };
}
