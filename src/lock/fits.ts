import {
  bundledNames,
  type LockDocument,
  type LockedManifest,
  productionSpecs,
  type RawEntry,
  requiredPeers,
} from './document';
import {
  fitsSpec,
  fitsWish,
  type OverrideRule,
  overridingSpec,
  rangeOf,
  readOverrides,
  rootOverrides,
  ruleOfPackage,
  ruleOfWish,
} from './overrides';
import { parentOf } from './validate';

/**
 * Compares a bare lock with the package.json that it should fit: every dependency is there in a
 * version that is asked for, all the way down, and nothing is there that nothing needs. Peers below
 * the top are not compared: npm itself lets them contradict each other. Pure.
 * @param overrides those that count; by default the lock's own record of a workspace's, or
 * package.json's
 * @param isStrict false: what package.json files ask for is enough, as on a host, where an override that
 * the publisher's npm did not apply is no reason to start nothing
 * @returns one sentence for each difference; none when the lock fits
 */
export function lockProblems(
  bare: LockDocument,
  manifest: LockedManifest,
  overrides: unknown = bare.packages['']?.overrides ?? rootOverrides(manifest),
  isStrict = true,
): string[] {
  const { packages } = bare;
  // Where the backend itself looks first; another version of it in that place is somebody else's.
  const own = `node_modules/${manifest.name}`;
  const home = Object.hasOwn(packages, own) ? '' : own;
  const problems: string[] = [];
  const wanted = productionSpecs(manifest);
  const peers = requiredPeers(manifest);
  const root = packages[''] ?? {};
  const top = ruleOfWish(readOverrides(overrides), manifest.name, '*');
  for (const [name, spec] of Object.entries(wanted.dependencies)) requireAtTop(name, spec);
  // npm leaves out an optional package that the registry does not have.
  for (const [name, spec] of Object.entries(wanted.optionalDependencies))
    if (findFrom(home, name, packages) || root.optionalDependencies?.[name] !== spec)
      requireAtTop(name, spec);
  // What the lock was made for is what npm chose, as with legacy-peer-deps none at all.
  for (const [name, spec] of Object.entries(peers))
    if (root.peerDependencies?.[name] !== spec) requireAtTop(name, spec);
  for (const name of Object.keys({ ...root.dependencies, ...root.optionalDependencies }))
    if (!Object.hasOwn({ ...wanted.dependencies, ...wanted.optionalDependencies }, name))
      problems.push(`${name} is no dependency any more`);
  checkBelow();
  return problems;

  function requireAtTop(name: string, spec: string): void {
    const found = findFrom(home, name, packages);
    const entry = found === undefined ? undefined : packages[found];
    const rule = ruleOfWish(top, name, spec);
    const overridden = overridingSpec(rule, name);
    if (!entry) problems.push(`${name}@${spec} is not in the lock`);
    else if (!fits(entry, name, spec, rule) || !(overridden || isNamed(entry, name, spec)))
      problems.push(
        `${name} is ${entry.name ? `${entry.name}@` : ''}${entry.version} in the lock and ${
          overridden ? `${overridden} in overrides` : `${spec} in package.json`
        }`,
      );
  }

  function checkBelow(): void {
    const needed = readRules(top);
    for (const [path, rules] of needed) {
      if (path === '') continue;
      const entry = packages[path] as RawEntry;
      for (const [name, spec] of Object.entries(wishesOf(entry))) {
        const found = findFrom(path, name, packages);
        // The backend itself is no part of its lock, and its version may be raised afterwards.
        const isOptional = Object.hasOwn(entry.optionalDependencies ?? {}, name);
        if (!found && (isOptional || name === manifest.name)) continue;
        if (!found) problems.push(`${path} needs ${name}, which is not in the lock`);
        else if (isBrought(path) || isBrought(found)) continue;
        else if (
          ![...rules].some(rule =>
            fits(packages[found], name, text(spec), ruleOfWish(rule, name, text(spec))),
          )
        )
          problems.push(
            `${path} needs ${asked(rules, name, spec)}, and ${found} is ${packages[found]?.version}`,
          );
      }
    }
    const bundled = new Set(bundledNames(manifest));
    for (const path of Object.keys(packages))
      if (path !== '' && !needed.has(path) && !packages[path]?.inBundle) {
        const [, first = ''] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
        if (!bundled.has(first)) problems.push(`${path} is in the lock and nothing needs it`);
      }
  }

  function fits(
    entry: RawEntry | undefined,
    name: string,
    spec: string,
    rule: OverrideRule,
  ): boolean {
    return (
      fitsWish(entry?.version, name, spec, rule) || (!isStrict && fitsSpec(entry?.version, spec))
    );
  }

  /** Every package that is needed, with the rules that it is reached by: one, without overrides. */
  function readRules(top: OverrideRule): Map<string, Set<OverrideRule>> {
    const reached = new Map<string, Set<OverrideRule>>();
    const open: [path: string, rule: OverrideRule][] = [['', top]];
    for (let next = open.pop(); next; next = open.pop()) {
      const [path, rule] = next;
      const rules = reached.get(path) ?? new Set();
      if (rules.has(rule)) continue;
      reached.set(path, rules.add(rule));
      const wishes =
        path === ''
          ? { ...manifest.peerDependencies, ...wanted.dependencies, ...wanted.optionalDependencies }
          : { ...packages[path]?.peerDependencies, ...wishesOf(packages[path] as RawEntry) };
      for (const [name, spec] of Object.entries(wishes)) {
        const found = findFrom(path || home, name, packages);
        if (found === undefined) continue;
        const version = String(packages[found]?.version);
        let below = ruleOfPackage(ruleOfWish(rule, name, text(spec)), name, version);
        // A rule that holds no others says nothing of what is below it.
        while (below.children.length === 0 && below.parent) below = below.parent;
        open.push([found, below]);
      }
    }
    return reached;
  }

  /** What a tarball brings, or a shrinkwrap in it says, is as it is. */
  function isBrought(path: string): boolean {
    if (packages[path]?.inBundle) return true;
    for (let at = parentOf(path); at !== ''; at = parentOf(at))
      if (packages[at]?.hasShrinkwrap) return true;
    return false;
  }
}

function wishesOf({ dependencies, optionalDependencies }: RawEntry): Record<string, string> {
  return { ...dependencies, ...optionalDependencies };
}

function text(spec: unknown): string {
  return typeof spec === 'string' ? spec : '';
}

function asked(rules: Iterable<OverrideRule>, name: string, spec: unknown): string {
  const [first] = rules;
  const overridden = first && overridingSpec(ruleOfWish(first, name, text(spec)), name);
  return overridden ? `${name}@${overridden} by overrides` : `${name}@${spec}`;
}

/** A folder with another package in it than the one that is asked for by name. */
function isNamed(entry: RawEntry, name: string, spec: string): boolean {
  if (rangeOf(spec) === undefined) return true;
  const alias = /^npm:((?:@[^/]+\/)?[^@/]+)/.exec(spec.trim());
  return (entry.name ?? name) === (alias?.[1] ?? name);
}

/**
 * The lock without what it leaves out on purpose, for `npm ci` calls such a lock incomplete: optional
 * dependencies that the registry did not have, and peers where legacy-peer-deps was set. Pure.
 */
export function withoutMissing(lock: LockDocument): LockDocument {
  const packages = Object.fromEntries(
    Object.entries(lock.packages).map(([path, entry]) => {
      const { optionalDependencies, peerDependencies } = entry;
      if (!optionalDependencies && !peerDependencies) return [path, entry];
      const present = (table: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(table).filter(
            ([name]) => findFrom(path, name, lock.packages) !== undefined,
          ),
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
    at = parentOf(at);
  }
}
