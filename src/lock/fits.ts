import { type LockDocument, type LockedManifest, type RawEntry, rootOf } from './document';
import { parentOf } from './validate';

/**
 * Compares the dependencies that a bare lock was made for with those of a package.json. What is below
 * them npm has chosen, and `bootlace lock --check` asks npm about it. Pure.
 * @returns one sentence for each difference; none when the lock belongs to the package.json
 */
export function lockMismatches({ packages }: LockDocument, manifest: LockedManifest): string[] {
  const root = rootOf(manifest.name, manifest);
  const locked = specsOf(packages[''] ?? {});
  const declared = specsOf(root);
  const has = (path: string) => Object.hasOwn(packages, path);
  const problems: string[] = [];
  for (const name of new Set([...declared.keys(), ...locked.keys()])) {
    const [there, here] = [locked.get(name) ?? 'missing', declared.get(name) ?? 'missing'];
    const isNeeded = Object.hasOwn(root.dependencies ?? {}, name);
    if (there !== here)
      problems.push(`${name} is ${there} in the lock and ${here} in package.json`);
    else if (isNeeded && !findFrom(`node_modules/${manifest.name}`, name, has))
      problems.push(`${name} has no entry in the lock`);
  }
  return problems;
}

function specsOf({ dependencies, optionalDependencies, peerDependencies }: RawEntry) {
  const all = { ...peerDependencies, ...dependencies, ...optionalDependencies };
  return new Map(Object.entries(all));
}

/**
 * The lock without what it leaves out on purpose, for `npm ci` calls such a lock incomplete: optional
 * dependencies that the registry did not have, and peers where legacy-peer-deps was set. Pure.
 */
export function withoutMissing(lock: LockDocument): LockDocument {
  const has = (path: string) => Object.hasOwn(lock.packages, path);
  const packages: LockDocument['packages'] = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    packages[path] = { ...entry };
    for (const key of ['optionalDependencies', 'peerDependencies'] as const)
      if (entry[key])
        packages[path][key] = Object.fromEntries(
          Object.entries(entry[key]).filter(([name]) => findFrom(path, name, has)),
        );
  }
  return { ...lock, packages };
}

/** The folder in which Node finds a package that another one requires; undefined for none. */
export function findFrom(
  folder: string,
  name: string,
  has: (path: string) => boolean,
): string | undefined {
  for (let at = folder; ; at = parentOf(at)) {
    const tried = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (has(tried)) return tried;
    if (at === '') return undefined;
  }
}
