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
}

/** Adds up the roles of a release; undefined when it was never started. Pure. */
export function summarizeRuns(history: History, release: string): RunSummary | undefined {
  const runs = history.runs.filter(({ key }) => releaseOf(key) === release);
  const last = runs.at(-1);
  if (!last) return undefined;
  const goodAt = runs
    .flatMap(run => run.goodAt ?? [])
    .sort()
    .at(-1);
  const end = runs.findLast(run => run.end)?.end;
  const keys = new Set(runs.map(({ key }) => key));
  return {
    starts: runs.length,
    ...(goodAt && { goodAt }),
    failures: Math.max(...[...keys].map(key => failuresOf(history, key))),
    last,
    ...(end && { ended: endText(end) }),
    passedOver: history.passedOver[release],
  };
}

function endText({ at, code, seconds }: End): string {
  if (code === null) return `without a word (a signal, memory or power), started ${at}`;
  return `with ${code}${seconds === undefined ? '' : ` after ${seconds} s`}, ${at}`;
}
