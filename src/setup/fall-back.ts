import { InstallError, NetworkError } from '../errors';
import type { Io } from '../io';
import { activate } from '../release/activate';
import { summarizeRuns } from '../release/describe-runs';
import { goodReleases, isCrashing } from '../release/history';
import { addLine, readHistory } from '../release/history-file';
import { backendFolder, layoutOf } from '../release/layout';
import type { Current } from '../release/receipt';
import { hasLostEntry, isWhole, type Release, readCurrent, readRelease } from '../release/store';
import { planStartIn } from '../start/start-plan';
import { isSameHost, type SetupPlan } from './plan';
import { planStart } from './plan-start';

export interface FallBack {
  release: Release;
  /** False where no start of it is known to have stayed up. */
  isGood: boolean;
  /** The sentence for the log and for status. */
  why: string;
  /** How to go back to what was wanted, where that takes a step. */
  undo?: string;
}

/** What `up` can start without the registry: the newest good release, else the active one. */
export function findStartable(dir: string, plan: SetupPlan, not?: string): Release | undefined {
  const layout = layoutOf(dir);
  const history = readHistory(layout);
  const active = readCurrent(layout)?.active;
  const good = goodReleases(history);
  // Of several good ones the active one, so that a lost network changes nothing.
  const names = [...(active && good.includes(active) ? [active] : []), ...good];
  if (active && !isCrashing(history, active)) names.push(active);
  return names
    .filter(name => name !== not)
    .map(name => readRelease(layout, name))
    .find(
      (release): release is Release =>
        release !== undefined &&
        release.receipt.package === plan.settings.package.value &&
        isSameHost(release.receipt.host, plan.host) &&
        isWhole(release) &&
        !hasLostEntry(layout, release) &&
        canStart(plan, release),
    );
}

/** False where nothing in the backend can start, or nothing can be read of it. */
function canStart(plan: SetupPlan, { folder, receipt }: Release): boolean {
  try {
    planStart(plan, backendFolder(folder, receipt.package));
    return true;
  } catch {
    return false;
  }
}

/**
 * The release to start although the registry is out of reach, or the disk has no room for another one or
 * takes none.
 * @throws the failure itself when it is another one, or when nothing that could start is on disk
 */
export function insteadOfFailing(error: unknown, dir: string, plan: SetupPlan): FallBack {
  const isPassing =
    error instanceof NetworkError ||
    (error instanceof InstallError &&
      (error.code === 'DISK_FULL' || error.facts.reason === 'EROFS'));
  const release = isPassing ? findStartable(dir, plan) : undefined;
  if (!isPassing || !release) throw error;
  const { code, message } = error;
  const isGood = goodReleases(readHistory(layoutOf(dir))).includes(release.name);
  return { release, isGood, why: `${code}: ${message}` };
}

/** What to type when a release that was passed over is to start again. */
export const tryAgain = (version: string) => `to try ${version} again: npx bootlace use ${version}`;

/** The release to start in place of one that ends at once whenever it starts; undefined for none. */
export function insteadOfCrashing(dir: string, plan: SetupPlan): FallBack | undefined {
  const layout = layoutOf(dir);
  const active = readCurrent(layout)?.active;
  const history = readHistory(layout);
  if (!active || !isCrashing(history, active)) return undefined;
  const release = findStartable(dir, plan, active);
  if (!release || !goodReleases(history).includes(release.name)) return undefined;
  const { version } = readRelease(layout, active)?.receipt ?? { version: active };
  const ended = summarizeRuns(history, active)?.ended;
  const why = `${version} ended at once whenever it started, last ${ended}`;
  addLine(layout, { is: 'passed over', key: active, at: new Date().toISOString(), why });
  return { release, isGood: true, why, undo: tryAgain(version) };
}

/**
 * Makes a release that is on disk the active one, started as the active one was asked to.
 * @param from and why, for status
 */
export async function activateKept(
  dir: string,
  { name, folder, receipt }: Release,
  wanted: Current['wanted'],
  io: Pick<Io, 'now' | 'sleep'>,
): Promise<void> {
  const layout = layoutOf(dir);
  const present = readCurrent(layout);
  if (present?.active === name) return;
  const { asked, args, tokenEnv = 'NPM_TOKEN', secretEnv, memory } = present?.start ?? {};
  const start = planStartIn(backendFolder(folder, receipt.package), {
    asked,
    args,
    tokenEnv,
    secretEnv,
    memory,
  });
  activate(layout, { name, wanted, start }, io);
}
