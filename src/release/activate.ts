import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InstallError, systemCode } from '../errors';
import type { Io } from '../io';
import { writeAtomic, writeFailure } from './atomic';
import type { Layout } from './layout';
import { ownLabel, stateOf } from './owner';
import type { Current, StartPlan, Wanted } from './receipt';
import { stageName, sweep } from './stage';
import { isWhole, listReleases, readCurrent, readRelease } from './store';

/** The active release and this many before it stay on disk. */
export const keptBefore = 2;

export interface Activation {
  name: string;
  wanted: Wanted;
  start: StartPlan;
}

/** The next current.json. Pure. */
export function planActivation(
  present: Current | undefined,
  next: Activation,
  now: number,
): Current {
  const before = present ? [present.active, ...present.previous] : [];
  return {
    format: 1,
    active: next.name,
    previous: before.filter(name => name !== next.name).slice(0, keptBefore),
    wanted: next.wanted,
    start: next.start,
    activatedAt: new Date(now).toISOString(),
  };
}

/**
 * Makes a release the active one by one rename, then removes the releases that fell off the list.
 * Where it is that already, and starts the same way, nothing is written: a disk that is full or
 * read-only does not keep `up` from starting it.
 * @throws InstallError RELEASE_GONE when another setup removed it meanwhile, NOT_WRITABLE,
 *   DISK_FULL or LOCKED; the active release is then unchanged
 */
export async function activate(
  layout: Layout,
  next: Activation,
  io: Pick<Io, 'now' | 'sleep'>,
): Promise<Current> {
  const active = readCurrent(layout);
  if (active && isActive(active, next) && isThere(layout, next.name)) {
    sweep(layout, io.now());
    return active;
  }
  const unlock = await lock(join(layout.root, 'activate.lock'), io);
  let dropped: string[];
  let current: Current;
  try {
    if (!isThere(layout, next.name))
      throw new InstallError('RELEASE_GONE', `${next.name} was removed by another setup`, {
        fix: 'run the same command again',
      });
    const present = readCurrent(layout);
    current = planActivation(present, next, io.now());
    writeAtomic(layout.current, `${JSON.stringify(current, null, 2)}\n`);
    dropped = setAside(layout, current, present, io.now());
  } finally {
    unlock();
  }
  for (const folder of dropped) rmSync(folder, { recursive: true, force: true });
  // A setup killed after its release was visible left its stage, and this one may open none.
  sweep(layout, io.now());
  return current;
}

function isThere(layout: Layout, name: string): boolean {
  const release = readRelease(layout, name);
  return release !== undefined && isWhole(release);
}

/** As it would be written, and so read: without what is undefined. */
function isActive({ active, wanted, start }: Current, next: Activation): boolean {
  const { name, ...rest } = JSON.parse(JSON.stringify(next)) as Activation;
  return active === name && isDeepStrictEqual({ wanted, start }, rest);
}

const youngMs = 60 * 60 * 1000;

/**
 * Renames what fell off the list out of every other setup's sight; removing it takes longer than
 * a lock should be held. A release that was never on the list may be about to be activated by
 * another setup, so it goes only when it is old.
 * @returns the folders to remove
 */
function setAside(
  layout: Layout,
  current: Current,
  before: Current | undefined,
  now: number,
): string[] {
  const kept = new Set([current.active, ...current.previous]);
  const listed = new Set(before ? [before.active, ...before.previous] : []);
  return listReleases(layout).flatMap(({ name, folder, receipt }) => {
    const isYoung = now - Date.parse(receipt.installedAt) < youngMs;
    if (kept.has(name) || (isYoung && !listed.has(name))) return [];
    const aside = layout.release(stageName(name));
    try {
      renameSync(folder, aside);
      return [aside];
    } catch {
      return [];
    }
  });
}

/** It is held for milliseconds. Who is stopped meanwhile is waited for longer than who cannot be seen. */
const staleMs = { alive: 30_000, unseen: 5000 };

/** A file as a lock: one of a process that has ended belongs to nobody. */
async function lock(file: string, io: Pick<Io, 'now' | 'sleep'>): Promise<() => void> {
  for (let tries = 0; tries < 400; tries++) {
    try {
      const fd = openSync(file, 'wx');
      const unlock = () => rmSync(file, { force: true });
      try {
        writeFileSync(fd, ownLabel());
      } catch (error) {
        unlock();
        throw error;
      } finally {
        closeSync(fd);
      }
      return unlock;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw writeFailure(error, file);
      if (isAbandoned(file)) rmSync(file, { recursive: true, force: true });
      else await io.sleep(50);
    }
  }
  throw new InstallError('LOCKED', `another bootlace holds ${file}`, {
    fix: `run the same command again; if nothing else runs, remove ${file}`,
  });
}

function isAbandoned(file: string): boolean {
  try {
    const age = Date.now() - statSync(file).mtimeMs;
    const owner = readFileSync(file, 'utf8');
    // Between its two steps for less than that, unless the process was killed there.
    if (!owner && age > 1000) return true;
    const state = stateOf(owner) ?? 'unseen';
    return state === 'gone' || age > staleMs[state];
  } catch {
    return false;
  }
}
