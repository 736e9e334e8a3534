import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors';
import { writeAtomic, writeFailure } from './atomic';
import { type Layout, receiptName } from './layout';
import { hostLabel, isAlive } from './owner';
import type { Receipt } from './receipt';
import { isWhole, readRelease } from './store';

/** A release in the making: on the same disk as the releases, invisible until it is renamed. */
export interface Stage {
  /** The release to be. */
  readonly release: string;
  /** For what is thrown away with the stage. */
  readonly work: string;
  /** Writes the receipt and makes the release visible under its name, or takes the one that is. */
  publish(name: string, receipt: Receipt): void;
  /** Removes what is left. Never throws. */
  discard(): void;
}

/** A folder of this name belongs to a process; `sweep` removes it once that has ended. */
export const stagePrefix = '.stage-';
const abandonedAfterMs = 2 * 60 * 60 * 1000;

/** @throws InstallError NOT_WRITABLE or DISK_FULL */
export function openStage(layout: Layout, now: number): Stage {
  const host = hostLabel();
  let folder: string;
  try {
    mkdirSync(layout.releases, { recursive: true });
    mkdirSync(layout.cache, { recursive: true });
    writeFileSync(join(layout.root, '.gitignore'), '*\n');
    sweep(layout, now);
    folder = mkdtempSync(join(layout.releases, `${stagePrefix}${host}-${process.pid}-`));
    mkdirSync(join(folder, 'release'));
    mkdirSync(join(folder, 'work'));
  } catch (error) {
    throw writeFailure(error, layout.root);
  }
  const release = join(folder, 'release');
  return {
    release,
    work: join(folder, 'work'),
    publish(name, receipt) {
      writeAtomic(join(release, receiptName), `${JSON.stringify(receipt, null, 2)}\n`);
      moveInto(layout, release, name);
    },
    discard() {
      remove(folder);
      for (const empty of [join(layout.cache, 'logs'), layout.cache, layout.releases])
        removeIfEmpty(empty);
    },
  };
}

/** One rename. A release that another setup made meanwhile is as good; a broken one makes way. */
function moveInto(layout: Layout, release: string, name: string): void {
  const target = layout.release(name);
  try {
    renameSync(release, target);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'EPERM')
      throw writeFailure(error, target);
    const present = readRelease(layout, name);
    if (present && isWhole(present)) return;
    const aside = `${release}-broken`;
    renameSync(target, aside);
    renameSync(release, target);
  }
}

/** Removes the stages of setups that were killed: of this host with no such process, or old ones. */
export function sweep(layout: Layout, now: number): void {
  const host = hostLabel();
  for (const name of readdirSync(layout.releases)) {
    if (!name.startsWith(stagePrefix)) continue;
    const [, owner, pid] = /^\.stage-(\w*)-(\d+)-/.exec(name) ?? [];
    const folder = join(layout.releases, name);
    const age = now - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? now);
    if ((owner === host && !isAlive(Number(pid))) || age > abandonedAfterMs) remove(folder);
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
