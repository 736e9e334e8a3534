import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readMemoryLimit } from '../../src/memory/limit';

const MB = 2 ** 20;
const v2 = '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n';
const v1 =
  '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n36 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n';

interface Case {
  group: string;
  mounts: string;
  /** Path below /sys/fs/cgroup → content. */
  files?: Record<string, string>;
  limit: number | undefined;
}

const cases: Record<string, Case> = {
  v2: { group: '0::/\n', mounts: v2, files: { 'memory.max': `${512 * MB}\n` }, limit: 512 },
  'v2, max': { group: '0::/\n', mounts: v2, files: { 'memory.max': 'max\n' }, limit: undefined },
  'v2, a leaf with a limit': {
    group: '0::/a/b\n',
    mounts: v2,
    files: { 'a/b/memory.max': `${64 * MB}` },
    limit: 64,
  },
  'v2, a parent is smaller': {
    group: '0::/a/b\n',
    mounts: v2,
    files: { 'a/b/memory.max': `${512 * MB}`, 'a/memory.max': `${128 * MB}` },
    limit: 128,
  },
  'v2, only the parent has one': {
    group: '0::/a/b\n',
    mounts: v2,
    files: { 'a/b/memory.max': 'max', 'a/memory.max': `${256 * MB}` },
    limit: 256,
  },
  'v2, no file at all': { group: '0::/a\n', mounts: v2, limit: undefined },
  'v2, a container without its own namespace': {
    group: '0::/docker/abc\n',
    mounts: '30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
    files: { 'memory.max': `${300 * MB}` },
    limit: 300,
  },
  'v2, a path outside the namespace': {
    group: '0::/../other\n',
    mounts: v2,
    files: { 'memory.max': `${200 * MB}`, '../other/memory.max': '1' },
    limit: 200,
  },
  v1: {
    group: '4:memory:/x\n2:cpu:/\n',
    mounts: v1,
    files: { 'memory/x/memory.limit_in_bytes': `${128 * MB}\n` },
    limit: 128,
  },
  'v1, the huge number that means none': {
    group: '4:memory:/\n',
    mounts: v1,
    files: { 'memory/memory.limit_in_bytes': '9223372036854771712\n' },
    limit: undefined,
  },
  'v1, nested': {
    group: '4:memory:/x/y\n',
    mounts: v1,
    files: {
      'memory/x/y/memory.limit_in_bytes': '9223372036854771712',
      'memory/x/memory.limit_in_bytes': `${96 * MB}`,
    },
    limit: 96,
  },
  'v1, memory mounted with another controller': {
    group: '4:memory,cpu:/\n',
    mounts: '35 31 0:32 / /sys/fs/cgroup/both rw - cgroup cgroup rw,cpu,memory\n',
    files: { 'both/memory.limit_in_bytes': `${77 * MB}` },
    limit: 77,
  },
  'v1, a container sees its part': {
    group: '4:memory:/docker/abc\n',
    mounts: '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
    files: { 'memory/memory.limit_in_bytes': `${150 * MB}` },
    limit: 150,
  },
  'both, v1 has the limit': {
    group: '4:memory:/x\n0::/\n',
    mounts: v1 + v2.replace('/sys/fs/cgroup ', '/sys/fs/cgroup/unified '),
    files: { 'memory/x/memory.limit_in_bytes': `${64 * MB}`, 'unified/memory.max': 'max' },
    limit: 64,
  },
  'a mount point with a blank': {
    group: '0::/\n',
    mounts: '30 23 0:26 / /sys/fs/cgroup/my\\040group rw - cgroup2 cgroup2 rw\n',
    files: { 'my group/memory.max': `${80 * MB}` },
    limit: 80,
  },
  'nonsense in the file': {
    group: '0::/\n',
    mounts: v2,
    files: { 'memory.max': '-5\n' },
    limit: undefined,
  },
  zero: { group: '0::/\n', mounts: v2, files: { 'memory.max': '0\n' }, limit: undefined },
  'no cgroups': { group: '', mounts: '', limit: undefined },
};

suite('the memory limit from a file tree', () => {
  for (const [name, { group, mounts, files = {}, limit }] of Object.entries(cases))
    test(name, () => {
      const found = readMemoryLimit(path => {
        if (path === '/proc/self/cgroup') return group;
        if (path === '/proc/self/mountinfo') return mounts;
        return files[path.replace('/sys/fs/cgroup/', '')];
      });
      assert.equal(found && found.bytes / MB, limit);
    });

  test('no /proc', () =>
    assert.equal(
      readMemoryLimit(() => undefined),
      undefined,
    ));
});
