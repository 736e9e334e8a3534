import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors';
import type { Io } from '../io';
import { makeFolder, writeAtomic, writeFailure } from './atomic';
import { type Layout, receiptName } from './layout';
import type { Receipt } from './receipt';
import { isSameInstall, isWhole, namesIn, type Release, readRelease, releaseNameOf } from './store';

const stagePrefix = '.stage-';
const logPrefix = 'setup-';
/** A running setup touches its stage this often. */
const touchMs = 15_000;
/** A stage that was not touched for this long belongs to a setup that was killed. */
const abandonedAfterMs = 12 * touchMs;
/** A failure names its log, so a log stays longer. */
const logAfterMs = 2 * 60 * 60 * 1000;

/** A new folder name beside the releases; `sweep` removes such a folder once it is old. */
export function newStageName(): string {
  return stagePrefix + randomBytes(8).toString('hex');
}

/** A new file for npm's output. */
export function newLogFile(layout: Layout): string {
  return join(layout.logs, `${logPrefix}${randomBytes(4).toString('hex')}.log`);
}

/**
 * Opens a release in the making: on the same disk as the releases, invisible until it is renamed.
 * @throws InstallError NOT_WRITABLE or DISK_FULL
 */
export function openStage(layout: Layout, { now }: Pick<Io, 'now'>) {
  let folder: string;
  try {
    makeFolder(layout.releases);
    writeFileSync(join(layout.root, '.gitignore'), '*\n');
    sweep(layout, now());
    // Another setup that ends removes the releases' folder while it is empty.
    folder = layout.release(newStageName());
    mkdirSync(join(folder, 'release'), { recursive: true });
    mkdirSync(join(folder, 'work'));
  } catch (error) {
    throw writeFailure(error, layout.root);
  }
  const release = join(folder, 'release');
  const touching = setInterval(() => {
    try {
      utimesSync(folder, now() / 1000, now() / 1000);
    } catch {}
  }, touchMs).unref();
  return {
    /** The release to be. */
    release,
    /** For what is thrown away with the stage. */
    work: join(folder, 'work'),
    /**
     * Writes the receipt and makes the release visible under its name, or leaves the one that is.
     * @param damaged makes way although it looks whole
     */
    publish(receipt: Receipt, damaged?: Release): Release {
      const name = releaseNameOf(receipt);
      writeAtomic(join(release, receiptName), `${JSON.stringify(receipt, null, 2)}\n`);
      moveInto(layout, release, name, damaged);
      return { name, folder: layout.release(name), receipt };
    },
    /** Removes what is left. Never throws. */
    discard(): void {
      clearInterval(touching);
      remove(folder);
      for (const empty of [layout.logs, dirname(layout.logs), layout.releases])
        removeIfEmpty(empty);
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

/** Removes stages and logs that killed setups left, by their age. */
export function sweep(layout: Layout, now: number): void {
  for (const [folder, prefix, limitMs] of [
    [layout.releases, stagePrefix, abandonedAfterMs],
    [layout.logs, logPrefix, logAfterMs],
  ] as const)
    for (const name of namesIn(folder)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(folder, name);
      const { mtimeMs = now } = statSync(path, { throwIfNoEntry: false }) ?? {};
      if (now - mtimeMs > limitMs) remove(path);
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
