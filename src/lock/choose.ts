import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstallError, SettingError } from '../errors';
import type { ReceiptLock } from '../release/receipt';
import type { Release } from '../release/store';
import type { BackendTarball } from './backend-tarball';
import { bareLock } from './compose';
import {
  hashLock,
  type LockDocument,
  type LockedManifest,
  lockName,
  parseLockDocument,
  type RawEntry,
  rootOverrides,
} from './document';
import { lockMismatches } from './fits';
import { readBackendLock } from './validate';

/** The lock that a release will stand on. */
export interface ChosenLock {
  bare: LockDocument;
  receipt: ReceiptLock;
}

/** A lock given by --lock. */
export interface LockFile {
  /** As it was typed. */
  path: string;
  /** Of the backend's own part of it. */
  sha256: string;
  bare: LockDocument;
  /** What it says of the backend itself, when it names it. */
  entry: RawEntry | undefined;
  /** True for one that --save-lock may write over. */
  isOurs: boolean;
}

interface LockChoice {
  backend: BackendTarball;
  version: string;
  integrity: string;
  file: LockFile | undefined;
  /** Releases in this folder, whole or not: a lock outlives its tree. */
  releases: readonly Release[];
}

/**
 * Chooses among the locks that are there: the one that was asked for, the package's own, the one
 * that an earlier setup kept for the same bytes.
 * @returns undefined when there is none, so that npm must resolve the tree
 * @throws LOCK_INVALID and its kin, LOCK_STALE, or LOCK_OTHER_VERSION
 */
export function chooseLock(choice: LockChoice): ChosenLock | undefined {
  const { backend, version, file } = choice;
  const { name } = backend.manifest;
  if (file) {
    const { bare, entry } = file;
    const isOther = entry?.version !== undefined && entry.version !== version;
    const isChanged = entry?.integrity !== undefined && entry.integrity !== choice.integrity;
    const locked = entry?.version ?? version;
    if (isOther || isChanged)
      throw new SettingError(
        'LOCK_OTHER_VERSION',
        `${file.path} is the lock of ${isOther ? '' : 'other bytes of '}${name}@${locked}, and ${version} is to be installed`,
        { fix: `set BACKEND_VERSION=${locked}, or make it again: ${makeAgain(file)}` },
      );
    checkFits(bare, file.path, choice, `make it again: ${makeAgain(file)}`);
    return { bare, receipt: { kind: 'file', sha256: file.sha256, file: file.path } };
  }
  if (backend.lock !== undefined) {
    const { bare } = readLock(backend.lock, `${lockName} of ${name}@${version}`, name);
    checkFits(
      bare,
      lockName,
      choice,
      'run npx bootlace lock in the backend and publish a new version; --lock FILE takes another lock',
    );
    return { bare, receipt: { kind: 'package', sha256: hashLock(bare) } };
  }
  return findKept(choice);
}

const freeName = 'backend-lock.json';

function makeAgain({ path, isOurs }: LockFile): string {
  return `npx bootlace setup --save-lock ${isOurs ? path : freeName}`;
}

/**
 * Refuses to write a lock over a file that is somebody's own, such as an app's package-lock.json.
 * @param text what is there; undefined for nothing
 * @throws SettingError SAVE_LOCK_TAKEN
 */
export function checkSaveLock(text: string | undefined, path: string, backend: string): void {
  if (text === undefined) return;
  const lock = parseLockDocument(text);
  if (lock && isOurLock(lock, bareLock(lock, backend).entry)) return;
  throw new SettingError(
    'SAVE_LOCK_TAKEN',
    `${path} is there, and it is no lock of ${backend} that bootlace wrote`,
    { fix: `pass a free name, such as --save-lock ${freeName}`, facts: { path } },
  );
}

/** As a release's lock: npm would name the project. */
function isOurLock(lock: LockDocument, entry: RawEntry | undefined): boolean {
  return !('name' in lock) && entry !== undefined;
}

/** @throws LOCK_STALE: a file that was named is a setting, the package's own lock its publisher's */
function checkFits(bare: LockDocument, lock: string, choice: LockChoice, fix: string): void {
  const { manifest } = choice.backend;
  const problems = lockMismatches(bare, manifest);
  if (problems.length === 0) return;
  const message = `${lock} does not fit the package.json of ${manifest.name}@${choice.version}: ${problems.slice(0, 10).join('; ')}`;
  const facts = { problems };
  throw choice.file
    ? new SettingError('LOCK_STALE', message, { fix, facts })
    : new InstallError('LOCK_STALE', message, { fix, facts });
}

function readLock(text: string, where: string, name: string): ReturnType<typeof bareLock> {
  return bareLock(readBackendLock(text, where, name), name);
}

/**
 * @param project the package.json that an npm lock of a project around the backend belongs to: what
 * it overrides is in that lock's versions, and the backend's package.json does not say it
 * @throws SettingError LOCK_INVALID and its kin: the file is the user's
 */
export function parseLockFile(
  text: string,
  path: string,
  backend: string,
  project?: LockedManifest,
): LockFile {
  try {
    const lock = readBackendLock(text, path, backend);
    const { bare, entry } = bareLock(lock, backend);
    const overrides = entry && project && rootOverrides(project);
    if (overrides) bare.packages[''] = { ...bare.packages[''], overrides };
    return { path, sha256: hashLock(bare), bare, entry, isOurs: isOurLock(lock, entry) };
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    const { code, message, fix, facts } = error;
    const write = `give --lock a file that this wrote: npx bootlace setup --save-lock ${freeName}`;
    throw new SettingError(code, message, { fix: code === 'LOCK_INVALID' ? write : fix, facts });
  }
}

function findKept({ backend, version, integrity, releases }: LockChoice): ChosenLock | undefined {
  const { name } = backend.manifest;
  for (const { folder, receipt } of releases) {
    const { lock } = receipt;
    if (lock?.kind !== 'resolved' && lock?.kind !== 'kept') continue;
    if (receipt.package !== name || receipt.version !== version) continue;
    if (receipt.integrity !== integrity) continue;
    try {
      const { bare } = readLock(
        readFileSync(join(folder, 'package-lock.json'), 'utf8'),
        folder,
        name,
      );
      const sha256 = hashLock(bare);
      // One that somebody edited is no record of what was installed.
      if (sha256 === lock.sha256) return { bare, receipt: { kind: 'kept', sha256 } };
    } catch {}
  }
  return undefined;
}

/** How a person reads what a tree stands on. */
export function lockText(lock: ReceiptLock | undefined): string {
  switch (lock?.kind) {
    case 'package':
      return 'the lock that the package carries';
    case 'file':
      return `the lock ${lock.file}`;
    case 'kept':
      return 'the lock that an earlier setup kept';
    default:
      return 'not locked by its publisher; npm resolved it, and that is kept';
  }
}
