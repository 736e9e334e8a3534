import {
  bundledNames,
  installScripts,
  type LockDocument,
  type LockedManifest,
  type RawEntry,
  rootOf,
} from './document';

/** The backend's place in a composed lock. */
export interface BackendSource {
  manifest: LockedManifest;
  version: string;
  /** A tarball's address, or `file:` and a path from the release's folder. */
  resolved: string;
  integrity: string;
  /** The packages inside its tarball: folder below the backend's → package.json. */
  bundled: ReadonlyMap<string, LockedManifest>;
}

/**
 * A release's lock from the backend's own: the backend, and beside it what its lock names. When
 * the tree holds another version of the backend itself, everything goes below the backend, where
 * it is found just as well. Pure.
 */
export function composeLock(bare: LockDocument, backend: BackendSource): LockDocument {
  const { manifest, version, resolved, integrity } = backend;
  const home = `node_modules/${manifest.name}`;
  const isTaken = Object.hasOwn(bare.packages, home);
  const spec = resolved.startsWith('file:') ? resolved : version;
  const packages: Record<string, RawEntry> = {
    '': {
      dependencies: { [manifest.name]: spec },
      ...(bare.packages['']?.overrides !== undefined && {
        overrides: bare.packages[''].overrides,
      }),
    },
    [home]: { version, resolved, integrity, ...entryOf(manifest) },
  };
  for (const [path, entry] of Object.entries(bare.packages))
    if (path !== '') packages[isTaken ? `${home}/${path}` : path] = entry;
  if (bundledNames(manifest).length)
    for (const [path, inner] of backend.bundled)
      packages[`${home}/${path}`] = {
        ...(!path.endsWith(`node_modules/${inner.name}`) && { name: inner.name }),
        ...(typeof inner.version === 'string' && { version: inner.version }),
        inBundle: true,
        ...entryOf(inner),
      };
  return { lockfileVersion: 3, requires: true, packages };
}

/**
 * The backend's own lock from either form; the inverse of composeLock.
 * @returns the bare lock, and the backend's entry when the lock names it
 */
export function bareLock(
  lock: LockDocument,
  backend: string,
): { bare: LockDocument; entry: RawEntry | undefined } {
  const home = `node_modules/${backend}`;
  // npm ci leaves these out: an optional peer that nobody installs is in the lock and extraneous.
  const all = Object.entries(lock.packages).filter(([, each]) => !each.dev && !each.extraneous);
  const root = lock.packages[''] ?? {};
  const entry = lock.packages[home];
  const wanted = Object.keys({ ...root.dependencies, ...root.optionalDependencies });
  const isComposed = entry && root.name !== backend && wanted.length === 1 && wanted[0] === backend;
  const manifest = (isComposed ? { ...entry, name: backend } : root) as LockedManifest;
  const packages: Record<string, RawEntry> = { '': rootOf(backend, manifest, root.overrides) };
  const isOwn = (path: string) => isComposed && (path === home || path.startsWith(`${home}/`));
  for (const [path, each] of all) if (path !== '' && !isOwn(path)) packages[path] = each;
  // What lies below the backend it finds beside it as well, unless another of that name is there, which
  // others need.
  const beside = new Set(Object.keys(packages));
  for (const [path, each] of all) {
    if (path === home || !isOwn(path) || each.inBundle) continue;
    const outer = path.slice(home.length + 1);
    const [first = ''] = /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(outer) ?? [];
    packages[beside.has(first) ? path : outer] = each;
  }
  return {
    bare: { name: backend, lockfileVersion: 3, requires: true, packages },
    entry: isComposed ? entry : undefined,
  };
}

/** What npm's lock repeats of a package's manifest. */
function entryOf(manifest: LockedManifest): RawEntry {
  const optional = manifest.optionalDependencies ?? {};
  const dependencies = Object.fromEntries(
    Object.entries(manifest.dependencies ?? {}).filter(([name]) => !Object.hasOwn(optional, name)),
  );
  const hasInstallScript = installScripts.some(name => manifest.scripts?.[name]);
  const entry: RawEntry = {
    ...(hasInstallScript && { hasInstallScript }),
    ...(Object.keys(dependencies).length && { dependencies }),
    ...(bundledNames(manifest).length && { bundleDependencies: bundledNames(manifest) }),
  };
  for (const key of repeatedKeys) if (manifest[key] !== undefined) entry[key] = manifest[key];
  if (typeof manifest.bin === 'string')
    entry.bin = { [manifest.name.replace(/^@[^/]+\//, '')]: manifest.bin };
  return entry;
}

const repeatedKeys = [
  'license',
  'bin',
  'engines',
  'os',
  'cpu',
  'libc',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
];
