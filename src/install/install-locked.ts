import { setMaxListeners } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors';
import type { Io } from '../io';
import type { Lockfile } from '../lock/validate';
import type { RegistryConfig } from '../registry/config/config';
import type { DownloadContext } from '../registry/download';
import type { Transport } from '../registry/transport';
import { combineTree } from '../release/tree';
import type { InstallProgress } from '../ui/install-progress';
import { describe, type FetchedTarball, fetchPlacement } from './fetch-tarball';
import {
  type InstallHost,
  type Placement,
  type PlacementPlan,
  planOptionalSet,
  planPlacements,
} from './placements';
import { add, leaveOutUnavailable, newSum, type TreeSum, takeMissing } from './tree-sum';
import type { UnpackTarget } from './unpack';
import { planTargets } from './unpack-targets';
import type { Unpacker } from './unpacker';

export interface LockedInstall {
  /** The release to fill: its node_modules is made here. */
  readonly release: string;
  /** A folder for what is thrown away, on a disk with room. */
  readonly work: string;
  readonly lock: Lockfile;
  readonly config: RegistryConfig;
  /** Connections to use; the caller closes them. */
  readonly transport: Transport;
  readonly host: InstallHost;
  /** Leave out of the dependencies what a server does not load. */
  readonly slim?: boolean;
  /** The backend's own folder in the release, which slim never touches: `node_modules/@acme/backend`. */
  readonly backend?: string;
  /** Folders whose tarball is handed in: a file's path or its bytes. */
  readonly local?: ReadonlyMap<string, string | Buffer>;
  readonly io: Pick<Io, 'now' | 'sleep'>;
  readonly signal?: AbortSignal;
  readonly progress?: (state: InstallProgress) => void;
  readonly warn: (sentence: string) => void;
  /** Milliseconds; retries of one request end this long after its first try. */
  readonly deadlineMs?: number;
  /** The caller opens and closes it. */
  readonly unpacker: Unpacker;
}

export interface LockedInstalled {
  /** Folders of the packages, from the release's folder. */
  readonly paths: string[];
  readonly files: number;
  readonly bytes: number;
  /** sha256 of the tree, as hashTree finds it on the disk. */
  readonly sha256: string;
  /** The digest of each package. */
  readonly packages: Record<string, string>;
  /** What slim left out. */
  readonly savedFiles: number;
  readonly savedBytes: number;
  /** Folders of the packages that have an install script; none ran. */
  readonly withScripts: string[];
}

/** Downloads at a time; see transport.ts. */
const atATime = 24;
/** Bytes of tarballs in memory before no more are asked for. */
const mostHeld = 1024 * 1024;

/**
 * Installs exactly what a lock says: fetch, verify, unpack, link bins. Nothing of a tarball is
 * written before its checksum is right.
 * @throws BootlaceError naming the package; the release's folder is then of no use
 */
export async function installLocked(install: LockedInstall): Promise<LockedInstalled> {
  const plan = planPlacements(install.lock, install.host, install.config.omit);
  for (const path of install.lock.weak)
    if (!plan.leftOut.has(path))
      install.warn(`${path} has only a sha1 checksum, which can be forged; lock a newer version`);
  mkdirSync(join(install.release, 'node_modules'), { recursive: true });
  const sum = newSum(plan.placements.flatMap(({ paths }) => paths).length + plan.bundled.length);
  await installAll(backendFirst(plan.placements, install.backend), plan, install, sum);
  const missing = new Set(sum.missing);
  const bundled = plan.bundled.filter(path => !missing.has(path));
  await installAll(takeMissing(sum, install), { ...plan, bundled }, install, sum);
  const isGone = leaveOutUnavailable(plan, install, sum);
  return {
    paths: [...plan.placements.flatMap(({ paths }) => paths), ...plan.bundled]
      .filter(path => !isGone(path))
      .sort(),
    ...combineTree(sum.packages, sum.links),
    savedFiles: sum.savedFiles,
    savedBytes: sum.savedBytes,
    withScripts: [...new Set([...plan.withScripts, ...sum.gyp])]
      .filter(path => !isGone(path))
      .sort(),
  };
}

/** Fetches and unpacks several packages at a time. */
async function installAll(
  placements: readonly Placement[],
  plan: PlacementPlan,
  install: LockedInstall,
  sum: TreeSum,
): Promise<void> {
  if (placements.length === 0) return;
  const stop = new AbortController();
  const signal = install.signal ? AbortSignal.any([install.signal, stop.signal]) : stop.signal;
  const context: DownloadContext = {
    io: install.io,
    config: install.config,
    transport: install.transport,
    signal,
    deadlineMs: install.deadlineMs ?? 60_000,
    // What the first failure breaks off is no fault of the network.
    onRetry: sentence => {
      if (!signal.aborted) install.warn(sentence);
    },
  };
  const targetsOf = planTargets(plan, install);
  // Packuments may be asked for as well, all with this signal.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', breakOff, { once: true });
  let next = 0;
  let arriving = 0;
  let forRoom: (() => void)[] = [];
  const unpacking: Promise<void>[] = [];
  try {
    // The first failure stops the others, and all have ended before it is thrown.
    await Promise.all(
      Array.from({ length: Math.min(atATime, placements.length) }, () =>
        takeTurns().catch(error => stop.abort(error)),
      ),
    );
    await Promise.all(unpacking);
    if (signal.aborted) throw signal.reason;
  } finally {
    signal.removeEventListener('abort', breakOff);
  }

  function breakOff(): void {
    install.transport.close();
    lookForRoom();
  }

  function lookForRoom(): void {
    const waiting = forRoom;
    forRoom = [];
    for (const look of waiting) look();
  }

  async function room(): Promise<void> {
    while (arriving + install.unpacker.held() > mostHeld && !signal.aborted)
      await new Promise<void>(resolve => forRoom.push(resolve));
  }

  async function takeTurns(): Promise<void> {
    for (let i = next++; i < placements.length; i = next++) {
      await room();
      signal.throwIfAborted();
      const placement = placements[i] as Placement;
      const fetched = await fetch(placement, i);
      if (fetched) unpacking.push(put(placement, fetched).catch(error => stop.abort(error)));
    }
  }

  async function fetch(placement: Placement, i: number): Promise<FetchedTarball | undefined> {
    const local = placement.paths.map(path => install.local?.get(path)).find(Boolean);
    if (local !== undefined) {
      const tarball = typeof local === 'string' ? { file: local, isKept: true } : { data: local };
      return { tarball, received: 0 };
    }
    const hold = (bytes: number) => {
      arriving += bytes;
    };
    const file = join(install.work, `tarball-${i}.tgz`);
    try {
      return await fetchPlacement(placement, file, hold, context);
    } catch (error) {
      if (!isRefused(error) || !placement.paths.every(path => isOptional(path, install.lock)))
        throw error;
      sum.unavailable.set(placement, (error as Error).message);
      sum.total -= packagesIn(placement.paths.map(targetsOf(placement)));
      return undefined;
    }
  }

  async function put(placement: Placement, { tarball, ...fetched }: FetchedTarball): Promise<void> {
    const job = {
      root: install.release,
      what: describe(placement),
      tarball,
      targets: placement.paths.map(targetsOf(placement)),
    };
    const unpacked = await install.unpacker.run(job);
    add(sum, unpacked);
    sum.done += packagesIn(job.targets) - unpacked.missing.length;
    sum.received += fetched.received;
    if ('file' in tarball && !tarball.isKept) rmSync(tarball.file, { force: true });
    lookForRoom();
    install.progress?.(sum);
  }
}

function packagesIn(targets: readonly UnpackTarget[]): number {
  return targets.reduce((sum, { bundled }) => sum + 1 + bundled.length, 0);
}

/** What a registry answers for a tarball that it does not have, or not for this token. */
function isRefused(error: unknown): boolean {
  const { status } = (error as { facts?: { status?: unknown } }).facts ?? {};
  return systemCode(error) === 'DEPENDENCY_NOT_FOUND' || status === 403;
}

function isOptional(path: string, lock: Lockfile): boolean {
  return planOptionalSet(lock, path, new Map()) !== undefined;
}

/** The backend is most often the largest: begun last, everything would wait for it. */
function backendFirst(placements: readonly Placement[], backend: string | undefined): Placement[] {
  const isBackend = ({ paths }: Placement) => backend !== undefined && paths.includes(backend);
  return [...placements.filter(isBackend), ...placements.filter(each => !isBackend(each))];
}
