import { createHash } from 'node:crypto';
import { IntegrityError } from '../errors';
import { bundledNames, type LockedManifest, lockName } from './lock-document';
import type { TarHandler } from './tar-reader';
import { readTarball, type Tarball } from './tarball';

/** What the backend's own tarball says about its tree. */
export interface BackendTarball {
  manifest: LockedManifest;
  /** bootlace-lock.json, unchecked; undefined when the package carries none. */
  lock: string | undefined;
  /** The packages that it brings along: folder below the backend's → package.json. */
  bundled: ReadonlyMap<string, LockedManifest>;
}

const largestFile = 64 * 1024 ** 2;
const bundledManifest = /^((?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+)package\.json$/;

/**
 * Reads the few files of a verified tarball that decide its tree; keeps nothing else of it.
 * @param label what it is, for a failure: `@acme/backend@1.2.3`
 * @param hasLock true when another lock decides, so that the tarball's own need not be looked for
 * @throws IntegrityError TARBALL_INVALID or TARBALL_HOSTILE
 */
export function readBackendTarball(
  tarball: Tarball,
  label: string,
  hasLock: boolean,
): BackendTarball {
  const texts = new Map<string, string>();
  let pieces: Buffer[] | undefined;
  let current = '';
  let bundles: boolean | undefined;
  const handler: TarHandler = {
    file(path, _mode, size) {
      if (isEnough()) throw enough;
      // npm strips the first folder, whatever its name is.
      current = path.replace(/^(?:\.?\/)*[^/]*\//, '');
      const isWanted =
        current === 'package.json' || current === lockName || bundledManifest.test(current);
      pieces = isWanted && size <= largestFile ? [] : undefined;
      return pieces !== undefined;
    },
    data: piece => void pieces?.push(Buffer.from(piece)),
    end() {
      if (pieces) texts.set(current, Buffer.concat(pieces).toString('utf8'));
      pieces = undefined;
    },
  };
  try {
    readTarball(tarball, label, handler);
  } catch (error) {
    if (error !== enough) throw error;
  }
  const manifest = parseManifest(texts.get('package.json'));
  if (!manifest) throw invalid(label, 'it has no package.json that can be read');
  const bundled = new Map<string, LockedManifest>();
  for (const [path, text] of texts) {
    const folder = bundledManifest.exec(path)?.[1]?.slice(0, -1);
    const inner = folder && parseManifest(text);
    if (inner) bundled.set(folder, inner);
  }
  return { manifest, lock: texts.get(lockName), bundled };

  /** A large backend need not be gunzipped to its end twice. */
  function isEnough(): boolean {
    const own = texts.get('package.json');
    if (own === undefined || !(hasLock || texts.has(lockName))) return false;
    bundles ??= bundledNames(parseManifest(own) ?? nobody).length > 0;
    return !bundles;
  }
}

const enough = new Error('what was wanted is read');
const nobody: LockedManifest = { name: '' };

/** The integrity of a tarball's bytes. */
export function integrityOfBytes(data: Buffer): string {
  return `sha512-${createHash('sha512').update(data).digest('base64')}`;
}

function parseManifest(text: string | undefined): LockedManifest | undefined {
  try {
    const value = JSON.parse((text ?? '').replace(/^\uFEFF/, '')) as LockedManifest | null;
    return typeof value?.name === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function invalid(label: string, what: string): IntegrityError {
  return new IntegrityError('TARBALL_INVALID', `${label} cannot be unpacked: ${what}`, {
    fix: 'publish the backend again; if it happens again, do not trust the registry',
  });
}
