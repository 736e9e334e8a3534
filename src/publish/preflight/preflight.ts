import { isObject } from '../../json';
import { bareLock } from '../../lock/compose';
import { type LockDocument, lockName, productionSpecs } from '../../lock/document';
import { lockMismatches } from '../../lock/fits';
import { readBackendLock } from '../../lock/validate';
import { checkEngines } from '../../registry/pick';
import { sayUnknownKeys } from '../../settings/config-file';
import { megabytes } from '../../ui/text';
import { lockNotPackedFix } from '../lockable';
import type { Workspace } from '../workspace';
import { dependencyBins, dependencyProblems } from './dependencies';
import { entryProblems } from './entries';
import type { PackedPackage } from './packed-package';
import { type Problem, problem, problemOf } from './problem';

/** What surrounds a package that is checked. */
export interface Surroundings {
  nodeVersion: string;
  /** For a folder: true for a file that is on disk, packed or not. */
  isOnDisk?: (path: string) => boolean;
  /** A lock that is not the package's own, such as the workspace's: it names install scripts. */
  otherLock?: LockDocument;
  /** For a folder: its path, as a command of the fix names it; '' for the working folder. */
  folder?: string;
  /** The workspace that the folder is a member of. */
  workspace?: Workspace;
}

/**
 * Would this package launch? Applies every rule of `bootlace check` to a package. Pure.
 * @returns errors first
 */
export function preflight(pkg: PackedPackage, around: Surroundings): Problem[] {
  const wrongTables = tableProblems(pkg);
  if (wrongTables.length) return wrongTables;
  const { lock, problems: lockFaults } = ownLock(pkg, around);
  const problems = [
    ...dependencyProblems(pkg.manifest, lock ?? around.otherLock, around.workspace),
    ...entryProblems(pkg, dependencyBins(pkg.manifest, lock), around.isOnDisk),
    ...secretProblems(pkg),
    ...hostProblems(pkg, around),
    ...lockFaults,
    ...sizeProblems(pkg),
  ];
  return problems.sort((a, b) => rank(a) - rank(b));
}

const rank = ({ severity }: Problem) => (severity === 'error' ? 0 : 1);

/** A wrong table of names and ranges: the other rules could not read it. */
function tableProblems({ manifest }: PackedPackage): Problem[] {
  const tables = ['dependencies', 'optionalDependencies', 'peerDependencies'] as const;
  return tables.flatMap(path => {
    const table: unknown = manifest[path];
    if (table === undefined) return [];
    const isTable = isObject(table) && Object.values(table).every(spec => typeof spec === 'string');
    if (isTable) return [];
    const message = `"${path}" is no table of names and versions`;
    const fix = `write "${path}": { "name": "^1.0.0" }`;
    return problem('error', 'MANIFEST_INVALID', path, { message, fix });
  });
}

/** How to pack a package without some of its files. */
function leaveOut({ manifest }: PackedPackage, ...patterns: string[]): string {
  return Array.isArray(manifest.files)
    ? `add ${patterns.map(pattern => `"!${pattern}"`).join(' and ')} to the end of "files" in package.json`
    : `add ${patterns.join(' and ')} to .npmignore, one a line, or list what is needed in "files" of package.json`;
}

function secretProblems(pkg: PackedPackage): Problem[] {
  return pkg.secrets.map(({ file, line, what, isSample }) => ({
    severity: isSample ? 'warning' : 'error',
    code: line === undefined ? 'SECRET_FILE' : 'SECRET_TEXT',
    file,
    ...(line !== undefined && { line }),
    message: `${file} is packed and holds ${what}`,
    fix:
      line === undefined
        ? `${leaveOut(pkg, file)}; revoke what was published`
        : 'take it out, read it from a variable at run time, and revoke it: whoever installs the package has it',
  }));
}

function hostProblems({ manifest }: PackedPackage, { nodeVersion }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const unknown = sayUnknownKeys(manifest.bootlace, manifest.name);
  if (unknown)
    problems.push(
      problem('error', 'CONFIG_UNKNOWN_KEY', 'bootlace', {
        message: unknown,
        fix: 'correct the key, or take it out',
      }),
    );
  const engines: unknown = manifest.engines;
  const node = isObject(engines) && typeof engines.node === 'string' ? engines.node : undefined;
  try {
    const { name, version = '' } = manifest;
    checkEngines({ name, version, engines: { node }, dist: { tarball: '' } }, nodeVersion);
  } catch (error) {
    const fix = `check with a Node that fits ${node}, which the host needs as well (NODE_VERSION on Render), or correct "engines"`;
    problems.push({ ...problemOf(error, fix), path: 'engines.node' });
  }
  return problems;
}

/** The lock that the package carries, and what is wrong with it. */
function ownLock(
  { lock: text, manifest }: PackedPackage,
  { isOnDisk, folder }: Surroundings,
): { lock?: LockDocument; problems: Problem[] } {
  const fix = `run: npx bootlace lock${folder ? ` ${folder}` : ''}, then publish`;
  const { dependencies, optionalDependencies } = productionSpecs(manifest);
  const fault = (severity: Problem['severity'], code: string, message: string): Problem => ({
    severity,
    code,
    file: lockName,
    message,
    fix,
  });
  if (text === undefined && isOnDisk?.(lockName)) {
    const there = fault('error', 'LOCK_NOT_PACKED', `${lockName} is there and would not be packed`);
    return { problems: [{ ...there, fix: lockNotPackedFix }] };
  }
  if (text === undefined) {
    const isNeeded = Object.keys({ ...dependencies, ...optionalDependencies }).length > 0;
    const message = 'the package carries no lock: each install chooses versions anew';
    return { problems: isNeeded ? [fault('warning', 'LOCK_NONE', message)] : [] };
  }
  try {
    const lock = readBackendLock(text, lockName, manifest.name);
    const differences = lockMismatches(bareLock(lock, manifest.name).bare, manifest);
    const message = `the lock does not fit package.json: ${differences.slice(0, 10).join('; ')}`;
    return { lock, problems: differences.length ? [fault('error', 'LOCK_STALE', message)] : [] };
  } catch (error) {
    const { path: _, ...problem } = problemOf(error);
    return { problems: [{ ...problem, file: lockName }] };
  }
}

/** Below this, what is superfluous costs nothing. */
const fewBytes = 50_000;

function sizeProblems(pkg: PackedPackage): Problem[] {
  let sources = 0;
  let rest = 0;
  for (const [path, size] of pkg.files) {
    if (/(^|\/)node_modules\//.test(path)) continue;
    const isSource = /\.map$|(?<!\.d)\.[cm]?tsx?$/.test(path);
    if (isSource) sources += size;
    else rest += size;
  }
  if (sources < fewBytes || sources < rest) return [];
  return [
    problem('warning', 'SIZE_SOURCES', 'files', {
      message: `source maps and sources take ${megabytes(sources)}, everything else ${megabytes(rest)}`,
      fix: leaveOut(pkg, '**/*.map', '**/*.ts'),
    }),
  ];
}
