import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { systemCode } from '../errors';
import { writeFailure } from '../release/atomic';
import { hashPackages, type TreeHash } from '../release/tree';
import type { BinLink } from './bins';
import { PackageWriter, type Written } from './package-writer';
import { readTarball } from './read-tarball';
import { isSlimmed } from './slim';
import type { Tarball } from './tarball';

/** A verified tarball and the folders that it fills. Plain data: it may go to another thread. */
export interface UnpackJob {
  /** The release's folder. */
  readonly root: string;
  /** `left@1.0.0`, for the failure. */
  readonly what: string;
  readonly tarball: Tarball;
  readonly targets: readonly UnpackTarget[];
}

export interface UnpackTarget {
  readonly folder: string;
  /** Folders in this one, in lower case, that the tarballs of other packages fill. */
  readonly foreign: readonly string[];
  /** Links to bins that this tarball brings. */
  readonly links: readonly BinLink[];
  /** Folders of packages that this tarball should bring with it. */
  readonly bundled: readonly string[];
  readonly slim: boolean;
}

/** What one job has put on the disk. */
export interface Unpacked {
  /** Package's folder → hash. */
  readonly packages: Map<string, TreeHash>;
  /** Link → what it holds. */
  readonly links: Map<string, string>;
  /** Bundled packages that the tarball does not hold. */
  readonly missing: string[];
  /** Folders whose binding.gyp stands for an install script. */
  readonly gyp: string[];
  readonly savedFiles: number;
  readonly savedBytes: number;
}

/**
 * Unpacks a verified tarball and links its bins.
 * @throws IntegrityError TARBALL_HOSTILE or TARBALL_INVALID, InstallError DISK_FULL or NOT_WRITABLE
 */
export async function unpack({ root, what, tarball, targets }: UnpackJob): Promise<Unpacked> {
  const written: Written = {
    root,
    files: new Map(),
    folders: new Set(['', 'node_modules']),
    savedFiles: 0,
    savedBytes: 0,
  };
  const links = new Map<string, string>();
  const missing: string[] = [];
  const gyp: string[] = [];
  for (const target of targets) {
    const { folder, foreign, slim } = target;
    const bins = new Set(target.links.map(({ file }) => file));
    const leaveOut = slim ? isSlimmed : undefined;
    const writer = new PackageWriter(written, { what, folder, foreign, bins, leaveOut });
    try {
      await readTarball(tarball, what, writer);
    } finally {
      writer.close();
    }
    if (writer.hasGyp && isGypInstall(join(root, folder))) gyp.push(folder);
    missing.push(...target.bundled.filter(path => !written.files.has(`${path}/package.json`)));
    for (const link of target.links)
      if (written.files.has(link.file) || written.folders.has(link.file)) {
        linkBin(written, link);
        links.set(link.link, link.target);
      }
  }
  const { savedFiles, savedBytes } = written;
  return { packages: hashPackages(written.files), links, missing, gyp, savedFiles, savedBytes };
}

function linkBin({ root, folders, files }: Written, { link, target }: BinLink): void {
  const folder = posix.dirname(link);
  const full = join(root, link);
  try {
    if (!folders.has(folder)) mkdirSync(join(root, folder), { recursive: true });
    folders.add(folder);
    try {
      symlinkSync(target, full);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
      // A tarball may bring a .bin of its own.
      rmSync(full, { recursive: true });
      files.delete(link);
      symlinkSync(target, full);
    }
  } catch (error) {
    throw writeFailure(error, link);
  }
}

/** A binding.gyp stands for an install script unless the package says otherwise. */
function isGypInstall(folder: string): boolean {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return false;
  try {
    const { gypfile, scripts } = JSON.parse(readFileSync(file, 'utf8')) as {
      gypfile?: unknown;
      scripts?: Record<string, unknown>;
    };
    return gypfile !== false && !scripts?.install && !scripts?.preinstall;
  } catch {
    return false;
  }
}
