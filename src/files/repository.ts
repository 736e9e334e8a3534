import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseObject } from '../json';
import { foldersAbove, foldersBelow, readWorkspace } from '../publish/workspace';

/** The files of a repository; paths are relative to its top and have slashes. */
export interface Repository {
  /** Where the Blueprint that is checked is; '' when the top of the repository is unknown. */
  readonly blueprint: string;
  /** @returns undefined for what is no file in the repository, or is larger than 1 MB */
  text(path: string): string | undefined;
  /** True for a file and for a folder. */
  has(path: string): boolean;
  /** A package.json; undefined for what is none. */
  manifest(path: string): Record<string, unknown> | undefined;
  /** @returns undefined where there is no such file, or the platform has no such bit */
  isExecutable(path: string): boolean | undefined;
  /** The folder of a workspace's member, or of the repository's own package. */
  packageFolder(name: string): string | undefined;
  /** The folders down to a depth, the top ('') first, without hidden ones and node_modules. */
  folders(depth: number): string[];
}

/**
 * Opens the repository around a folder: up to the one that holds `.git`, or the folder alone.
 * @param blueprint a file's name in that folder
 */
export function openRepository(folder: string, blueprint = ''): Repository {
  const found = [folder, ...foldersAbove(folder)].find(each => existsSync(join(each, '.git')));
  const top = realpathSync(found ?? folder);
  const find = (path: string): string | undefined => {
    try {
      // A Blueprint may name any path: a link or .. must not lead out, nor to a pipe.
      const real = realpathSync(join(top, path));
      const isInside = real.startsWith(top.endsWith(sep) ? top : top + sep);
      const stat = statSync(real);
      return isInside && stat.isFile() && stat.size <= 1_000_000 ? real : undefined;
    } catch {
      return undefined;
    }
  };
  const text = (path: string) => {
    const real = find(path);
    return real === undefined ? undefined : readFileSync(real, 'utf8');
  };
  return {
    blueprint: found
      ? join(relative(top, realpathSync(folder)), blueprint).replaceAll(sep, '/')
      : '',
    text,
    has: path => existsSync(join(top, path)),
    manifest: path => parseObject(text(path)),
    isExecutable(path) {
      const real = find(path);
      if (real === undefined || process.platform === 'win32') return undefined;
      return (statSync(real).mode & 0o111) !== 0;
    },
    packageFolder(name) {
      if (parseObject(text('package.json'))?.name === name) return '';
      return readWorkspace(top)?.members.get(name)?.folder;
    },
    folders: depth => ['', ...foldersBelow(top, depth)],
  };
}

/** True for a path that may stand in YAML and in a command as it is. */
export function isPlainPath(path: string): boolean {
  return /^[\w@.+/-]*$/.test(path);
}

/** `owner/name` of the repository on GitHub, as its clone knows it. */
export function githubName(repository: Repository): string | undefined {
  const config = repository.text('.git/config') ?? '';
  return /^\s*url = .*github\.com[:/]+([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/m.exec(config)?.[1];
}

/** A name that Render takes for a service. */
export function serviceName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
