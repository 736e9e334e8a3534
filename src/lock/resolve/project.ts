import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import validVersion from 'semver/functions/valid';
import { composeLock } from '../compose';
import {
  type LockDocument,
  type LockedManifest,
  productionSpecs,
  rootOverrides,
} from '../document';

export const stubSpec = 'file:backend.tgz';

/**
 * Writes the project that npm resolves or checks: it depends on a stub of the backend and on nothing
 * else, as a host's release does.
 * @param workspaceOverrides those of the workspace around the package, and the package's own
 * @returns the stub's package.json
 */
export function writeProject(
  folder: string,
  manifest: LockedManifest,
  workspaceOverrides: unknown,
): LockedManifest {
  const version = validVersion(manifest.version) ?? '0.0.0';
  // Many a package.json has its version only when it is published.
  const isUnknown = version.startsWith('0.0.0') && !namesItself(manifest);
  const overrides = {
    ...((workspaceOverrides ?? rootOverrides(manifest)) as Record<string, unknown> | undefined),
    ...(isUnknown && { [manifest.name]: stubSpec }),
  };
  const stub: LockedManifest = {
    name: manifest.name,
    // What names the backend itself must find that it fits.
    version,
    ...productionSpecs(manifest),
    peerDependencies: manifest.peerDependencies,
    peerDependenciesMeta: manifest.peerDependenciesMeta,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'backend.tgz'), stubTarball(JSON.stringify(stub)));
  writeJson(join(folder, 'package.json'), {
    private: true,
    dependencies: { [manifest.name]: stubSpec },
    ...(Object.keys(overrides).length && { overrides }),
  });
  return stub;
}

/** The lock of that project from a bare one. */
export function projectLock(bare: LockDocument, stub: LockedManifest): LockDocument {
  const lock = composeLock(bare, {
    manifest: stub,
    version: String(stub.version),
    resolved: stubSpec,
    integrity: '',
    bundled: new Map(),
  });
  delete lock.packages[`node_modules/${stub.name}`]?.integrity;
  return lock;
}

/**
 * In its own folder a package that its dependencies name has itself installed beside them; a host
 * has it once. npm adds the older version that one of them may want.
 */
export function withoutOwn(seed: LockDocument, stub: LockedManifest): LockDocument {
  if (namesItself(stub)) return seed;
  const own = `node_modules/${stub.name}`;
  const kept = Object.entries(seed.packages).filter(
    ([path]) => path !== own && !path.startsWith(`${own}/`),
  );
  return { ...seed, packages: Object.fromEntries(kept) };
}

/** As a package that migrates from its own older version. */
function namesItself(manifest: LockedManifest): boolean {
  const { name, dependencies, optionalDependencies, peerDependencies } = manifest;
  return Object.hasOwn({ ...dependencies, ...optionalDependencies, ...peerDependencies }, name);
}

export function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * A tarball that holds a package.json and nothing else: what npm needs to know to choose a tree. A
 * folder in its place would do, but npm takes any version of that name for the folder's.
 */
function stubTarball(packageJson: string): Buffer {
  const content = Buffer.from(packageJson);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  const header = ustarHeader('package/package.json', content.length);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, ustar Interchange Format */
function ustarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}
