import type { LockFile } from '../lock/choose';
import type { RegistryConfig } from '../registry/config/config';
import type { Locator } from '../registry/pick';
import { backendFolder, layoutOf } from '../release/layout';
import type { Host, Receipt, StartPlan } from '../release/receipt';
import { hasLostEntry, isWhole, type Release, readCurrent, readRelease } from '../release/store';
import type { Settings } from '../settings/settings';
import { satisfiesWish } from '../settings/version-wish';
import { planStartIn } from '../start/plan/start-plan';

/** What is to be installed, where it is decided, and for which host. */
export interface WantedInstall {
  settings: Settings;
  config: RegistryConfig;
  host: Host;
  /** A local build in place of the registry. */
  from: string | undefined;
  /** Given by --lock. */
  lock: LockFile | undefined;
}

/** What setup will do, before any request: a plain value that --dry-run prints. */
export interface SetupPlan extends WantedInstall {
  /** Flags of the command line that decide what is installed, for a fix that repeats them. */
  typed: readonly string[];
  /** Where --save-lock writes the lock, absolute. */
  saveLock: string | undefined;
  /** A release on disk that is what is wanted; then nothing is asked or installed. */
  reuse: Release | undefined;
  /** How long to wait for a version that was just published. */
  waitForMs: number | undefined;
  ignoreEngines: boolean;
  /** Ask the registry once and briefly, for tarballs too: there is something to start without it. */
  failFast: boolean;
  serverFile: string;
  /** The files that are not yet as setup keeps them. */
  changes: { path: string; text: string }[];
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
  wanted: WantedInstall,
  releases: readonly Release[],
): Release | undefined {
  return releases.find(
    release => release.receipt.integrity === integrity && isInstallOf(release, version, wanted),
  );
}

/** Only a pin can be answered from the disk: what a tag or a range means is the registry's to say. */
export function findReusable(
  wanted: WantedInstall,
  releases: readonly Release[],
): Release | undefined {
  const { value: wish } = wanted.settings.version;
  if (wanted.from !== undefined || wish.kind !== 'exact') return undefined;
  return releases.find(
    release =>
      'registry' in release.receipt.source &&
      release.receipt.source.registry === wanted.config.registry.value &&
      isInstallOf(release, wish.version, wanted),
  );
}

/**
 * True when a whole release is what this host and these settings would install of a version.
 * A tree that stands on a lock file is no answer once that file is not asked for any more.
 */
function isInstallOf(
  release: Release,
  version: string,
  { settings, config, host, lock }: WantedInstall,
): boolean {
  const { receipt } = release;
  return (
    receipt.package === settings.package.value &&
    receipt.version === version &&
    isForHost(receipt, host) &&
    sameNames(receipt.scripts, settings.scripts.value) &&
    (receipt.slim !== undefined) === settings.slim.value &&
    sameNames(receipt.omit ?? [], config.omit) &&
    (lock ? receipt.lock?.sha256 === lock.sha256 : receipt.lock?.kind !== 'file') &&
    isWhole(release)
  );
}

function isForHost({ host }: Receipt, { platform, arch, abi }: Host): boolean {
  return host.platform === platform && host.arch === arch && host.abi === abi;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join() === [...b].sort().join();
}

/**
 * The active release, when `up` may start it without a setup: it is whole and satisfies the wish. A
 * pin needs that very version and a range a version in it; a tag takes any. A lock that was given
 * needs the tree of that lock.
 */
export function findActiveInstead(dir: string, plan: SetupPlan): Release | undefined {
  const layout = layoutOf(dir);
  const active = readCurrent(layout)?.active;
  const release = active === undefined ? undefined : readRelease(layout, active);
  if (!release || plan.from !== undefined) return undefined;
  const { receipt } = release;
  const isWanted =
    receipt.package === plan.settings.package.value &&
    // A local build is no published version, whatever number it has.
    'registry' in receipt.source &&
    (plan.lock === undefined || receipt.lock?.sha256 === plan.lock.sha256) &&
    satisfiesWish(plan.settings.version.value, receipt.version) &&
    isForHost(receipt, plan.host) &&
    isWhole(release) &&
    !hasLostEntry(layout, release);
  if (!isWanted) return undefined;
  try {
    planStart(plan, release.folder);
    return release;
  } catch {
    return undefined;
  }
}
