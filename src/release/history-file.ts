import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type History, type Line, parseLine, readLines } from './history';
import type { Layout } from './layout';

const fileOf = (layout: Layout) => join(layout.root, 'starts.log');

/** The history on disk; an empty one when there is none that can be read. */
export function readHistory(layout: Layout): History {
  try {
    return readLines(readFileSync(fileOf(layout), 'utf8'), isAlive);
  } catch {
    return { runs: [], passedOver: {} };
  }
}

const largest = 32 * 1024;
const keptLines = 60;
const longestLine = 1000;

/**
 * Adds a line, in one write, so that several processes can. It is a record, not a need: on a disk
 * that cannot be written a line is lost and no start is.
 */
export function addLine(layout: Layout, line: Line): void {
  const file = fileOf(layout);
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > largest) shorten(file);
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  } catch {}
}

/** Keeps the newest lines, and what proved the last releases good whatever its age. */
function shorten(file: string): void {
  // None of ours is that long; what is may be all that the file is.
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line && line.length < longestLine);
  const proofs = new Set<number>();
  for (const [i, line] of lines.entries()) {
    if (!/"is":"good"|"is":"end".*"code":0,/.test(line)) continue;
    const [said] = parseLine(line);
    if (!said || !('pid' in said)) continue;
    const { key, pid } = said;
    const find = (is: Line['is']) => {
      const head = `{"is":"${is}","key":${JSON.stringify(key)},"pid":${pid},`;
      return lines.findLastIndex((other, j) => j < i && other.startsWith(head));
    };
    const start = find('start');
    // An end with 0 proves nothing of a run that had stayed up without an answer.
    if (said.is === 'good' || find('stayed') < start) proofs.add(start).add(i);
  }
  const kept = [...proofs].filter(i => i >= 0 && i < lines.length - keptLines).slice(-8);
  const temporary = `${file}.${process.pid}.tmp`;
  const text = [...kept.map(i => lines[i]), ...lines.slice(-keptLines)].join('\n');
  writeFileSync(temporary, `${text}\n`);
  renameSync(temporary, file);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that asks about its own number is a later one.
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
