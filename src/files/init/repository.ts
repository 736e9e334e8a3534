import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseObject } from '../../json';
import { readText } from '../../settings/read-text';

/** The files of a repository, by their paths below its top. */
export interface Repository {
  /** @returns undefined for a file that is not there */
  read(path: string): string | undefined;
  has(path: string): boolean;
  /** The names of the folders in a folder, without hidden ones and node_modules. */
  foldersIn(path: string): string[];
}

export function openRepository(top: string): Repository {
  return {
    read: path => readText(join(top, path)),
    has: path => existsSync(join(top, path)),
    foldersIn(path) {
      try {
        return readdirSync(join(top, path), { withFileTypes: true })
          .filter(entry => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
          .map(({ name }) => name)
          .sort();
      } catch {
        return [];
      }
    },
  };
}

/** The path of a name in a folder; '' is the top. */
export function inFolder(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** True for a path that may stand in YAML and in a command as it is. */
export function isPlainPath(path: string): boolean {
  return /^[\w@.+/-]*$/.test(path);
}

/** The folders down to a depth, the top ('') first. */
export function foldersBelow(repository: Repository, depth: number, folder = ''): string[] {
  if (depth === 0) return [folder];
  const inner = repository
    .foldersIn(folder)
    .flatMap(name => foldersBelow(repository, depth - 1, inFolder(folder, name)));
  return [folder, ...inner];
}

/** A JSON object; undefined for anything else. */
export function readJson(
  repository: Repository,
  path: string,
): Record<string, unknown> | undefined {
  try {
    return parseObject(repository.read(path));
  } catch {
    return undefined;
  }
}

/** `owner/name` of the repository on GitHub, as its clone knows it. */
export function githubName(repository: Repository): string | undefined {
  const config = repository.has('.git/config') ? repository.read('.git/config') : undefined;
  return /^\s*url = .*github\.com[:/]+([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/m.exec(config ?? '')?.[1];
}

/** A name that Render takes for a service. */
export function serviceName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
