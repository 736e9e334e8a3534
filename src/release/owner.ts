import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../errors';

/**
 * This very process, as far as a file's name may hold it: `HOST-PID-WHERE-BEGAN`. A number alone names
 * many: two containers with one host name number their processes each for themselves, and in a
 * container that is started again the same number is another process.
 */
export function ownLabel(): string {
  return [hostLabel(), process.pid, whereLabel() ?? 'unknown', beganAt('self') ?? 0].join('-');
}

/**
 * What became of the process that a label names: `unseen` for one that cannot be seen from here, such as
 * one in another container; undefined where there is no label.
 */
export function stateOf(label: string): 'alive' | 'gone' | 'unseen' | undefined {
  const [, host, number, where, began] = /^(\w*)-(\d+)-(\w+)-(\d+)(?!\w)/.exec(label) ?? [];
  if (number === undefined) return undefined;
  if (host !== hostLabel() || where !== whereLabel()) return 'unseen';
  if (!exists(Number(number))) return 'gone';
  const now = beganAt(number);
  if (began !== '0' && now !== undefined) return began === now ? 'alive' : 'gone';
  // Whoever asks about its own number is a later process.
  return Number(number) === process.pid ? 'gone' : 'unseen';
}

function hostLabel(): string {
  return hostname().replace(/\W/g, '').slice(0, 20);
}

/** Where numbers of processes mean what they mean here; undefined where that cannot be told. */
function whereLabel(): string | undefined {
  // Elsewhere one machine has one numbering.
  if (process.platform !== 'linux') return process.platform;
  try {
    // A /proc of another namespace would speak of other processes under the same numbers.
    if (readlinkSync('/proc/self') !== String(process.pid)) return undefined;
    // The first namespace has one name on all machines, so it takes the boot as well.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    const names = `${boot}${readlinkSync('/proc/self/ns/pid')}`;
    return createHash('sha256').update(names).digest('hex').slice(0, 10);
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the boot; '' once it has ended, undefined where nothing tells. */
function beganAt(pid: string): string | undefined {
  try {
    // The name in the parentheses may hold blanks: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that nobody waits for, as in a container without an init, keeps its number.
    return /[ZX]/.test(fields[0] as string) ? '' : fields[19];
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
