import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { parseObject } from '../../json';
import { foldersAbove, readWorkspace } from '../../publish/workspace';

/** The repository around a Blueprint; paths are relative to its top and have slashes. */
export interface Repository {
  /** Where the Blueprint is; '' when the top of the repository is unknown. */
  readonly blueprint: string;
  /** @returns undefined for what is no file in the repository, or is larger than 1 MB */
  text(path: string): string | undefined;
  /** A package.json; undefined for what is none. */
  manifest(path: string): Record<string, unknown> | undefined;
  /** @returns undefined where there is no such file, or the platform has no such bit */
  isExecutable(path: string): boolean | undefined;
  /** The folder of a workspace's member, or of the repository's own package. */
  packageFolder(name: string): string | undefined;
}

/**
 * Reads around a Blueprint: in the folder that holds `.git`, or in the Blueprint's own folder.
 * @param file the Blueprint's path, absolute
 */
export function openRepository(file: string): Repository {
  const folder = dirname(file);
  const found = [folder, ...foldersAbove(folder)].find(each => exists(join(each, '.git')));
  const top = realpathSync(found ?? folder);
  const find = (path: string): string | undefined => {
    try {
      // The Blueprint may name any path: a link or .. must not lead out, nor to a pipe.
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
      ? relative(top, join(realpathSync(folder), basename(file))).replaceAll(sep, '/')
      : '',
    text,
    manifest: path => parseObject(text(path)),
    isExecutable(path) {
      const real = find(path);
      if (real === undefined || process.platform === 'win32') return undefined;
      return (statSync(real).mode & 0o111) !== 0;
    },
    packageFolder(name) {
      if (parseObject(text('package.json'))?.name === name) return '';
      return readWorkspace(top)?.members.get(name);
    },
  };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
