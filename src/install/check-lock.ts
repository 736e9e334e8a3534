import satisfies from 'semver/functions/satisfies';
import validRange from 'semver/ranges/valid';
import {
  bundledNames,
  type LockDocument,
  type LockedManifest,
  productionSpecs,
} from './lock-document';

/**
 * Compares a bare lock with the package.json that it should fit: every dependency is there in a
 * version that is asked for, all the way down, and nothing is there that nothing needs. Pure.
 * @returns one sentence for each difference; none when the lock fits
 */
export function lockProblems(bare: LockDocument, manifest: LockedManifest): string[] {
  const { packages } = bare;
  const problems: string[] = [];
  const wanted = productionSpecs(manifest);
  const root = packages[''] ?? {};
  const overridden = overriddenNames(manifest.overrides);
  for (const [name, spec] of Object.entries(wanted.dependencies)) requireAtTop(name, spec, false);
  for (const [name, spec] of Object.entries(wanted.optionalDependencies))
    requireAtTop(name, spec, true);
  for (const name of Object.keys({ ...root.dependencies, ...root.optionalDependencies }))
    if (!(name in wanted.dependencies) && !(name in wanted.optionalDependencies))
      problems.push(`${name} is no dependency any more`);
  checkBelow();
  return problems;

  function requireAtTop(name: string, spec: string, isOptional: boolean): void {
    const entry = packages[`node_modules/${name}`];
    // npm leaves out an optional package that the registry does not have.
    if (!entry && isOptional && root.optionalDependencies?.[name] === spec) return;
    if (!entry) problems.push(`${name}@${spec} is not in the lock`);
    else if (!overridden.has(name) && !fits(entry.name ?? name, entry.version, spec, name))
      problems.push(
        `${name} is ${entry.name ? `${entry.name}@` : ''}${entry.version} in the lock and ${spec} in package.json`,
      );
  }

  function checkBelow(): void {
    const needed = new Set<string>();
    const open = [...Object.keys(wanted.dependencies), ...Object.keys(wanted.optionalDependencies)]
      .concat(Object.keys(manifest.peerDependencies ?? {}))
      .map(name => `node_modules/${name}`)
      .filter(path => packages[path]);
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (needed.has(path)) continue;
      needed.add(path);
      const entry = packages[path] ?? {};
      const optional = new Set([
        ...Object.keys(entry.optionalDependencies ?? {}),
        ...Object.keys(entry.peerDependencies ?? {}),
      ]);
      for (const name of new Set([...Object.keys(entry.dependencies ?? {}), ...optional])) {
        const found = findFrom(path, name, packages);
        if (found !== undefined) open.push(found);
        else if (!optional.has(name))
          problems.push(`${path} needs ${name}, which is not in the lock`);
      }
    }
    const bundled = new Set(bundledNames(manifest));
    for (const path of Object.keys(packages))
      if (path !== '' && !needed.has(path) && !packages[path]?.inBundle) {
        const [, top = ''] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
        if (!bundled.has(top)) problems.push(`${path} is in the lock and nothing needs it`);
      }
  }
}

/**
 * The lock without the optional dependencies that the registry did not have when it was made: npm
 * install leaves them out, and `npm ci` then calls the same lock incomplete. Pure.
 */
export function withoutMissingOptional(lock: LockDocument): LockDocument {
  const packages = Object.fromEntries(
    Object.entries(lock.packages).map(([path, entry]) => {
      if (!entry.optionalDependencies) return [path, entry];
      const optionalDependencies = Object.fromEntries(
        Object.entries(entry.optionalDependencies).filter(
          ([name]) => findFrom(path, name, lock.packages) !== undefined,
        ),
      );
      return [path, { ...entry, optionalDependencies }];
    }),
  );
  return { ...lock, packages };
}

/** Where Node finds a package from another's folder. */
function findFrom(
  path: string,
  name: string,
  packages: LockDocument['packages'],
): string | undefined {
  for (let at = path; ; ) {
    const tried = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (Object.hasOwn(packages, tried)) return tried;
    if (at === '') return undefined;
    const cut = at.lastIndexOf('/node_modules/');
    at = cut < 0 ? '' : at.slice(0, cut);
  }
}

/** A tag or an address says nothing about the version. */
function fits(locked: string, version: string | undefined, spec: string, name: string): boolean {
  const alias = /^npm:((?:@[^/]+\/)?[^@/]+)(?:@(.*))?$/.exec(spec.trim());
  if (locked !== (alias?.[1] ?? name)) return false;
  const range = alias ? (alias[2] ?? '*') : spec;
  if (validRange(range, { loose: true }) === null) return true;
  return satisfies(version ?? '', range, { loose: true });
}

/** Every name that `overrides` speaks of, at any depth. */
function overriddenNames(overrides: unknown, names = new Set<string>()): Set<string> {
  if (typeof overrides !== 'object' || overrides === null) return names;
  for (const [key, value] of Object.entries(overrides)) {
    names.add(key.replace(/(?!^)@.*$/, ''));
    overriddenNames(value, names);
  }
  return names;
}
