// This folder resolves a tree that has no lock: npm chooses every version. npm asks for hundreds of
// packuments one after the other, so a feed on loopback stands in for its registries and fetches them
// ahead, by a guess of what npm asks next. That turns 15 s into 5 s over a real network (November 2026).
// The feed uses our own registry client, so npm's child process gets no credential. Without the feed npm
// would ask the registries itself: the same tree, three times as late, and with the token.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InstallError, NotFoundError } from '../../errors';
import { plainAddress } from '../../install/fetch-tarball';
import type { Io } from '../../io';
import { type NpmRun, runNpm } from '../../npm/run';
import { createRegistryClient, type RegistryClient } from '../../registry/client';
import { integrityOf, parseManifest } from '../../registry/packument';
import type { Transport } from '../../registry/transport';
import { bareLock } from '../compose';
import {
  type LockDocument,
  type LockedManifest,
  parseLockDocument,
  type RawEntry,
} from '../document';
import { folderName, packageName } from '../validate';
import { readSpecs } from './foresight';
import { openPackumentFeed, type PackumentFeed } from './packument-feed';
import { projectLock, stubSpec, withoutOwn, writeJson, writeProject } from './project';

export interface ResolveRequest extends Omit<NpmRun, 'cwd' | 'scripts' | 'withCredentials' | 'io'> {
  io: NpmRun['io'] & Pick<Io, 'now' | 'sleep'>;
  /** Connections to use; the caller closes them. */
  transport: Transport;
  manifest: LockedManifest;
  /** What a workspace overrides around the package, and the package itself; the lock records it. */
  workspaceOverrides?: Record<string, unknown>;
  /** A bare lock whose versions stay where they still fit. */
  seed?: LockDocument;
  onRetry?: (sentence: string) => void;
}

/**
 * Lets npm choose the production tree of a package as if it were installed by its name: its
 * dependencies and optional dependencies of all platforms, its peers, its overrides.
 * @param request.work a folder of ours; what is made in it is removed again
 * @returns a bare lock in which every entry has its address and its checksum
 * @throws npm's failures, the registry's, or LOCK_DEPENDENCY_GIT
 */
export async function resolveLock(request: ResolveRequest): Promise<LockDocument> {
  const { manifest } = request;
  const folder = join(request.work, 'resolve');
  try {
    const stub = writeProject(folder, manifest, request.workspaceOverrides);
    if (request.seed)
      writeJson(
        join(folder, 'package-lock.json'),
        projectLock(withoutOwn(request.seed, stub), stub),
      );
    const lock = await resolveOnFeed(folder, stub, request);
    const { bare, entry } = bareLock(lock, manifest.name);
    if (entry?.resolved !== stubSpec) throw new Error(`npm locked ${entry?.resolved} instead`);
    await complete(bare, request);
    const overrides = request.workspaceOverrides;
    if (overrides) bare.packages[''] = { ...bare.packages[''], overrides };
    return bare;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets npm make a lock, with the packuments of all registries at hand. */
async function resolveOnFeed(
  cwd: string,
  { dependencies, optionalDependencies, peerDependencies }: LockedManifest,
  request: ResolveRequest,
): Promise<LockDocument> {
  const tables = [dependencies, optionalDependencies, peerDependencies];
  // With a lock to begin from npm asks for little.
  const wanted = request.seed ? [] : tables.flatMap(table => readSpecs(table));
  const feed = await openPackumentFeed(request, request.work, wanted);
  const redact = (text: string) => feed.restore(request.redact(text));
  try {
    const args = ['install', '--package-lock-only', '--json'];
    await runNpm(args, { ...request, cwd, feed: feed.url, redact });
    // npm leaves an optional package out when its registry fails, and the lock would stay without it.
    const failure = feed.failure();
    if (failure) throw failure;
    const lock = parseLockDocument(readFileSync(join(cwd, 'package-lock.json'), 'utf8'));
    if (!lock) throw new Error('npm wrote no lock');
    for (const entry of Object.values(lock.packages)) {
      const { tarball, integrity } = feed.original(entry.resolved ?? '') ?? {};
      if (tarball) Object.assign(entry, { resolved: tarball, integrity });
    }
    return lock;
  } catch (error) {
    throw feed.failure() ?? sayAsker(error, feed);
  } finally {
    feed.close();
  }
}

/** Adds the package that asks for a missing version, which npm does not name. */
function sayAsker(error: unknown, feed: PackumentFeed): unknown {
  if (!(error instanceof NotFoundError) || error.code !== 'DEPENDENCY_VERSION_NOT_FOUND')
    return error;
  const [, name = '', spec = ''] = / for (@?[^@\s]+)@(.+?)\.?$/.exec(error.message) ?? [];
  const asker = feed.asker(name, spec);
  if (asker === undefined) return error;
  return new NotFoundError(
    error.code,
    `${error.message.replace(/\.$/, '')}, which ${asker} asks for`,
    {
      fix: `ask for another version of ${asker.replace(/(?!^)@.*/, '')}, or name one of ${name} in "overrides" of package.json`,
      facts: { ...error.facts, asker },
      cause: error,
    },
  );
}

const inFlight = 8;

/** Fills in what npm left out and takes out of addresses what belongs to one person or one hour. */
async function complete(bare: LockDocument, request: ResolveRequest): Promise<void> {
  const missing: [string, RawEntry][] = [];
  for (const [path, entry] of Object.entries(bare.packages)) {
    if (path === '' || entry.inBundle) continue;
    if (entry.resolved !== undefined) {
      if (!/^https?:/i.test(entry.resolved)) throw notFromRegistry(path, entry.resolved);
      entry.resolved = plainAddress(entry.resolved);
    }
    if (!entry.resolved || !entry.integrity) missing.push([path, entry]);
  }
  if (missing.length === 0) return;
  const client = createRegistryClient(request);
  const queue = missing.values();
  const worker = async () => {
    for (const [path, entry] of queue) await completeEntry(path, entry, client);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function completeEntry(path: string, entry: RawEntry, client: RegistryClient): Promise<void> {
  const name = packageName(path, entry);
  const version = String(entry.version);
  const packument = await client.packument(name);
  const manifest = parseManifest(packument.versions[version], name, version, 'the registry');
  entry.resolved ??= plainAddress(manifest.dist.tarball);
  entry.integrity ??= integrityOf(manifest);
}

function notFromRegistry(path: string, resolved: string): InstallError {
  const name = folderName(path);
  return new InstallError(
    'LOCK_DEPENDENCY_GIT',
    `${name} comes from ${resolved.slice(0, 100)}, which is no registry`,
    {
      fix: `replace ${name} by a version that is published, in the package that asks for it or by "overrides" in package.json`,
      facts: { path },
    },
  );
}
