import { type End, failuresOf, type History, type Run, releaseOf } from './history';

/** What is known of a release's runs, for status. */
export interface RunSummary {
  /** Starts on record; old ones are forgotten. */
  starts: number;
  goodAt?: string;
  /** Failures in a row, of the role that has most. */
  failures: number;
  last: Run;
  /** How the newest run that ended did, as a sentence's end. */
  ended?: string;
  passedOver?: { at: string; why: string };
  /** Of a backend with roles each one's own. */
  roles?: Record<string, RoleSummary>;
}

export type RoleSummary = Pick<RunSummary, 'starts' | 'goodAt' | 'failures'>;

/** Adds up the roles of a release; undefined when it was never started. Pure. */
export function summarizeRuns(history: History, release: string): RunSummary | undefined {
  const runs = history.runs.filter(({ key }) => releaseOf(key) === release);
  const last = runs.at(-1);
  if (!last) return undefined;
  const end = runs.findLast(run => run.end)?.end;
  const keys = [...new Set(runs.map(({ key }) => key))];
  const roles = keys.map(key => {
    const own = runs.filter(run => run.key === key);
    return [key.slice(release.length + 1), summarize(own, [key])] as const;
  });
  return {
    ...summarize(runs, keys),
    last,
    ...(end && { ended: endText(end) }),
    passedOver: history.passedOver[release],
    ...(keys.some(key => key !== release) && { roles: Object.fromEntries(roles) }),
  };

  function summarize(some: readonly Run[], keys: readonly string[]): RoleSummary {
    const goodAt = some
      .flatMap(run => run.goodAt ?? [])
      .sort()
      .at(-1);
    const failures = Math.max(...keys.map(key => failuresOf(history, key)));
    return { starts: some.length, ...(goodAt && { goodAt }), failures };
  }
}

function endText({ at, code, seconds }: End): string {
  if (code === null) return `without a word (a signal, memory or power), started at ${at}`;
  return `with ${code}${seconds === undefined ? '' : ` after ${seconds} s`}, at ${at}`;
}
