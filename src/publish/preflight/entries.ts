import { posix } from 'node:path';
import { isObject } from '../../json';
import {
  binsOf,
  chooseEntry,
  type Entry,
  exportTarget,
  type FindFile,
  type PackageJson,
} from '../../start/plan/entry';
import { publisherProblems } from '../../start/plan/named-command';
import { parseStartScript } from '../../start/plan/start-script';
import type { PackedPackage } from './packed-package';
import { type Problem, problem, problemOf } from './problem';

/**
 * The rules about what can be started: every file that package.json names is packed, and one of them
 * is the entry. Pure.
 * @param hasBin as for publisherProblems
 * @param isOnDisk true for a file that is there and was not packed
 */
export function entryProblems(
  { manifest, find }: Pick<PackedPackage, 'manifest' | 'find'>,
  hasBin: (name: string) => boolean | undefined,
  isOnDisk: (path: string) => boolean = () => false,
): Problem[] {
  const roles = publisherProblems(manifest, find, hasBin).map(error => problemOf(error));
  const bootlace = isObject(manifest.bootlace) ? manifest.bootlace : {};
  const hasWeb = isObject(bootlace.roles) && Object.hasOwn(bootlace.roles, 'web');
  const choice = hasWeb ? undefined : chooseEntry(manifest, undefined, find);
  const failed = choice && 'failure' in choice ? choice : undefined;
  const files = namedFiles(manifest).flatMap(([path, target]) => {
    const plain = posix.normalize(target.replaceAll('\\', '/'));
    const isOutside = /^\.\.(\/|$)|^\//.test(plain);
    if (!isOutside && find(target)) return [];
    // npm's scripts are for the repository as well, and then something else is the entry.
    const severity = path !== 'scripts.start' || failed ? 'error' : 'warning';
    if (isOutside)
      return problem(severity, 'ENTRY_OUTSIDE', path, {
        message: `${path} is ${target}, outside of the package`,
        fix: 'name a file of the package, with a path from its package.json',
      });
    const folder = JSON.stringify(plain.split('/')[0]);
    return problem(severity, 'FILE_NOT_PACKED', path, {
      message: `${path} is ${target}, and the package has no such file`,
      fix: isOnDisk(target)
        ? `list ${folder} in "files" of package.json, or take it out of .npmignore`
        : `build before you publish, and list ${folder} in "files" of package.json`,
    });
  });
  const skipped = choice && 'entry' in choice ? skippedProblems(manifest, choice.entry, find) : [];
  const problems = [...files, ...roles, ...skipped];
  // A missing file that is named is said already.
  if (!failed || problems.length) return problems;
  const [first] = failed.candidates;
  const fix = first
    ? `name the server in scripts.start, as in "start": "node ${find(first) ?? 'dist/main.js'}", or in "main"`
    : 'build before you publish, list the built folder in "files", and name the server in "main" or scripts.start';
  return [problem('error', failed.failure, undefined, { message: failed.message, fix })];
}

/** A step that the publisher has done before. */
const buildStep = /\b(build|compile|clean|tsc|swc|rimraf)\b/;

/** What scripts.start does besides the start that bootlace takes in its place. */
function skippedProblems(
  { scripts }: PackageJson,
  { file, why }: Entry,
  find: FindFile,
): Problem[] {
  const start = isObject(scripts) ? scripts.start : undefined;
  const steps = typeof start === 'string' ? start.split(/&&|\|\||;/).map(step => step.trim()) : [];
  const isStart = (step: string) => find(parseStartScript(step)?.file ?? '') === file;
  const skipped = steps.filter(step => step && !isStart(step) && !buildStep.test(step));
  if (steps.length < 2 || skipped.length === 0) return [];
  return [
    problem('warning', 'START_SKIPPED', 'scripts.start', {
      message: `${file} is started (${why}) without a shell, which skips of scripts.start: ${skipped.join(', ').slice(0, 200)}`,
      fix: `write "start": "node ${file}", and a migration as "bootlace": { "migrate": ${JSON.stringify(skipped[0])} }`,
    }),
  ];
}

/** The files that package.json says are there: key → path. */
function namedFiles(json: PackageJson): [path: string, target: string][] {
  const { main, scripts, exports } = json;
  const named: [string, string | undefined][] = [['main', typeof main === 'string' ? main : '']];
  for (const [name, target] of Object.entries(binsOf(json))) named.push([`bin.${name}`, target]);
  const isMap = isObject(exports) && Object.keys(exports).some(key => key.startsWith('.'));
  for (const subpath of isMap ? Object.keys(exports) : ['.']) {
    const target = subpath.includes('*') ? undefined : exportTarget(json, subpath);
    if (!target?.endsWith('/')) named.push([isMap ? `exports.${subpath}` : 'exports', target]);
  }
  const start = isObject(scripts) ? scripts.start : undefined;
  const script = typeof start === 'string' ? parseStartScript(start) : undefined;
  named.push(['scripts.start', script?.file]);
  return named.filter((pair): pair is [string, string] => Boolean(pair[1]));
}
