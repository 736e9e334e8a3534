import { posix } from 'node:path';

/** Reads a text file; undefined when it is not there or not readable. */
export type ReadFile = (path: string) => string | undefined;

export interface MemoryLimit {
  bytes: number;
  /** `cgroup v2` or `cgroup v1`. */
  from: string;
}

/** Larger than any machine: v1 writes "none" as a huge number (2^63 rounded down to a page). */
const none = 2 ** 50;

/**
 * The memory limit of this process: the smallest one on the way from its own cgroup up to the root
 * of the hierarchy, of cgroup v2 and v1. Pure over the files that it is handed.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html, cgroup-v1/memory.html, and proc(5) for
 * mountinfo.
 * @returns undefined where nothing limits it, or where there are no cgroups
 */
export function readMemoryLimit(read: ReadFile): MemoryLimit | undefined {
  const groups = read('/proc/self/cgroup');
  const mounts = groups && read('/proc/self/mountinfo');
  if (!groups || !mounts) return undefined;
  const found: MemoryLimit[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const isV2 = controllers === '';
    if (!isV2 && !controllers.split(',').includes('memory')) continue;
    for (const mount of mountsOf(mounts, isV2)) {
      const bytes = smallestOnTheWay(read, mount, path, isV2);
      if (bytes !== undefined) found.push({ bytes, from: isV2 ? 'cgroup v2' : 'cgroup v1' });
    }
  }
  return found.sort((a, b) => a.bytes - b.bytes)[0];
}

interface Mount {
  /** The part of the hierarchy that is mounted, and where. */
  root: string;
  point: string;
}

function mountsOf(mountinfo: string, isV2: boolean): Mount[] {
  return mountinfo.split('\n').flatMap(line => {
    const [head = '', tail = ''] = line.split(' - ');
    const [, , , root, point] = head.split(' ');
    const [type, , options = ''] = tail.split(' ');
    const fits = isV2
      ? type === 'cgroup2'
      : type === 'cgroup' && options.split(',').includes('memory');
    return fits && root && point
      ? [{ root: unescapeOctal(root), point: unescapeOctal(point) }]
      : [];
  });
}

/** mountinfo writes blanks and backslashes as octal. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function smallestOnTheWay(
  read: ReadFile,
  { root, point }: Mount,
  path: string,
  isV2: boolean,
): number | undefined {
  // In a container without a cgroup namespace of its own, the mount shows a part of the hierarchy.
  const below = root === '/' ? path : path === root ? '/' : path.slice(root.length);
  const isInside = root === '/' || path === root || path.startsWith(`${root}/`);
  // A path outside the namespace begins with /..; then the mount's own root is all we can see.
  let folder =
    isInside && !below.startsWith('/..') ? posix.join(point, below).replace(/\/+$/, '') : point;
  let smallest: number | undefined;
  for (;;) {
    const text = read(`${folder}/${isV2 ? 'memory.max' : 'memory.limit_in_bytes'}`)?.trim();
    const bytes = text && /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (bytes > 0 && bytes < none && bytes < (smallest ?? none)) smallest = bytes;
    if (folder === point || !folder.startsWith(point) || folder === '/') return smallest;
    folder = posix.dirname(folder);
  }
}
