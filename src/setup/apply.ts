import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context';
import { activate } from '../release/activate';
import { writeAtomic } from '../release/atomic';
import { layoutOf } from '../release/layout';
import type { StartPlan } from '../release/receipt';
import { hasLostEntry, type Release, readCurrent, readIfThere } from '../release/store';
import { hashTree } from '../release/tree';
import { wishText } from '../settings/version-wish';
import type { ChosenRelease } from './obtain-release';
import { planStart, type SetupPlan } from './plan';

export interface SetupResult extends ChosenRelease {
  start: StartPlan;
  changed: string[];
}

/**
 * Carries a plan out: resolve, install into a stage, choose the entry, publish, write the files,
 * activate. Whatever fails before the last step leaves everything as it was.
 */
export async function applySetup(plan: SetupPlan, context: Context): Promise<SetupResult> {
  const { settings } = plan;
  const layout = layoutOf(context.dir);
  for (const warning of plan.config.warnings) context.report.warn(warning);
  const { value, from } = settings.version;
  const first = plan.reuse
    ? {
        release: plan.reuse,
        wanted: { text: wishText(value), from, why: 'pinned' },
        reused: true,
      }
    : await obtain();
  // Its files may be damaged, as after a power failure: then it is installed again.
  const isDamaged = () => first.reused && !isAsInstalled(first.release);
  if (hasLostEntry(layout, first.release) && isDamaged())
    return finish(await obtain(first.release));
  try {
    return finish(first);
  } catch (error) {
    // Another setup may have removed it a moment ago.
    if (!isDamaged()) throw error;
    return finish(await obtain(first.release));
  }

  function finish({ release, wanted, reused }: ChosenRelease): SetupResult {
    const start = planStart(plan, release.folder);
    const changed = plan.changes.map(({ path }) => path);
    if (plan.saveLock !== undefined && saveLock(plan.saveLock, release))
      changed.push(plan.saveLock);
    for (const { path, text } of plan.changes) writeAtomic(path, text);
    activate(layout, { name: release.name, wanted, start, typed: plan.typed }, context.io);
    return { release, wanted, start, reused, changed };
  }

  async function obtain(damaged?: Release): Promise<ChosenRelease> {
    // Half of the program, which is not loaded when the release is on disk.
    const { obtainRelease } = await import('./obtain-release');
    return obtainRelease(plan, context, damaged).catch(error => {
      if (context.signal.aborted) context.report.warn('stopped; the active release is as it was');
      throw error;
    });
  }
}

/**
 * Keeps a release active whose setup may be an older one: it starts, and hides the token, as the
 * settings of now say. Where another setup has activated its own release, the start refuses that.
 * @throws InstallError NOT_WRITABLE or DISK_FULL when its start changes and cannot be written
 */
export function keepActive(plan: SetupPlan, { name, folder }: Release, context: Context): void {
  const layout = layoutOf(context.dir);
  const current = readCurrent(layout);
  if (current?.active !== name) return;
  const { wanted, typed } = current;
  activate(layout, { name, wanted, start: planStart(plan, folder), typed }, context.io);
}

function isAsInstalled(release: Release): boolean {
  try {
    const { sha256 } = hashTree(join(release.folder, 'node_modules'));
    return sha256 === release.receipt.tree.sha256;
  } catch {
    return false;
  }
}

/** Copies the release's lock to where a team can commit it. @returns false when it is there already */
function saveLock(file: string, release: Release): boolean {
  const text = readFileSync(join(release.folder, 'package-lock.json'), 'utf8');
  if (readIfThere(file) === text) return false;
  writeAtomic(file, text);
  return true;
}
