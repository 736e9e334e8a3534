import { InstallError, NetworkError } from '../errors';
import { layoutOf } from '../release/layout';
import { hasLostEntry, isWhole, type Release, readCurrent, readRelease } from '../release/store';
import { satisfiesWish } from '../settings/version-wish';
import { isSameHost, planStart, type SetupPlan } from './plan';

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
    satisfiesWish(plan.settings.version.value, receipt.version);
  const canStart =
    isSameHost(receipt.host, plan.host) &&
    isWhole(release) &&
    !hasLostEntry(layout, release) &&
    hasStart(plan, release);
  return isWanted && canStart ? release : undefined;
}

/** False where nothing in the backend can start, or nothing can be read of it. */
function hasStart(plan: SetupPlan, { folder }: Release): boolean {
  try {
    planStart(plan, folder);
    return true;
  } catch {
    return false;
  }
}

/** True for a failure that passes: the registry is away, or the disk takes nothing. */
export function isTransient(error: unknown): error is NetworkError | InstallError {
  return (
    error instanceof NetworkError ||
    (error instanceof InstallError &&
      (error.code === 'DISK_FULL' || error.facts.reason === 'EROFS'))
  );
}
