import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors';
import { readFiles } from '../install/read-tarball';
import type { Tarball } from '../install/tarball';
import { isTooDeep } from '../json';
import { bundledNames, type LockedManifest, lockName } from './document';

/** What the backend's own tarball says about its tree. */
export interface BackendTarball {
  manifest: LockedManifest;
  /** bootlace-lock.json, unchecked; undefined when the package carries none. */
  lock: string | undefined;
  /** The packages that it brings along: folder below the backend's → package.json. */
  bundled: ReadonlyMap<string, LockedManifest>;
}

const bundledManifest = /^((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+)package\.json$/;

/**
 * Reads the few files of a verified tarball that decide its tree; keeps nothing else of it.
 * @param label what it is, for a failure: `@acme/backend@1.2.3`
 * @param hasLock true when another lock decides, so that the tarball's own need not be looked for
 * @throws IntegrityError TARBALL_INVALID or TARBALL_HOSTILE
 */
export async function readBackendTarball(
  tarball: Tarball,
  label: string,
  hasLock: boolean,
): Promise<BackendTarball> {
  let bundles: boolean | undefined;
  const isWanted = (path: string) =>
    path === 'package.json' || path === lockName || bundledManifest.test(path);
  const files = await readFiles(tarball, label, isWanted, isEnough);
  const manifest = parseManifest(files.get('package.json'));
  if (!manifest) throw invalid(label, 'it has no package.json that can be read');
  const bundled = new Map<string, LockedManifest>();
  for (const [path, content] of files) {
    const folder = bundledManifest.exec(path)?.[1]?.slice(0, -1);
    const inner = folder && parseManifest(content);
    if (inner) bundled.set(folder, inner);
  }
  return { manifest, lock: files.get(lockName)?.toString('utf8'), bundled };

  /** A large backend need not be gunzipped to its end twice. */
  function isEnough(files: ReadonlyMap<string, Buffer>): boolean {
    const own = files.get('package.json');
    if (own === undefined || !(hasLock || files.has(lockName))) return false;
    bundles ??= bundledNames(parseManifest(own) ?? nobody).length > 0;
    return !bundles;
  }
}

const nobody: LockedManifest = { name: '' };

/** The integrity of a tarball's bytes. */
export function integrityOfBytes(data: Buffer): string {
  return `sha512-${createHash('sha512').update(data).digest('base64')}`;
}

function parseManifest(content: Buffer | undefined): LockedManifest | undefined {
  try {
    const value = JSON.parse(
      (content?.toString('utf8') ?? '').replace(/^\uFEFF/, ''),
    ) as LockedManifest | null;
    return typeof value?.name === 'string' && !isTooDeep(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function invalid(label: string, what: string): IntegrityError {
  return new IntegrityError('TARBALL_INVALID', `${label} cannot be unpacked: ${what}`, {
    fix: 'publish the backend again; if it happens again, do not trust the registry',
  });
}
