import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from '../io';
import { type LockDocument, renderLock } from '../lock/document';
import { withoutMissing } from '../lock/fits';
import { folderName, validateLock } from '../lock/validate';
import type { NpmRun } from '../npm/run';
import { checkForNpm } from '../registry/config/credentials';
import type { Transport } from '../registry/transport';
import type { Tree } from '../release/receipt';
import { hashTree } from '../release/tree';
import type { InstallProgress } from '../ui/install-progress';
import { readInstallHost } from './host';
import { installLocked } from './install-locked';
import { slimTree } from './slim';
import type { Tarball } from './tarball';
import type { Unpacker } from './unpacker';

interface TreeRequest extends Omit<NpmRun, 'scripts' | 'withCredentials' | 'cwd' | 'io'> {
  io: Io;
  /** Connections to use; the caller closes them. */
  transport: Transport;
  /** The release to fill: package.json and package-lock.json are there, on the disk they stay on. */
  release: string;
  /** A composed lock, in order, and the same as text. */
  lock: LockDocument;
  lockText: string;
  /** What the lock is, for a failure. */
  where: string;
  /** The backend's name and its verified tarball. */
  backend: string;
  tarball: Tarball;
  slim: boolean;
  /** Undefined where npm installs. */
  unpacker: Unpacker | undefined;
  /** Packages whose install scripts may run. */
  scripts: readonly string[];
  /** Retries of one request end this long after its first try. */
  deadlineMs?: number;
  progress: (state: InstallProgress) => void;
  warn: (sentence: string) => void;
}

interface InstalledTree {
  tree: Tree;
  /** What was left out; undefined when nothing was to be. */
  slim?: { files: number; bytes: number };
  /** Names of packages with install scripts; those that were not named did not run. */
  withScripts: string[];
}

/**
 * Lays out exactly what a lock names, by the own installer or by `npm ci`; both give the same tree.
 * Then the install scripts of the named packages run, by npm and without any credential.
 * @throws LOCK_INVALID and its kin, download and integrity failures, or npm's
 */
export async function installTree(request: TreeRequest): Promise<InstalledTree> {
  const { scripts, release, unpacker } = request;
  const { tree, folders, slim } = unpacker
    ? await installByLock(request, unpacker)
    : await installByNpm(request);
  const withScripts = [...new Set(folders.map(folderName))];
  if (!withScripts.some(name => scripts.includes(name))) return { tree, slim, withScripts };
  const { runNpm } = await import('../npm/run');
  await runNpm(['rebuild', '--json', ...scripts], { ...request, cwd: release, scripts });
  const built = hashTree(join(release, 'node_modules'));
  return { tree: { ...tree, ...built }, slim, withScripts };
}

type Laid = Omit<InstalledTree, 'withScripts'> & {
  /** Of packages with install scripts. */
  folders: string[];
};

async function installByLock(request: TreeRequest, unpacker: Unpacker): Promise<Laid> {
  const { tarball, io, slim } = request;
  const backend = `node_modules/${request.backend}`;
  const local = new Map([[backend, 'data' in tarball ? tarball.data : tarball.file]]);
  const lock = validateLock(request.lock, request.where, local);
  const host = readInstallHost(io);
  const installed = await installLocked({ ...request, lock, host, backend, unpacker, local });
  const { paths, sha256, files, bytes, packages, savedFiles, savedBytes, withScripts } = installed;
  return {
    tree: { paths, sha256, files, bytes, packages },
    slim: slim ? { files: savedFiles, bytes: savedBytes } : undefined,
    folders: withScripts,
  };
}

/** A local build has no address: its tarball lies where the lock says while npm works. */
async function installByNpm(request: TreeRequest): Promise<Laid> {
  const { release, lock, tarball } = request;
  const home = `node_modules/${request.backend}`;
  const { packages } = validateLock(request.lock, request.where, new Set([home]));
  for (const { resolved } of packages.values())
    if (resolved && /^https?:/i.test(resolved)) checkForNpm(resolved, request.config);
  const local = /^file:(.+)$/.exec(lock.packages[home]?.resolved ?? '')?.[1];
  const file = local && join(release, local);
  if (file) {
    if ('file' in tarball) copyFileSync(tarball.file, file);
    else writeFileSync(file, tarball.data);
  }
  const lockFile = join(release, 'package-lock.json');
  writeFileSync(lockFile, renderLock(withoutMissing(lock)));
  const { runNpm } = await import('../npm/run');
  await runNpm(['ci', '--json'], {
    ...request,
    cwd: release,
    scripts: [],
    withCredentials: true,
  });
  writeFileSync(lockFile, request.lockText);
  if (file) rmSync(file, { force: true });
  const slim = request.slim ? slimTree(release, lock, home) : undefined;
  // The lock also names what another platform would install.
  const present = Object.entries(lock.packages).filter(
    ([path]) => path !== '' && existsSync(join(release, path, 'package.json')),
  );
  return {
    tree: {
      paths: present.map(([path]) => path),
      ...hashTree(join(release, 'node_modules')),
    },
    slim,
    folders: present.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path),
  };
}
