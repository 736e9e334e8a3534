import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from '../io';
import { createRegistryClient } from '../registry/client';
import { integrityOf } from '../registry/packument';
import type { Picked } from '../registry/pick';
import { resolveVersion } from '../registry/resolve';
import { activate } from '../release/activate';
import { writeAtomic } from '../release/atomic';
import { backendFolder, layoutOf } from '../release/layout';
import type { StartPlan, Wanted } from '../release/receipt';
import { isWhole, listReleases, type Release } from '../release/store';
import { wishText } from '../settings/version-wish';
import { installRelease } from './install-release';
import { isSameTree, type SetupPlan } from './plan';
import { planStart } from './plan-start';

export interface ApplyOptions {
  dir: string;
  io: Io;
  signal?: AbortSignal;
  bootlace: string;
  waitForMs?: number;
  /** Ask the registry once and briefly: there is something to start without it. */
  isImpatient?: boolean;
  ignoreEngines?: boolean;
  redact: (text: string) => string;
  progress: (sentence: string) => void;
  /** True where a progress line can be rewritten. */
  isInteractive: boolean;
  warn: (sentence: string) => void;
}

export interface SetupResult {
  release: Release;
  wanted: Wanted;
  start: StartPlan;
  /** True when the release was on disk already. */
  reused: boolean;
  changed: string[];
}

/** The release to activate. */
interface Obtained {
  release: Release;
  wanted: Wanted;
  reused: boolean;
}

/**
 * Carries a plan out: resolve, install into a stage, choose the entry, publish, write the files,
 * activate. Whatever fails before the last step leaves everything as it was.
 */
export async function applySetup(plan: SetupPlan, options: ApplyOptions): Promise<SetupResult> {
  const { settings } = plan;
  const layout = layoutOf(options.dir);
  for (const warning of plan.config.warnings) options.warn(warning);
  const text = wishText(settings.version.value);
  const wantedBy = (why: string): Wanted => ({ text, from: settings.version.from, why });
  const first = plan.reuse
    ? { release: plan.reuse, wanted: wantedBy('pinned'), reused: true }
    : await obtain();
  try {
    return await finish(first);
  } catch (error) {
    // Another setup removed the release that was on disk a moment ago: then install it.
    if (!first.reused || isWhole(first.release)) throw error;
    return finish(await obtain());
  }

  async function finish({ release, wanted, reused }: Obtained): Promise<SetupResult> {
    const start = planStart(plan, backendFolder(release.folder, release.receipt.package));
    if (plan.saveLock !== undefined) saveLock(plan.saveLock, release);
    for (const { path, text, mode } of plan.changes) writeAtomic(path, text, mode);
    await activate(layout, { name: release.name, wanted, start }, options.io);
    return { release, wanted, start, reused, changed: plan.changes.map(({ path }) => path) };
  }

  async function obtain(): Promise<Obtained> {
    if (plan.config.tokenMissing && !plan.from) throw plan.config.tokenMissing;
    const picked = plan.from === undefined ? await resolve(plan, options) : undefined;
    if (picked?.manifest.deprecated)
      options.warn(
        `${picked.manifest.name}@${picked.manifest.version} is deprecated: ${picked.manifest.deprecated}`,
      );
    const present = picked && findPresent(picked);
    const wanted = plan.from
      ? { text: plan.from, from: '--from', why: 'a local build' }
      : wantedBy(picked?.why ?? '');
    if (present) return { release: present, wanted, reused: true };
    return { release: await installRelease(plan, picked, options), wanted, reused: false };
  }

  function findPresent({ manifest }: Picked): Release | undefined {
    return listReleases(layout).find(
      release =>
        release.receipt.version === manifest.version &&
        release.receipt.integrity === integrityOf(manifest) &&
        isSameTree(release.receipt, plan) &&
        isWhole(release),
    );
  }
}

function resolve(plan: SetupPlan, options: ApplyOptions): Promise<Picked> {
  const { config, settings } = plan;
  options.progress(`asking ${config.registry.value} for ${settings.package.value}`);
  const client = createRegistryClient({
    io: options.io,
    config,
    ...(options.isImpatient && { deadlineMs: 0, tryMs: 5000 }),
    signal: options.signal,
    onRetry: options.warn,
  });
  return resolveVersion({
    io: options.io,
    package: settings.package.value,
    wish: settings.version.value,
    registry: config.registry.value,
    client,
    ignoreEngines: options.ignoreEngines,
    waitForMs: options.waitForMs,
    signal: options.signal,
    onWait: options.progress,
  });
}

/** Copies the release's lock to where a team can commit it. */
function saveLock(file: string, release: Release): void {
  const text = readFileSync(join(release.folder, 'package-lock.json'), 'utf8');
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeAtomic(file, text);
}
