import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LockDocument } from '../lock/document';
import { folderName } from '../lock/validate';

/**
 * Takes out of a tree that npm made what --slim leaves out of one that bootlace makes: file by file
 * the same, so that both installers give the same tree.
 * @param backend the backend's folder in the release, which stays whole
 * @returns what was taken out
 */
export function slimTree(
  release: string,
  lock: LockDocument,
  backend: string,
): { files: number; bytes: number } {
  const saved = { files: 0, bytes: 0 };
  // What comes inside another package's tarball is that package's.
  const folders = new Set(
    Object.keys(lock.packages).filter(path => path !== '' && !lock.packages[path]?.inBundle),
  );
  for (const path of folders) {
    const isWhole =
      path === backend || (lock.packages[path]?.name ?? folderName(path)) === 'typescript';
    if (!isWhole && statSync(join(release, path), { throwIfNoEntry: false })) walk(path, '');
  }
  return saved;

  function walk(top: string, below: string): void {
    const folder = join(release, top, below);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const inner = below ? `${below}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!folders.has(`${top}/${inner}`)) walk(top, inner);
      } else if (entry.isFile() && isSlimmed(inner)) {
        const file = join(folder, entry.name);
        saved.files++;
        saved.bytes += statSync(file).size;
        rmSync(file);
      }
    }
    if (below && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

/**
 * True for a file that a server does not load: type declarations, source maps, Markdown. Licences
 * and notices stay whatever their format, and nothing of a bundled typescript goes: it reads its own
 * declarations.
 * @param path below the package's folder
 */
export function isSlimmed(path: string): boolean {
  if (/(^|\/)node_modules\/typescript\//.test(path)) return false;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.d\.[cm]?ts$|\.(?:[cm]?[jt]sx?|css)\.map$/i.test(name)) return true;
  return /\.(?:md|markdown)$/i.test(name) && !legal.test(name);
}

const legal = /licen[cs]e|copying|copyright|notice|patents|authors|contributors|third.?party/i;
