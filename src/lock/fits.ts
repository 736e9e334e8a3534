import { type LockDocument, type LockedManifest, type RawEntry, rootOf } from './document';
import { parentOf } from './validate';

/**
 * Compares the dependencies that a bare lock was made for with those of a package.json. What is below
 * them npm has chosen, and `bootlace lock --check` asks npm about it. Pure.
 * @returns one sentence for each difference; none when the lock belongs to the package.json
 */
export function lockMismatches({ packages }: LockDocument, manifest: LockedManifest): string[] {
  const locked = specsOf(packages[''] ?? {});
  const declared = specsOf(rootOf(manifest.name, manifest));
  const has = (path: string) => Object.hasOwn(packages, path);
  const problems: string[] = [];
  for (const [name, spec] of Object.entries(declared))
    if (!Object.hasOwn(locked, name)) problems.push(`${name}@${spec} is not in the lock`);
    else if (locked[name] !== spec)
      problems.push(`${name} is ${locked[name]} in the lock and ${spec} in package.json`);
  for (const name of Object.keys(locked))
    if (!Object.hasOwn(declared, name)) problems.push(`${name} is no dependency any more`);
  for (const name of Object.keys(rootOf(manifest.name, manifest).dependencies ?? {}))
    if (Object.hasOwn(locked, name) && !findFrom(`node_modules/${manifest.name}`, name, has))
      problems.push(`${name} has no entry in the lock`);
  return problems;
}

function specsOf({ dependencies, optionalDependencies, peerDependencies }: RawEntry) {
  return { ...peerDependencies, ...dependencies, ...optionalDependencies };
}

/**
 * The lock without what it leaves out on purpose, for `npm ci` calls such a lock incomplete: optional
 * dependencies that the registry did not have, and peers where legacy-peer-deps was set. Pure.
 */
export function withoutMissing(lock: LockDocument): LockDocument {
  const has = (path: string) => Object.hasOwn(lock.packages, path);
  const packages = Object.fromEntries(
    Object.entries(lock.packages).map(([path, entry]) => {
      const { optionalDependencies, peerDependencies } = entry;
      if (!optionalDependencies && !peerDependencies) return [path, entry];
      const present = (table: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(table).filter(([name]) => findFrom(path, name, has) !== undefined),
        );
      return [
        path,
        {
          ...entry,
          ...(optionalDependencies && { optionalDependencies: present(optionalDependencies) }),
          ...(peerDependencies && { peerDependencies: present(peerDependencies) }),
        },
      ];
    }),
  );
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
