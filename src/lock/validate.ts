import validateName from 'validate-npm-package-name';
import { InstallError } from '../errors';
import { isObject, isTooDeep } from '../json';
import { parseIntegrity } from '../registry/integrity';
import type { LockDocument, LockEntry } from './document';

/** An npm v3 lock: folder → package. The key '' is the project itself. */
export interface Lockfile {
  readonly packages: ReadonlyMap<string, LockEntry>;
  /** Packages whose only checksum is a sha1. */
  readonly weak: readonly string[];
}

/** Folders of packages whose tarball is handed in. */
type Local = ReadonlySet<string> | ReadonlyMap<string, unknown>;

const largestLock = 64 * 1024 * 1024;
const mostPackages = 100_000;

function invalidLock(where: string, what: string): InstallError {
  return new InstallError('LOCK_INVALID', `${where} is no lock that can be installed: ${what}`, {
    fix: 'make the lock again: npx bootlace lock, then publish',
    facts: { where },
  });
}

/**
 * Reads the lock of a backend, in either form, as hostile before anything looks into it.
 * @param where as in validateLock
 * @throws as validateLock does
 */
export function readBackendLock(text: string, where: string, backend: string): LockDocument {
  if (text.length > largestLock) throw invalidLock(where, `it has ${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw invalidLock(where, 'it is not JSON');
  }
  validateLock(value, where, new Set([`node_modules/${backend}`]));
  return value as LockDocument;
}

/**
 * Checks a lock at the door: it may come from inside a tarball, so nothing in it is trusted. What
 * leaves here names only folders below node_modules, http addresses and usable checksums.
 * @param value the lock, parsed
 * @param where what the lock is, for the failure: `bootlace-lock.json of @acme/backend@1.2.3`
 * @param local folders whose tarball is handed in; they need no checksum and no address
 * @throws InstallError LOCK_INVALID, LOCK_VERSION, LOCK_LINK, LOCK_PROTOCOL or LOCK_NO_INTEGRITY
 */
export function validateLock(value: unknown, where: string, local: Local = new Set()): Lockfile {
  const invalid = (what: string) => invalidLock(where, what);
  if (!isObject(value)) throw invalid('it is not an object');
  if (value.lockfileVersion !== 3 && value.lockfileVersion !== 2)
    throw new InstallError(
      'LOCK_VERSION',
      `${where} has lockfileVersion ${shorten(value.lockfileVersion)}, version 3 is needed`,
      { fix: 'make the lock with npm 7 or later, or with: npx bootlace lock', facts: { where } },
    );
  if (!isObject(value.packages)) throw invalid('it has no packages');
  const entries = Object.entries(value.packages);
  if (entries.length > mostPackages) throw invalid(`it names ${entries.length} packages`);
  const packages = new Map<string, LockEntry>();
  const weak: string[] = [];
  for (const [path, entry] of entries) {
    if (path !== '' && !isPackagePath(path))
      throw invalid(`${shorten(path)} is no folder of a package`);
    if (!isObject(entry)) throw invalid(`${shorten(path)} is not an object`);
    if (isTooDeep(entry)) throw invalid(`${shorten(path)} is nested too deep`);
    const checked = parseEntry(path, entry, { where, invalid, isLocal: local.has(path) });
    if (isWeak(checked)) weak.push(path);
    packages.set(path, checked);
  }
  for (const path of packages.keys()) {
    const parent = parentOf(path);
    if (parent && !packages.has(parent) && !local.has(parent))
      throw invalid(`${shorten(path)} lies in a package that the lock does not name`);
  }
  return { packages, weak };
}

/** The folder that holds a package's own dependencies' folder: its parent package, '' at the top. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/node_modules/');
  return at < 0 ? '' : path.slice(0, at);
}

/** The name that a package is required by. */
export function folderName(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** The name that a package was published under. */
export function packageName(path: string, entry: LockEntry): string {
  return entry.name ?? folderName(path);
}

/** True for `node_modules/a/node_modules/@b/c` and nothing that leaves such a folder. */
function isPackagePath(path: string): boolean {
  if (path.length > 2000 || !path.startsWith('node_modules/')) return false;
  return path.slice('node_modules/'.length).split('/node_modules/').every(isPackageName);
}

/** True for a name that a package can have and that is no path. */
export function isPackageName(name: string): boolean {
  // Nearly all names; the validator is slow and knows the rest.
  if (/^(?:@[a-z0-9-]+\/)?[a-z0-9][a-z0-9.-]*$/.test(name)) return true;
  // The validator knows npm's rules; a name that is a path of this or another system is none.
  return (
    validateName(name).validForOldPackages &&
    !/[\\:\0]/.test(name) &&
    name.split('/').every(part => part !== '.' && part !== '..' && part !== 'node_modules')
  );
}

interface Context {
  where: string;
  invalid: (what: string) => InstallError;
  isLocal: boolean;
}

function parseEntry(
  path: string,
  entry: Record<string, unknown>,
  { where, invalid, isLocal }: Context,
): LockEntry {
  const at = shorten(path);
  const text = (key: string) => {
    const value = entry[key];
    if (typeof value === 'string') return value;
    // npm has written null and false for what it did not know.
    if (value === undefined || value === null || value === false) return undefined;
    throw invalid(`${at} has a ${key} that is no text`);
  };
  const names = (key: string) => {
    const value = entry[key];
    if (value === undefined) return undefined;
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value;
    throw invalid(`${at} has a ${key} that is no list of names`);
  };
  const ranges = (key: string) => {
    const value = entry[key];
    if (value === undefined) return undefined;
    if (isObject(value)) return value as Record<string, string>;
    throw invalid(`${at} has ${key} that are no table`);
  };
  if (entry.link === true || entry.link === 'true')
    throw new InstallError('LOCK_LINK', `${at} in ${where} is a link to a folder`, {
      fix: 'replace the workspace or file: dependency by a published version and make the lock again',
      facts: { where, path },
    });
  const name = text('name');
  if (path !== '' && name !== undefined && !isPackageName(name))
    throw invalid(`${at} has the name ${shorten(name)}`);
  const version = text('version');
  if (version !== undefined && !/^[\w.+-]{1,256}$/.test(version) && path !== '')
    throw invalid(`${at} has the version ${shorten(version)}`);
  const resolved = text('resolved');
  // What the registry did not have when npm wrote the lock; npm ci does not install it either.
  const isInert =
    entry.ideallyInert === true ||
    (entry.optional === true && version === undefined && resolved === undefined);
  const parsed: LockEntry = {
    name,
    version,
    resolved,
    integrity: text('integrity'),
    ...flags(entry),
    ...(isInert && { extraneous: true }),
    os: names('os'),
    cpu: names('cpu'),
    libc: names('libc'),
    engines: nodeEngine(entry.engines),
    bin: bins(entry.bin),
    dependencies: ranges('dependencies'),
    devDependencies: path === '' ? ranges('devDependencies') : undefined,
    optionalDependencies: ranges('optionalDependencies'),
    peerDependencies: ranges('peerDependencies'),
    peerDependenciesMeta: ranges('peerDependenciesMeta') as LockEntry['peerDependenciesMeta'],
  };
  // What is never installed needs no address and no checksum.
  if (path !== '' && !parsed.inBundle && !parsed.dev && !parsed.extraneous && !isLocal)
    checkSource(path, parsed, where, invalid);
  return parsed;
}

function checkSource(
  path: string,
  { resolved, integrity, version }: LockEntry,
  where: string,
  invalid: Context['invalid'],
): void {
  if (resolved !== undefined && !(URL.canParse(resolved) && /^https?:\/\//i.test(resolved)))
    throw new InstallError(
      'LOCK_PROTOCOL',
      `${shorten(path)} in ${where} comes from ${shorten(resolved)}, which is no registry`,
      {
        fix: 'replace the git, file: or folder dependency by a published version and make the lock again',
        facts: { where, path },
      },
    );
  if (resolved === undefined && version === undefined)
    throw invalid(`${shorten(path)} has neither a version nor an address`);
  if (!parseIntegrity(integrity))
    throw new InstallError('LOCK_NO_INTEGRITY', `${shorten(path)} in ${where} has no checksum`, {
      fix: 'make the lock again with: npx bootlace lock',
      facts: { where, path },
    });
}

function isWeak({ integrity, dev, inBundle, extraneous }: LockEntry): boolean {
  return !dev && !inBundle && !extraneous && parseIntegrity(integrity)?.algorithm === 'sha1';
}

const flagNames = 'dev optional devOptional peer extraneous inBundle hasInstallScript'.split(' ');

function flags(entry: Record<string, unknown>): Partial<LockEntry> {
  return Object.fromEntries(
    flagNames.filter(name => entry[name] === true).map(name => [name, true]),
  );
}

/** Old packages have lists of engines, which npm does not read either. */
function nodeEngine(value: unknown): LockEntry['engines'] {
  return isObject(value) && typeof value.node === 'string' ? { node: value.node } : undefined;
}

function bins(value: unknown): LockEntry['bin'] {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** Foreign text in a sentence: on one line, and not endless. */
function shorten(value: unknown): string {
  const text = JSON.stringify(String(value)).slice(1, -1);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
