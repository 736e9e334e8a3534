import { rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Lockfile, packageName } from '../lock/validate';
import type { TreeHash } from '../release/tree';
import { describe } from './fetch-tarball';
import { type Placement, type PlacementPlan, planOptionalSet } from './placements';
import type { Unpacked } from './unpack';

interface Place {
  readonly lock: Lockfile;
  /** The release's folder. */
  readonly release: string;
}

/** What all jobs have put on the disk. */
export interface TreeSum {
  readonly packages: Map<string, TreeHash>;
  readonly links: Map<string, string>;
  /** Bundled packages that their bundle does not hold. */
  readonly missing: string[];
  /** Folders whose binding.gyp stands for an install script. */
  readonly gyp: string[];
  /** Optional packages that their registry does not give, and the reason. */
  readonly unavailable: Map<Placement, string>;
  savedFiles: number;
  savedBytes: number;
  /** Packages, counted by folder as in the result. */
  done: number;
  total: number;
  /** Bytes that came over the network. */
  received: number;
}

/** @param total packages that are to come */
export function newSum(total: number): TreeSum {
  return {
    done: 0,
    total,
    received: 0,
    packages: new Map(),
    links: new Map(),
    missing: [],
    gyp: [],
    unavailable: new Map(),
    savedFiles: 0,
    savedBytes: 0,
  };
}

/** Adds what one job has put on the disk. */
export function add(sum: TreeSum, unpacked: Unpacked): void {
  for (const [folder, hash] of unpacked.packages) sum.packages.set(folder, hash);
  for (const [link, target] of unpacked.links) sum.links.set(link, target);
  sum.missing.push(...unpacked.missing);
  sum.gyp.push(...unpacked.gyp);
  sum.savedFiles += unpacked.savedFiles;
  sum.savedBytes += unpacked.savedBytes;
}

/**
 * Takes optional packages that no registry gave out of the tree, with what only they need, as npm does
 * it after a failed download.
 * @returns whether a package's folder is gone
 */
export function leaveOutUnavailable(
  plan: PlacementPlan,
  { lock, release, warn }: Place & { readonly warn: (sentence: string) => void },
  sum: TreeSum,
): (path: string) => boolean {
  const gone = new Map<string, unknown>(plan.leftOut);
  for (const [placement, reason] of sum.unavailable) {
    warn(`left out the optional dependency ${describe(placement)}: ${reason}`);
    for (const path of placement.paths)
      for (const each of planOptionalSet(lock, path, gone) ?? []) gone.set(each, reason);
  }
  const removed = [...gone.keys()].filter(path => !plan.leftOut.has(path));
  const isGone = (path: string) =>
    removed.some(folder => path === folder || path.startsWith(`${folder}/`));
  for (const folder of removed) remove(folder);
  for (const folder of sum.packages.keys()) if (isGone(folder)) sum.packages.delete(folder);
  for (const [link, target] of sum.links)
    if (isGone(link) || isGone(join(link, '..', target))) {
      remove(link);
      sum.links.delete(link);
    }
  return isGone;

  /** With the folders around it that are then empty. */
  function remove(path: string): void {
    rmSync(join(release, path), { recursive: true, force: true });
    for (let up = dirname(path); up !== 'node_modules'; up = dirname(up))
      try {
        rmdirSync(join(release, up));
      } catch {
        return;
      }
  }
}

/** Bundled packages that their bundle does not hold are fetched like others, as npm does. */
export function takeMissing(sum: TreeSum, { lock, release }: Place): Placement[] {
  return sum.missing.flatMap(path => {
    const entry = lock.packages.get(path);
    if (!entry?.integrity) return [];
    rmSync(join(release, path), { recursive: true, force: true });
    for (const folder of sum.packages.keys())
      if (folder === path || folder.startsWith(`${path}/`)) sum.packages.delete(folder);
    const { version, resolved, integrity } = entry;
    return [{ name: packageName(path, entry), version, resolved, integrity, paths: [path] }];
  });
}
