import { isObject } from '../../json';
import type { LockDocument, LockedManifest } from '../../lock/document';
import { folderName } from '../../lock/validate';
import { count } from '../../ui/text';
import { hostDependencies, publishFix, showDependency } from '../lockable';
import type { Workspace } from '../workspace';
import { type Problem, problem } from './problem';

/** Needed to build or to test, never to run. */
const buildTools = new Set(
  (
    'typescript ts-node ts-node-dev tsx tsup tsc-watch ts-jest webpack webpack-cli vite vitest rollup parcel ' +
    'esbuild nodemon jest mocha ava eslint prettier @biomejs/biome husky lint-staged turbo nx gulp ' +
    'grunt @nestjs/cli @swc/cli @swc/core @babel/core @babel/cli concurrently supertest cypress'
  ).split(' '),
);

/**
 * The rules about a package's dependencies. Pure.
 * @param lock says which of them have install scripts; undefined when nothing does
 * @param workspace that the package is a member of
 */
export function dependencyProblems(
  manifest: LockedManifest,
  lock: LockDocument | undefined,
  workspace?: Workspace,
): Problem[] {
  const problems: Problem[] = [];
  for (const dependency of hostDependencies(manifest, workspace)) {
    const { section, name, from, member } = dependency;
    const add = (
      severity: Problem['severity'],
      code: string,
      texts: Pick<Problem, 'message' | 'fix'>,
    ): unknown => problems.push(problem(severity, code, `${section}.${name}`, texts));
    const shown = showDependency(dependency);
    if (from === 'local')
      add('error', 'DEPENDENCY_LOCAL', {
        message: `${shown} cannot be installed on another machine`,
        fix: `${publishFix(dependency)}${member === undefined ? '; pnpm and yarn write versions for workspace: and catalog: when they pack, so check their tarball' : ''}`,
      });
    else if (from === 'remote')
      add('warning', 'DEPENDENCY_REMOTE', {
        message: `${shown} comes from no registry: it is not locked, and needs git or that host at each install`,
        fix: publishFix(dependency),
      });
    if (section === 'peerDependencies') continue;
    const isTypes = name.startsWith('@types/');
    if (isTypes || buildTools.has(name))
      add('warning', isTypes ? 'DEPENDENCY_TYPES' : 'DEPENDENCY_BUILD_TOOL', {
        message: `${name} is installed on every host, and ${isTypes ? 'types are' : 'a build tool is'} not needed to run`,
        fix: `move it to devDependencies: npm install --save-dev ${name}`,
      });
  }
  return [...problems, ...scriptProblems(lock)];
}

function scriptProblems(lock: LockDocument | undefined): Problem[] {
  const names = Object.entries(lock?.packages ?? {})
    .filter(([, { hasInstallScript, dev, optional }]) => hasInstallScript && !dev && !optional)
    .map(([path]) => folderName(path));
  const list = [...new Set(names)].sort();
  if (list.length === 0) return [];
  return [
    problem('warning', 'DEPENDENCY_SCRIPTS', 'dependencies', {
      message: `${count(list.length, 'package')} with install scripts, which no host runs unless allowed: ${list.slice(0, 10).join(', ')}`,
      fix: `set BACKEND_SCRIPTS=${list.join(',')} on the host if the backend needs them, else ignore this`,
    }),
  ];
}

/**
 * Tells whether a package's production dependencies bring a bin, before anything is installed. Pure.
 * @returns false also for a tool that only devDependencies name; undefined where no lock says it
 */
export function dependencyBins(
  manifest: Pick<LockedManifest, 'dependencies' | 'devDependencies'>,
  lock: LockDocument | undefined,
): (name: string) => boolean | undefined {
  const names = new Set<string>();
  for (const { bin } of Object.values(lock?.packages ?? {}))
    if (isObject(bin)) for (const name of Object.keys(bin)) names.add(name);
  const has = (table: unknown, name: string) => isObject(table) && Object.hasOwn(table, name);
  return name => {
    if (lock) return names.has(name);
    const isForDevelopment =
      has(manifest.devDependencies, name) && !has(manifest.dependencies, name);
    return isForDevelopment ? false : undefined;
  };
}
