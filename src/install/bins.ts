import { posix } from 'node:path';

/**
 * Names and targets of a package's bins as npm normalises them: a name is one plain file name, a
 * target stays inside the package.
 * @param bin the field of a lock or a package.json; a text stands for the package's own name
 * @param name the package's real name
 * @returns name → path in the package, without a leading `./`
 */
export function normalizeBins(bin: unknown, name: string): Map<string, string> {
  const clean = new Map<string, string>();
  for (const [key, target] of entries(bin, name)) {
    if (typeof target !== 'string') continue;
    const file = posix.join('/', posix.basename(key.replace(/\\|:/g, '/'))).slice(1);
    const path = posix.join('/', target.replace(/\\/g, '/')).slice(1);
    if (file && path && !/\0/.test(file + path)) clean.set(file, path);
  }
  return clean;
}

function entries(bin: unknown, name: string): [string, unknown][] {
  if (typeof bin === 'string') return name ? [[name, bin]] : [];
  if (Array.isArray(bin))
    return bin.map(target => [posix.basename(String(target)), target] as [string, unknown]);
  return typeof bin === 'object' && bin !== null ? Object.entries(bin) : [];
}

/** A link in a node_modules/.bin. */
export interface BinLink {
  /** The package's, from the release's folder. */
  readonly folder: string;
  /** From the release's folder: `node_modules/.bin/name`. */
  readonly link: string;
  /** What the link holds, relative to its own folder. */
  readonly target: string;
  /** The file that it means, from the release's folder. */
  readonly file: string;
}

/**
 * Plans the links of all packages. Where two packages of one folder claim one name, the one whose
 * name comes first wins, as npm decides it.
 * @param packages folder → its bins as normalizeBins gives them
 */
export function planBinLinks(
  packages: ReadonlyMap<string, ReadonlyMap<string, string>>,
): BinLink[] {
  const links = new Map<string, BinLink>();
  for (const [folder, bins] of packages)
    for (const [name, path] of bins) {
      const modules = folder.slice(0, folder.lastIndexOf('node_modules/') + 'node_modules'.length);
      const link = `${modules}/.bin/${name}`;
      const before = links.get(link);
      if (before && !isBefore(folder, before.folder)) continue;
      const file = `${folder}/${path.replace(/\/+$/, '')}`;
      links.set(link, { folder, link, file, target: posix.relative(posix.dirname(link), file) });
    }
  return [...links.values()];
}

/** Both lie in one node_modules, so the order of names decides. */
function isBefore(a: string, b: string): boolean {
  // Made only for the rare tie: the first collator of a process costs as much as ten packages.
  return new Intl.Collator('en').compare(a, b) < 0;
}
