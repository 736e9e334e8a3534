import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { backendFolder, type Layout, receiptName } from './layout';
import { type Current, parseCurrent, parseReceipt, type Receipt } from './receipt';

export interface Release {
  name: string;
  folder: string;
  receipt: Receipt;
}

/** The releases that have a receipt, newest install first. */
export function listReleases(layout: Layout): Release[] {
  return namesIn(layout.releases)
    .filter(name => !name.startsWith('.'))
    .flatMap(name => readRelease(layout, name) ?? [])
    .sort((a, b) => (a.receipt.installedAt < b.receipt.installedAt ? 1 : -1));
}

export function readRelease(layout: Layout, name: string): Release | undefined {
  const folder = layout.release(name);
  const text = readIfThere(join(folder, receiptName));
  const receipt = text === undefined ? undefined : parseReceipt(text);
  return receipt && { name, folder, receipt };
}

/** current.json, or undefined when there is none that can be relied on. */
export function readCurrent(layout: Layout): Current | undefined {
  const text = readIfThere(layout.current);
  return text === undefined ? undefined : parseCurrent(text);
}

/** The folder of a release: its version and ten hex digits of everything that decides its tree. */
export function releaseNameOf(receipt: Receipt): string {
  const { package: name, version, integrity, host, scripts, lock, slim, omit = [] } = receipt;
  const identity = JSON.stringify([
    name,
    version,
    integrity,
    host.platform,
    host.arch,
    host.abi,
    scripts,
    lock?.sha256,
    slim !== undefined,
    ...omit,
  ]);
  return `${version}-${createHash('sha256').update(identity).digest('hex').slice(0, 10)}`;
}

/** True for one and the same install: another one may have taken its place under its name. */
export function isSameInstall(a: Release, b: Release | undefined): boolean {
  return a.name === b?.name && a.receipt.installedAt === b.receipt.installedAt;
}

/** True when every package of a release is still there: a receipt alone may outlive its content. */
export function isWhole({ folder, receipt }: Release): boolean {
  return receipt.tree.paths.every(path => existsSync(join(folder, path, 'package.json')));
}

/** True for the active release when the file that it starts is gone: another one is no substitute. */
export function hasLostEntry(layout: Layout, { name, folder, receipt }: Release): boolean {
  const current = readCurrent(layout);
  if (current?.active !== name) return false;
  return !existsSync(join(backendFolder(folder, receipt.package), current.start.entry.file));
}

/** The text of a file of bootlace's own; one that cannot be read is as good as none. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The names in a folder; none when it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
