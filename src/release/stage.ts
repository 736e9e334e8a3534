import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors';
import type { Io } from '../io';
import { makeFolder, writeAtomic, writeFailure } from './atomic';
import { type Layout, logsFolder, receiptName } from './layout';
import { ownLabel, stateOf } from './owner';
import type { Receipt } from './receipt';
import { isSameInstall, isWhole, type Release, readRelease } from './store';

/** A release in the making: on the same disk as the releases, invisible until it is renamed. */
export interface Stage {
  /** The release to be. */
  readonly release: string;
  /** For what is thrown away with the stage. */
  readonly work: string;
  /**
   * Writes the receipt and makes the release visible under its name, or takes the one that is.
   * @param damaged makes way although it looks whole
   */
  publish(name: string, receipt: Receipt, damaged?: Release): void;
  /** Removes what is left. Never throws. */
  discard(): void;
}

const stagePrefix = '.stage-';
/** A live setup says so to those that cannot see its process, such as one in another container. */
const signOfLifeMs = 15_000;
const abandonedAfterMs = 12 * signOfLifeMs;
/** For what gives no sign of life: a log, a stage of an earlier bootlace. */
const oldAfterMs = 2 * 60 * 60 * 1000;

/** A folder's name that says whose it is: `sweep` removes it once that process has ended. */
export function stageName(rest: string): string {
  return `${stagePrefix}${ownLabel()}-${rest}`;
}

const logPrefix = 'setup-';

/** Where npm's output of this process goes. A failure names it, so it stays until a later setup. */
export function logFile(layout: Layout): string {
  return join(logsFolder(layout), `${logPrefix}${ownLabel()}.log`);
}

/** @throws InstallError NOT_WRITABLE or DISK_FULL */
export function openStage(layout: Layout, { now }: Pick<Io, 'now'>): Stage {
  let folder: string;
  try {
    makeFolder(layout.cache);
    writeFileSync(join(layout.root, '.gitignore'), '*\n');
    sweep(layout, now());
    // Another setup that ends removes it while it is empty.
    makeFolder(layout.releases);
    folder = mkdtempSync(join(layout.releases, stageName('')));
    mkdirSync(join(folder, 'release'));
    mkdirSync(join(folder, 'work'));
  } catch (error) {
    throw writeFailure(error, layout.root);
  }
  const release = join(folder, 'release');
  const signs = setInterval(() => {
    try {
      utimesSync(folder, now() / 1000, now() / 1000);
    } catch {}
  }, signOfLifeMs).unref();
  return {
    release,
    work: join(folder, 'work'),
    publish(name, receipt, damaged) {
      writeAtomic(join(release, receiptName), `${JSON.stringify(receipt, null, 2)}\n`);
      moveInto(layout, release, name, damaged);
    },
    discard() {
      clearInterval(signs);
      remove(folder);
      for (const empty of [logsFolder(layout), layout.cache, layout.releases]) removeIfEmpty(empty);
    },
  };
}

/** One rename. A release that another setup made meanwhile is as good; a broken one makes way. */
function moveInto(layout: Layout, release: string, name: string, damaged?: Release): void {
  const target = layout.release(name);
  try {
    renameSync(release, target);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM')
      throw writeFailure(error, target);
    const present = readRelease(layout, name);
    if (present && isWhole(present) && !isSameInstall(present, damaged)) return;
    const aside = `${release}-broken`;
    renameSync(target, aside);
    renameSync(release, target);
  }
}

/**
 * Removes what setups that were stopped left, stages and logs: those of a process that is gone, or that
 * cannot be seen from here and gave no sign of life for long.
 */
export function sweep(layout: Layout, now: number): void {
  for (const [folder, prefix, limitMs] of [
    [layout.releases, stagePrefix, abandonedAfterMs],
    [logsFolder(layout), logPrefix, oldAfterMs],
  ] as const)
    for (const name of namesIn(folder)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(folder, name);
      const state = stateOf(name.slice(prefix.length));
      const age = now - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now);
      const isOld = age > (state === undefined ? oldAfterMs : limitMs);
      if (state === 'gone' || (state !== 'alive' && isOld)) remove(path);
    }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {}
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {}
}
