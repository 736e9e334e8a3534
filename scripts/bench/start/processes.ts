import { readdirSync, readFileSync } from 'node:fs';

/** The process and all below it. */
export function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap(child => familyOf(Number(child)))];
}

/** Resident memory in MB. */
export function rss(pids: readonly number[]): number {
  return pids.reduce((total, pid) => {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return total + Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
  }, 0);
}

/** Processor time in ms of all threads that live, to the microsecond. */
export function cpu(pids: readonly number[]): number {
  return pids.reduce(
    (total, pid) =>
      readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
        const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
        return sum + Number(onCpu) / 1e6;
      }, total),
    0,
  );
}
