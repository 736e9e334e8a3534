import { renameSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { InstallError } from '../errors';
import type { Io } from '../io';
import { writeAtomic } from './atomic';
import type { Layout } from './layout';
import type { Current, StartPlan, VersionChoice } from './receipt';
import { newStageName, sweep } from './stage';
import { isWhole, listReleases, readCurrent, readRelease } from './store';

/** The active release and this many before it stay on disk. */
const keptBefore = 2;

interface Activation {
  name: string;
  wanted: VersionChoice;
  start: StartPlan;
  typed?: readonly string[];
}

/**
 * Makes a release the active one by one rename, then removes the releases that fell off the list. Of
 * two setups that end at the same time, the later rename wins, and neither removes what the other
 * activates. Where the release is active already, and starts the same way, nothing is written: a disk
 * that is full or read-only does not keep `up` from starting it.
 * @throws InstallError RELEASE_GONE when another setup removed it meanwhile, NOT_WRITABLE or
 *   DISK_FULL; the active release is then unchanged
 */
export function activate(layout: Layout, next: Activation, { now }: Pick<Io, 'now'>): void {
  const present = readCurrent(layout);
  if (!isThere(layout, next.name)) throw goneRelease(next.name);
  if (!present || !isActive(present, next)) {
    const { name: active, ...rest } = next;
    const before = present ? [present.active, ...present.previous] : [];
    const previous = before.filter(name => name !== active).slice(0, keptBefore);
    const activatedAt = new Date(now()).toISOString();
    writeCurrent(layout, { format: 1, active, previous, ...rest, activatedAt });
    if (!isThere(layout, next.name)) {
      if (present) writeCurrent(layout, present);
      throw goneRelease(next.name);
    }
    removeDropped(layout, present, now());
  }
  sweep(layout, now());
}

function writeCurrent(layout: Layout, current: Current): void {
  writeAtomic(layout.current, `${JSON.stringify(current, null, 2)}\n`);
}

function goneRelease(name: string): InstallError {
  return new InstallError('RELEASE_GONE', `${name} was removed by another setup`, {
    fix: 'run the same command again',
  });
}

function isThere(layout: Layout, name: string): boolean {
  const release = readRelease(layout, name);
  return release !== undefined && isWhole(release);
}

/** Compares as JSON, which leaves out what is undefined. */
function isActive({ active, wanted, start, typed }: Current, next: Activation): boolean {
  const { name, ...rest } = JSON.parse(JSON.stringify(next)) as Activation;
  return active === name && isDeepStrictEqual({ wanted, start, ...(typed && { typed }) }, rest);
}

const youngMs = 60 * 60 * 1000;

/**
 * Removes what fell off the list; by a rename first, so that nobody sees a part of a release. What
 * is on the list is read again: another setup may have written it meanwhile. A release that was never
 * on the list may be about to be activated by another setup, so it goes only when it is old.
 */
function removeDropped(layout: Layout, before: Current | undefined, now: number): void {
  const current = readCurrent(layout);
  const kept = new Set([current?.active, ...(current?.previous ?? [])]);
  const listed = new Set(before ? [before.active, ...before.previous] : []);
  for (const { name, folder, receipt } of listReleases(layout)) {
    const isYoung = now - Date.parse(receipt.installedAt) < youngMs;
    if (kept.has(name) || (isYoung && !listed.has(name))) continue;
    const aside = layout.release(newStageName());
    try {
      renameSync(folder, aside);
      // `activate` looks again after its rename and this after its own, so one of them sees the other.
      if (readCurrent(layout)?.active === name) {
        renameSync(aside, folder);
        continue;
      }
    } catch {
      continue;
    }
    rmSync(aside, { recursive: true, force: true });
  }
}
