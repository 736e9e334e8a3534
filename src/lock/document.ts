import { createHash } from 'node:crypto';
import { isObject } from '../json';

/** One package of an npm v3 lock; only what an install reads, checked. */
export interface LockEntry {
  /** Its real name, when the folder has another one: an alias. */
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  /** npm does not install it: nobody needs it, or no registry had it. */
  readonly extraneous?: boolean;
  /** Comes inside the tarball of a package above it. */
  readonly inBundle?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  /** Of engines only what decides whether an optional package is left out. */
  readonly engines?: { readonly node?: string };
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Of the project only: what it needs for development is not left out as optional. */
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** A lock's entry with everything that npm writes; unchecked, so never installed from directly. */
export type RawEntry = { -readonly [Key in keyof LockEntry]: LockEntry[Key] } & {
  /** Of a bare lock's '' only: those of the workspace around the backend. */
  overrides?: unknown;
  [key: string]: unknown;
};

/**
 * An npm v3 lock as a document. It has one of two forms. Bare: the project '' is the backend, as in
 * bootlace-lock.json. Composed: the project depends on the backend and on nothing else, as in a
 * release.
 */
export interface LockDocument {
  name?: string;
  lockfileVersion: 3;
  requires: true;
  packages: Record<string, RawEntry>;
}

/** What a package.json says that a lock depends on. */
export interface LockedManifest {
  name: string;
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  bundleDependencies?: readonly string[] | boolean;
  bundledDependencies?: readonly string[] | boolean;
  overrides?: Record<string, unknown>;
  scripts?: Record<string, string>;
  [key: string]: unknown;
}

/** The scripts that an install runs. */
export const installScripts = ['preinstall', 'install', 'postinstall'];

export const lockName = 'bootlace-lock.json';

/** @returns the document, or undefined for anything that is no lock with packages */
export function parseLockDocument(text: string): LockDocument | undefined {
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, '')) as Partial<LockDocument> | null;
    const isLock =
      typeof value?.packages === 'object' &&
      value.packages !== null &&
      Object.values(value.packages).every(entry => typeof entry === 'object' && entry !== null);
    return isLock ? (value as LockDocument) : undefined;
  } catch {
    return undefined;
  }
}

/** The names that a package's own tarball brings along. */
export function bundledNames(manifest: LockedManifest): string[] {
  const names = manifest.bundleDependencies ?? manifest.bundledDependencies;
  if (names === true) return Object.keys(manifest.dependencies ?? {});
  return Array.isArray(names) ? names.filter(name => typeof name === 'string') : [];
}

/**
 * What must be installed beside the backend: its dependencies without those that its tarball
 * brings, and an optional one only once, as npm reads them.
 */
export function productionSpecs(manifest: LockedManifest): {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
} {
  const bundled = new Set(bundledNames(manifest));
  const optional = manifest.optionalDependencies ?? {};
  const pick = (specs: Record<string, string>, without: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(specs)
        .filter(([name]) => !bundled.has(name) && !without(name))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return {
    dependencies: pick(manifest.dependencies ?? {}, name => Object.hasOwn(optional, name)),
    optionalDependencies: pick(optional, () => false),
  };
}

/** A lock with its paths and keys in one order, and nothing that changes without the tree changing. */
export function orderLock(lock: LockDocument): LockDocument {
  const packages: Record<string, RawEntry> = {};
  for (const path of Object.keys(lock.packages).sort())
    packages[path] = orderedEntry(lock.packages[path] as RawEntry);
  return { ...(lock.name && { name: lock.name }), lockfileVersion: 3, requires: true, packages };
}

/** A lock as text. The same lock always gives the same bytes. */
export function renderLock(lock: LockDocument): string {
  return `${JSON.stringify(orderLock(lock), null, 2)}\n`;
}

/** Identifies a tree: the hash of the bare lock's text. */
export function hashLock(bare: LockDocument): string {
  return createHash('sha256').update(renderLock(bare)).digest('hex');
}

/**
 * A bare lock's '': no version, so that a release of the same tree has the same lock.
 * @param overrides those of a workspace, which the host does not see
 */
export function rootOf(name: string, manifest: LockedManifest, overrides?: unknown): RawEntry {
  const { dependencies, optionalDependencies } = productionSpecs(manifest);
  // npm installs no peer that is optional, in the tarball, or a dependency as well, which then says
  // the version.
  const taken = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const others = new Set([...Object.keys(taken), ...bundledNames(manifest)]);
  const peerDependencies = Object.fromEntries(
    Object.entries(manifest.peerDependencies ?? {}).filter(
      ([peer]) => !others.has(peer) && manifest.peerDependenciesMeta?.[peer]?.optional !== true,
    ),
  );
  return {
    name,
    ...(Object.keys(dependencies).length && { dependencies }),
    ...(Object.keys(optionalDependencies).length && { optionalDependencies }),
    ...(Object.keys(peerDependencies).length && { peerDependencies }),
    ...(overrides !== undefined && { overrides }),
  };
}

/** Changed by a registry or a later npm without the tree changing. */
const volatileKeys = new Set(['deprecated', 'funding', 'devOptional']);
const leadingKeys = ['name', 'version', 'resolved', 'integrity'];

function orderedEntry(entry: RawEntry): RawEntry {
  const keys = new Set([...leadingKeys, ...Object.keys(entry).sort()]);
  return Object.fromEntries(
    [...keys]
      .filter(key => Object.hasOwn(entry, key) && !volatileKeys.has(key))
      // Of overrides the first that applies counts.
      .map(key => [key, key === 'overrides' ? entry[key] : ordered(entry[key])]),
  );
}

/** A table with its keys in order; anything else as it is. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `$name` in overrides means a dependency of the project, which is not the project here. */
export function rootOverrides(manifest: LockedManifest): Record<string, unknown> | undefined {
  if (!isObject(manifest.overrides)) return undefined;
  // npm looks into them in this order.
  const specs: Record<string, unknown> = {
    ...manifest.peerDependencies,
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.devDependencies,
  };
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.startsWith('$') ? (specs[value.slice(1)] ?? value) : value;
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
  };
  return resolve(manifest.overrides) as Record<string, unknown>;
}
