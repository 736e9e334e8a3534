import { type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What one run cost. */
export interface Cost {
  /** Milliseconds from the start to the end of the process. */
  wall: number;
  /** Milliseconds of processor time of the process and all below it, in steps of 10. */
  cpu: number;
  /** Bytes that the whole process tree held at its largest. */
  peak: number;
}

const sampleMs = 5;
const pageSize = 4096;

/**
 * Runs a program to its end. Its memory is what all its processes hold together, looked up every 5
 * ms; a single process's own high-water mark counts when it is more, so that no peak between two
 * looks is lost.
 * @throws when the program fails, with the end of what it said
 */
export async function measure(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Cost> {
  const before = childrenCpu();
  const begun = process.hrtime.bigint();
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => {
      said = (said + data.toString('utf8')).slice(-4000);
    });
  let peak = 0;
  let looking = true;
  const look = () => {
    if (!looking || child.pid === undefined) return;
    peak = Math.max(peak, memoryOf(child.pid));
    setTimeout(look, sampleMs);
  };
  look();
  const { code, wall } = await new Promise<{ code: number | null; wall: number }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('exit', code => {
        looking = false;
        resolve({ code, wall: Number(process.hrtime.bigint() - begun) / 1e6 });
      });
    },
  );
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}`);
  return { wall, cpu: childrenCpu() - before, peak };
}

/** Bytes held by a process and all its descendants now, or one's high-water mark if that is more. */
function memoryOf(root: number): number {
  let sum = 0;
  let mark = 0;
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop())
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      mark = Math.max(mark, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
      sum += Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * pageSize;
      for (const task of readdirSync(`/proc/${pid}/task`))
        for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' '))
          if (child.trim()) open.push(Number(child));
    } catch {
      // It ended while it was looked at.
    }
  return Math.max(sum, mark);
}

/** Milliseconds of processor time of the children that have ended, and of theirs. */
function childrenCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

/** Files and links below a folder, and their bytes. */
export function countFiles(folder: string): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (!entry.isDirectory()) {
      files++;
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
    }
  return { files, bytes };
}
