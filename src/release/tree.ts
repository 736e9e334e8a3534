import { hash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeHash {
  /** In hex. */
  sha256: string;
  files: number;
  bytes: number;
}

/** The hash of a whole tree, and the first 16 digits of each package's. */
export interface TreeSummary extends TreeHash {
  packages: Record<string, string>;
}

/** A file as the tree's hash sees it. */
export interface HashedFile {
  readonly isExecutable: boolean;
  readonly size: number;
  /** Of its content, in hex. */
  readonly sha256: string;
}

/** sha256 in hex of content that is at hand. */
export function hashContent(content: Buffer): string {
  return hash('sha256', content, 'hex');
}

/**
 * The hashes of packages from those of their files: one sorted line for each file. Package by
 * package, so that an installer can do it while it has the content at hand, in any order.
 * @param files path from the release's folder, beginning with `node_modules/` → file
 * @returns package's folder → hash
 */
export function hashPackages(files: ReadonlyMap<string, HashedFile>): Map<string, TreeHash> {
  const packages = new Map<string, { text: string; files: number; bytes: number }>();
  for (const [path, file] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = packageOf(path);
    const part = packages.get(name) ?? { text: '', files: 0, bytes: 0 };
    part.text += `${path}\0${file.isExecutable ? 'x' : 'f'}${file.sha256}\n`;
    part.files += 1;
    part.bytes += file.size;
    packages.set(name, part);
  }
  return new Map(
    [...packages].map(([name, { text, ...part }]) => [
      name,
      { sha256: hash('sha256', text, 'hex'), ...part },
    ]),
  );
}

/**
 * The hash of a tree from those of its packages and its links.
 * @param links path → what the link holds
 */
export function combineTree(
  packages: ReadonlyMap<string, TreeHash>,
  links: ReadonlyMap<string, string>,
): TreeSummary {
  const lines: string[] = [];
  let files = 0;
  let bytes = 0;
  for (const [folder, part] of packages) {
    lines.push(`${folder}\0p${part.sha256}\n`);
    files += part.files;
    bytes += part.bytes;
  }
  for (const [path, target] of links) lines.push(`${path}\0l${target}\n`);
  const short = [...packages].map(([folder, part]) => [folder, part.sha256.slice(0, 16)]);
  const sha256 = hash('sha256', lines.sort().join(''), 'hex');
  return { sha256, files, bytes, packages: Object.fromEntries(short.sort()) };
}

/**
 * Hashes a release's node_modules on the disk. npm's hidden lock file is left out; it is a cache
 * of npm's and holds what the receipt holds.
 * @param folder the node_modules folder
 */
export function hashTree(folder: string): TreeSummary {
  const files = new Map<string, HashedFile>();
  const links = new Map<string, string>();
  walk('node_modules', folder);
  return combineTree(hashPackages(files), links);

  function walk(path: string, full: string): void {
    for (const entry of readdirSync(full, { withFileTypes: true })) {
      const child = `${path}/${entry.name}`;
      const at = join(full, entry.name);
      if (entry.isDirectory()) walk(child, at);
      else if (entry.isSymbolicLink()) links.set(child, readlinkSync(at));
      else if (child !== 'node_modules/.package-lock.json') {
        const content = readFileSync(at);
        const isExecutable = (lstatSync(at).mode & 0o100) !== 0;
        files.set(child, { isExecutable, size: content.length, sha256: hashContent(content) });
      }
    }
  }
}

/**
 * Names what is not as it was installed: the files of a changed package that were written after the
 * install, or the package where none was, as after a copy.
 * @param release the release's folder
 * @param installed and `found`: package's folder → digest
 * @param installedAt milliseconds since the epoch
 * @returns paths from the release's folder, sorted
 */
export function findChanges(
  release: string,
  installed: Readonly<Record<string, string>>,
  found: Readonly<Record<string, string>>,
  installedAt: number,
): string[] {
  const folders = new Set([...Object.keys(installed), ...Object.keys(found)]);
  return [...folders]
    .filter(folder => installed[folder] !== found[folder])
    .flatMap(folder => {
      const files = found[folder] === undefined ? [] : ownFiles(release, folder);
      const late = files.filter(file => lstatSync(join(release, file)).ctimeMs > installedAt);
      return late.length && late.length < files.length ? late : [folder];
    })
    .sort();
}

/** A package's files without those of packages inside it. */
function ownFiles(release: string, folder: string): string[] {
  return readdirSync(join(release, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return entry.name === 'node_modules' ? [] : ownFiles(release, path);
  });
}

/** The innermost package's folder of a path; '' for what lies in none. */
function packageOf(path: string): string {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^@./][^/]*(?=\/)/s.exec(path)?.[0] ?? '';
}
