import satisfies from 'semver/functions/satisfies';
import { InstallError } from '../errors';
import type { LockEntry } from '../lock/document';
import { findFrom } from '../lock/fits';
import { type Lockfile, packageName, parentOf } from '../lock/validate';
import type { OmittedKind } from '../registry/config/npm-keys';
import { normalizeBins } from './bins';

/** What decides which packages fit. */
export interface InstallHost {
  readonly platform: string;
  readonly arch: string;
  /** `glibc`, `musl`, or undefined where there is none to speak of. */
  readonly libc: string | undefined;
  /** Node's version, which an optional package may refuse. */
  readonly node: string;
}

/** A package to fetch and the folders that it fills. */
export interface Placement {
  readonly name: string;
  readonly version: string | undefined;
  readonly resolved: string | undefined;
  readonly integrity: string | undefined;
  /** From the release's folder, shallowest first. */
  readonly paths: readonly string[];
}

/** For development, omitted or unable to run here, or needed by no package. */
export type LeftOut = 'dev' | OmittedKind | 'extraneous';

export interface PlacementPlan {
  /** Each tarball once, in the order of the lock. */
  readonly placements: readonly Placement[];
  /** Folders that come inside the tarball of a package above them. */
  readonly bundled: readonly string[];
  /** Folders that are not installed, with the reason. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
  /** Folder → bins, as the lock names them. */
  readonly bins: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Installed folders of packages that have an install script. */
  readonly withScripts: readonly string[];
}

/**
 * Plans which packages of a lock go where, as `npm ci --omit=dev` decides it. Pure.
 * @param omit more kinds of dependencies that are left out
 * @throws InstallError BAD_PLATFORM when a package that is not optional does not fit the host
 */
export function planPlacements(
  lock: Lockfile,
  host: InstallHost,
  omit: readonly OmittedKind[] = [],
): PlacementPlan {
  const leftOut = planLeftOut(lock, host, omit);
  const placements = new Map<string, Placement & { paths: string[] }>();
  const bundled: string[] = [];
  const bins = new Map<string, Map<string, string>>();
  const withScripts: string[] = [];
  for (const [path, entry] of lock.packages) {
    if (path === '' || leftOut.has(path)) continue;
    if (entry.bin) bins.set(path, normalizeBins(entry.bin, packageName(path, entry)));
    if (entry.hasInstallScript) withScripts.push(path);
    if (isBrought(path, lock)) {
      bundled.push(path);
      continue;
    }
    const name = packageName(path, entry);
    const { version, resolved, integrity } = entry;
    const key = JSON.stringify([name, version, resolved, integrity]);
    const same = placements.get(key);
    if (same) same.paths.push(path);
    else placements.set(key, { name, version, resolved, integrity, paths: [path] });
  }
  return {
    placements: [...placements.values()],
    bundled,
    leftOut,
    bins,
    withScripts,
  };
}

/** True when a tarball brings the folder; what the project itself bundles has no such tarball. */
function isBrought(path: string, { packages }: Lockfile): boolean {
  let folder = path;
  while (packages.get(folder)?.inBundle) folder = parentOf(folder);
  return folder !== path && folder !== '';
}

/** Which folders are not installed: development, and optional ones that cannot run here. */
function planLeftOut(
  lock: Lockfile,
  host: InstallHost,
  omit: readonly OmittedKind[],
): Map<string, LeftOut> {
  const leftOut = new Map<string, LeftOut>();
  const graph = readGraph(lock);
  for (const [path, entry] of lock.packages) {
    if (path === '') continue;
    const fits = fitsPlatform(entry, host);
    if (!fits && !entry.optional && !entry.dev && !entry.extraneous)
      throw badPlatform(path, entry, host);
    if (!entry.optional || leftOut.has(path) || (fits && fitsEngine(entry, host))) continue;
    const set = optionalSet(lock, graph, path, leftOut);
    if (!set && !fits) throw badPlatform(path, entry, host);
    for (const node of set ?? []) leftOut.set(node, 'optional');
  }
  for (const [path, entry] of lock.packages) {
    const reason = entry.extraneous
      ? 'extraneous'
      : entry.dev
        ? 'dev'
        : omit.find(kind => entry[kind] || (kind === 'optional' && entry.devOptional));
    if (reason && path !== '' && !leftOut.has(path)) leftOut.set(path, reason);
  }
  // What lies inside a folder that is not there is not there either.
  for (const path of lock.packages.keys())
    for (let up = parentOf(path); up !== ''; up = parentOf(up)) {
      const reason = leftOut.get(up);
      if (reason && !leftOut.has(path)) leftOut.set(path, reason);
    }
  return leftOut;
}

/**
 * What goes with an optional package that cannot be installed. Pure.
 * @param gone folders that are left out already
 * @returns folders, its own among them; undefined for a package that the backend needs
 */
export function planOptionalSet(
  lock: Lockfile,
  path: string,
  gone: ReadonlyMap<string, unknown>,
): Set<string> | undefined {
  return lock.packages.get(path)?.optional
    ? optionalSet(lock, readGraph(lock), path, gone)
    : undefined;
}

function optionalSet(
  lock: Lockfile,
  graph: ReturnType<typeof readGraph>,
  path: string,
  gone: ReadonlyMap<string, unknown>,
): Set<string> | undefined {
  const core = graph.needing(path);
  // A lock that calls optional what the backend needs would take the backend out.
  if ([...core].some(node => isNeeded(lock.packages.get(node)))) return undefined;
  return graph.optionalSet(core, gone);
}

function isNeeded(entry: LockEntry | undefined): boolean {
  return !(entry?.optional || entry?.dev || entry?.devOptional || entry?.extraneous);
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly optional: boolean;
}

/** Who needs whom, resolved by folder as Node does it. */
function readGraph({ packages }: Lockfile) {
  const out = new Map<string, Edge[]>();
  const into = new Map<string, Edge[]>();
  for (const [from, entry] of packages) {
    const wanted = new Map<string, boolean>();
    for (const name of Object.keys(entry.peerDependencies ?? {}))
      wanted.set(name, entry.peerDependenciesMeta?.[name]?.optional === true);
    for (const name of Object.keys({ ...entry.dependencies, ...entry.devDependencies }))
      wanted.set(name, false);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) wanted.set(name, true);
    for (const [name, optional] of wanted) {
      const to = findFrom(from, name, path => packages.has(path));
      if (to === undefined) continue;
      const edge = { from, to, optional };
      push(out, from, edge);
      push(into, to, edge);
    }
  }

  return {
    /** A package and what needs it, up to the first optional dependency. */
    needing(path: string): Set<string> {
      const core = new Set([path]);
      for (const node of core)
        for (const edge of into.get(node) ?? []) if (!edge.optional) core.add(edge.from);
      return core;
    },
    /**
     * What goes with an optional package that cannot be installed: those that need it, and down
     * everything that nobody else needs.
     */
    optionalSet(core: ReadonlySet<string>, gone: ReadonlyMap<string, unknown>): Set<string> {
      const counts = (edge: Edge) => !core.has(edge.to) && !gone.has(edge.from);
      const set = new Set(core);
      for (const node of set)
        for (const edge of out.get(node) ?? []) if (counts(edge)) set.add(edge.to);
      for (let changed = true; changed; ) {
        changed = false;
        for (const node of set)
          if ((into.get(node) ?? []).some(edge => !set.has(edge.from) && counts(edge))) {
            set.delete(node);
            changed = true;
          }
      }
      return set;
    },
  };
}

/** Adds to the list of a key. */
export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function fitsPlatform({ os, cpu, libc }: LockEntry, host: InstallHost): boolean {
  return (
    isListed(host.platform, os) &&
    isListed(host.arch, cpu) &&
    (libc === undefined || (host.libc !== undefined && isListed(host.libc, libc)))
  );
}

function fitsEngine({ engines }: LockEntry, host: InstallHost): boolean {
  return !engines?.node || satisfies(host.node, engines.node, { includePrerelease: true });
}

/** npm's reading of os, cpu and libc: none of the `!names`, and one of the names if there are any. */
function isListed(value: string, list: readonly string[] | undefined): boolean {
  if (list === undefined || (list.length === 1 && list[0] === 'any')) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every(item => item.startsWith('!'));
}

function badPlatform(path: string, entry: LockEntry, host: InstallHost): InstallError {
  const name = `${packageName(path, entry)}@${entry.version ?? '?'}`;
  const { os, cpu, libc } = entry;
  const wants = [os, cpu, libc].flatMap(list => list?.join(' or ') ?? []).join(', ');
  return new InstallError(
    'BAD_PLATFORM',
    `${name} runs on ${wants}, this is ${host.platform} ${host.arch} ${host.libc ?? ''}`.trim(),
    {
      fix: 'install on such a host, or make the package an optionalDependency of what needs it',
      facts: { path, os, cpu, libc },
    },
  );
}
