/** How a run ended. */
export interface End {
  /** ISO 8601. */
  at: string;
  /** The exit code; null when the process was gone without a word: a signal, memory, power. */
  code: number | null;
  /** How long it ran, where that is known. */
  seconds?: number;
}

/** One run of a release, or of one role of it. */
export interface Run {
  key: string;
  at: string;
  pid: number;
  /** The compile cache as it began: warm, cold or off. */
  cache: string;
  /** When it had stayed up long enough, or answered its health path, or was done. */
  goodAt?: string;
  /** It outlived a crash, though it may never have been good: its health path did not answer. */
  stayed?: true;
  end?: End;
}

/** The runs on record, oldest first, and why `up` went back from a release. */
export interface History {
  runs: readonly Run[];
  passedOver: Readonly<Record<string, { at: string; why: string }>>;
}

/** A line of the record; written once and never changed. */
export type Line =
  | { is: 'start'; key: string; pid: number; at: string; cache: string }
  | { is: 'good'; key: string; pid: number; at: string }
  | { is: 'stayed'; key: string; pid: number; at: string }
  | { is: 'end'; key: string; pid: number; at: string; code: number; seconds: number }
  | { is: 'passed over'; key: string; at: string; why: string }
  | { is: 'forgiven'; key: string; at: string };

/** So many failures in a row, and `up` goes back to the last good release. */
export const crashLoop = 3;

export function historyKey(release: string, role?: string): string {
  return role === undefined ? release : `${release}#${role}`;
}

export function releaseOf(key: string): string {
  return key.split('#')[0] as string;
}

/** Ends that somebody asked for: done, or stopped by SIGHUP, SIGINT, SIGTERM. */
const asked = new Set<number | null>([0, 129, 130, 143]);

/**
 * Reads a record. Pure save for `isAlive`.
 * @param text lines of JSON; one that is none of ours is passed over
 * @param isAlive whether a process of that number runs now: a run without an end, whose process is
 *   gone, ended without a word
 */
export function readLines(text: string, isAlive: (pid: number) => boolean): History {
  let runs: Run[] = [];
  const passedOver: Record<string, { at: string; why: string }> = {};
  const open = (key: string, pid: number) =>
    runs.findLast(run => run.key === key && run.pid === pid && !run.end);
  for (const line of text.split('\n').flatMap(parseLine)) {
    const { key, at } = line;
    if (line.is === 'start') {
      // In a container every process is number 1: a new one means that the old one is gone.
      for (const run of runs)
        if (run.pid === line.pid && !run.end) run.end = { at: run.at, code: null };
      runs.push({ key, at, pid: line.pid, cache: line.cache });
    } else if (line.is === 'passed over') passedOver[key] = { at, why: line.why };
    else if (line.is === 'forgiven') {
      delete passedOver[key];
      runs = runs.filter(run => releaseOf(run.key) !== key || run.goodAt);
    } else {
      const run = open(key, line.pid);
      if (run && line.is === 'good') run.goodAt = at;
      if (run && line.is === 'stayed') run.stayed = true;
      if (run && line.is === 'end') {
        run.end = { at, code: line.code, seconds: line.seconds };
        // A job is good when it is done; a server that never answered is only stopped.
        if (line.code === 0 && !run.stayed) run.goodAt ??= at;
      }
      if (run?.goodAt) delete passedOver[releaseOf(key)];
    }
  }
  for (const run of runs) if (!run.end && !isAlive(run.pid)) run.end = { at: run.at, code: null };
  return { runs, passedOver };
}

/** @returns the line; none when it is none of ours, or was cut off */
export function parseLine(text: string): Line[] {
  try {
    const line = JSON.parse(text) as Line;
    return typeof line.key === 'string' && typeof line.at === 'string' ? [line] : [];
  } catch {
    return [];
  }
}

/** Failures in a row of one key, to its newest run: ends by itself before it was good. */
export function failuresOf({ runs }: History, key: string): number {
  const ended = runs.filter(run => run.key === key && run.end);
  const last = ended.findLastIndex(
    run => run.goodAt || run.stayed || asked.has(run.end?.code as number | null),
  );
  return ended.length - 1 - last;
}

/** The releases that were good, the newest proof first. */
export function goodReleases({ runs }: History): string[] {
  const good = runs.filter(run => run.goodAt);
  good.sort((a, b) => ((a.goodAt as string) < (b.goodAt as string) ? 1 : -1));
  return [...new Set(good.map(({ key }) => releaseOf(key)))];
}

/** True for a release that fails whenever it starts and has never been good. */
export function isCrashing(history: History, release: string): boolean {
  const own = history.runs.filter(({ key }) => releaseOf(key) === release);
  const keys = new Set(own.map(({ key }) => key));
  return (
    !own.some(({ goodAt }) => goodAt) &&
    [...keys].some(key => failuresOf(history, key) >= crashLoop)
  );
}
