import { existsSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseObject } from '../../json';
import { readIfThere } from '../../release/store';
import { broken } from '../active-release';
import type { FindFile, PackageJson } from './entry';
import { publisherProblems } from './named-command';

/** The package.json in a folder; undefined when there is none that can be read. */
export function packageIn(folder: string): PackageJson | undefined {
  return parseObject(readIfThere(join(folder, 'package.json')));
}

/** Reads the package.json of a package that was installed. @throws NotFoundError RELEASE_BROKEN */
export function readPackageJson(folder: string): PackageJson {
  const json = packageIn(folder);
  if (json) return json;
  throw broken(join(folder, 'package.json'), 'is gone or damaged');
}

/**
 * Refuses an installed backend whose `bootlace` object names a role or a migrate command that could not
 * be started: at its installation, not at the moment of the migration.
 * @param folder the backend's
 * @throws the first of publisherProblems, NotFoundError RELEASE_BROKEN
 */
export function checkCommands(folder: string): void {
  const json = readPackageJson(folder);
  const [problem] = publisherProblems(json, findIn(folder), hasBinIn(folder, json));
  if (problem) throw problem;
}

/** Looks for files in a package as Node does. */
export function findIn(folder: string): FindFile {
  return findAmong(
    path => statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() === true,
    path => {
      const main = packageIn(join(folder, path))?.main;
      return typeof main === 'string' ? main : undefined;
    },
  );
}

/**
 * Finds what a path means as Node does: the file, with an extension, then as a folder `main` of its
 * package.json and index.js (https://nodejs.org/api/modules.html#all-together). Files that only an
 * import with its extension would find come last.
 * @param mainOf `main` of the package.json in a folder of the package
 */
export function findAmong(
  isFile: (path: string) => boolean,
  mainOf: (folder: string) => string | undefined,
): FindFile {
  return path => {
    const plain = posix.normalize(path.replaceAll('\\', '/')).replace(/\/$/, '');
    if (plain.startsWith('../') || plain === '..' || posix.isAbsolute(plain)) return undefined;
    const main = mainOf(plain);
    const tries = [
      ...[plain, `${plain}.js`],
      ...(main === undefined ? [] : ['', '.js', '/index.js'].map(end => `${plain}/${main}${end}`)),
      ...[`${plain}/index.js`, `${plain}.mjs`, `${plain}.cjs`],
    ];
    return tries.map(path => posix.normalize(path)).find(isFile);
  };
}

/** Tells whether the tree around an installed backend has a bin of a name. */
export function hasBinIn(folder: string, { name = '' }: PackageJson): (bin: string) => boolean {
  const folders = [join(folder, 'node_modules'), join(folder, name.includes('/') ? '../..' : '..')];
  return bin => folders.some(each => existsSync(join(each, '.bin', bin)));
}
