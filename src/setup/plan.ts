import { SettingError } from '../errors';
import type { Unpacker } from '../install/unpacker';
import type { Io } from '../io';
import type { LockFile } from '../lock/choose';
import type { RegistryConfig } from '../registry/config/config';
import { renderNpmrc } from '../registry/config/npmrc';
import type { Locator } from '../registry/pick';
import { backendFolder } from '../release/layout';
import type { Host, Receipt, StartPlan } from '../release/receipt';
import { isWhole, type Release } from '../release/store';
import type { Settings } from '../settings/settings';
import { planStartIn } from '../start/plan/start-plan';
import { isServerFile } from '../start/server-file';

/** A file that setup keeps; undefined when it is right already. */
export interface FileChange {
  path: string;
  text: string;
}

/** What setup will do, before any request: a plain value that --dry-run prints. */
export interface SetupPlan {
  settings: Settings;
  config: RegistryConfig;
  host: Host;
  /** Flags of the command line that decide what is installed, for a fix that repeats them. */
  typed: readonly string[];
  /** A local build in place of the registry. */
  from: string | undefined;
  /** Given by --lock. */
  lock: LockFile | undefined;
  /** Where --save-lock writes the lock, absolute. */
  saveLock: string | undefined;
  /** A release on disk that is what is wanted; then nothing is asked or installed. */
  reuse: Release | undefined;
  serverFile: string;
  changes: FileChange[];
}

/** What applying a plan needs of the outside. */
export interface ApplyOptions {
  dir: string;
  io: Io;
  signal?: AbortSignal;
  bootlace: string;
  waitForMs?: number;
  /** Ask the registry once and briefly, for tarballs too: there is something to start without it. */
  failFast?: boolean;
  ignoreEngines?: boolean;
  redact: (text: string) => string;
  progress: (sentence: string) => void;
  /** True where a progress line can be rewritten. */
  isInteractive: boolean;
  warn: (sentence: string) => void;
  /** One that is open already; the caller closes it, too. */
  unpacker?: Unpacker;
}

interface PlanInput
  extends Pick<SetupPlan, 'settings' | 'config' | 'host' | 'typed' | 'from' | 'lock' | 'saveLock'> {
  /** The releases on disk. */
  releases: readonly Release[];
  npmrc: { path: string; text: string | undefined };
  launcher: { path: string; present: string | undefined; wanted: string };
  server: { path: string; name: string; present: string | undefined; wanted: string };
}

/**
 * Plans a setup. Pure, but for a look at the packages of a release that fits.
 * @throws SettingError SERVER_FILE_TAKEN or NPMRC_MARKERS
 */
export function planSetup(input: PlanInput): SetupPlan {
  const { releases: _, npmrc, launcher, server, ...given } = input;
  const changes: FileChange[] = [];
  // Without a line to keep, no empty file and no empty block. A new one holds our lines alone, no
  // secret, and an image that root builds is run by another user.
  const npmrcText = renderNpmrc(npmrc.text, given.config.managedLines);
  if (npmrcText !== (npmrc.text ?? '')) changes.push({ path: npmrc.path, text: npmrcText });
  if (
    server.present !== undefined &&
    server.present !== server.wanted &&
    !isServerFile(server.present)
  )
    throw new SettingError(
      'SERVER_FILE_TAKEN',
      `${server.name} is there, and bootlace did not write it, or it was changed since`,
      {
        fix: `remove it if it was bootlace's, else move it away or pass --server-file start.js (any free name)`,
        facts: { path: server.path },
      },
    );
  // Before server.js, which loads it.
  if (launcher.present !== launcher.wanted)
    changes.push({ path: launcher.path, text: launcher.wanted });
  if (server.present !== server.wanted) changes.push({ path: server.path, text: server.wanted });
  return { ...given, reuse: findReusable(input), serverFile: server.name, changes };
}

/**
 * How the backend in a release starts under a plan's settings.
 * @param release the release's folder, or the stage of one
 * @throws NotFoundError when nothing there can start
 */
export function planStart({ settings, config }: SetupPlan, release: string): StartPlan {
  const { entry, args, tokenEnv, memory } = settings;
  const place = { release, backend: backendFolder(release, settings.package.value) };
  return planStartIn(place, {
    asked: entry?.value,
    args: args?.value,
    tokenEnv: tokenEnv.value,
    ...(config.secretEnv.length && { secretEnv: config.secretEnv }),
    memory: memory.value === 'auto' ? undefined : memory.value,
  });
}

/** The release on disk that is what a setup would install of a resolved version. */
export function findInstalled(
  { version, integrity }: Pick<Locator, 'version' | 'integrity'>,
  plan: Pick<SetupPlan, 'settings' | 'host' | 'lock' | 'config'>,
  releases: readonly Release[],
): Release | undefined {
  return releases.find(
    release =>
      release.receipt.version === version &&
      release.receipt.integrity === integrity &&
      isSameTree(release.receipt, plan) &&
      isWhole(release),
  );
}

/** Only a pin can be answered from the disk: what a tag or a range means is the registry's to say. */
function findReusable(input: PlanInput): Release | undefined {
  const { settings, config, from, releases } = input;
  const wish = settings.version.value;
  if (from !== undefined || wish.kind !== 'exact') return undefined;
  return releases.find(
    release =>
      release.receipt.version === wish.version &&
      'registry' in release.receipt.source &&
      release.receipt.source.registry === config.registry.value &&
      isSameTree(release.receipt, input) &&
      isWhole(release),
  );
}

/**
 * True when a release of the right version is what this host and these settings would install.
 * A tree that stands on a lock file is no answer once that file is not asked for any more.
 */
function isSameTree(
  receipt: Receipt,
  { settings, config, host, lock }: Pick<SetupPlan, 'settings' | 'config' | 'host' | 'lock'>,
): boolean {
  return (
    receipt.package === settings.package.value &&
    isSameHost(receipt.host, host) &&
    sameNames(receipt.scripts, settings.scripts.value) &&
    (receipt.slim !== undefined) === settings.slim.value &&
    sameNames(receipt.omit ?? [], config.omit) &&
    (lock ? receipt.lock?.sha256 === lock.sha256 : receipt.lock?.kind !== 'file')
  );
}

export function isSameHost(a: Host, b: Host): boolean {
  return a.platform === b.platform && a.arch === b.arch && a.abi === b.abi;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}
