import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type MemoryFacts, memoryFlags, planMemory } from '../../src/memory/plan';
import { parseMemory } from '../../src/memory/setting';

const MB = 2 ** 20;
const facts = (limitMb: number | undefined, more: Partial<MemoryFacts> = {}): MemoryFacts => ({
  asked: 'auto',
  limit: limitMb === undefined ? undefined : { bytes: limitMb * MB, from: 'cgroup v2' },
  // What V8 chooses by itself: half of what it sees, between 256 MB and 2 GB and something.
  heapLimit: Math.min(4144, Math.max(259, (limitMb ?? 24_000) / 2)) * MB,
  userFlags: '',
  canReplace: true,
  isReplaced: false,
  ...more,
});

const cases: [string, MemoryFacts, string][] = [
  ['no limit, auto', facts(undefined), ''],
  ['no limit, off', facts(undefined, { asked: 'off' }), ''],
  ['a limit, off', facts(64, { asked: 'off' }), ''],
  ['64 MB', facts(64), '1 24 v8'],
  ['128 MB', facts(128), '2 72 v8'],
  ['256 MB', facts(256), '4 168 v8'],
  ['512 MB: V8 fits itself in', facts(512), ''],
  ['512 MB that V8 does not see', facts(512, { heapLimit: 4144 * MB }), '8 360 v8'],
  ['1 GB', facts(1024), ''],
  ['2 GB is not small', facts(2048, { heapLimit: 4144 * MB }), ''],
  ['64 MB without execve', facts(64, { canReplace: false }), '1 24 watch'],
  [
    '64 MB without execve, a new process anyway',
    facts(64, { canReplace: false, isReplaced: true }),
    '1 24 v8',
  ],
  ['a budget', facts(undefined, { asked: 512 }), '12 360 watch'],
  ['a budget below the limit', facts(512, { asked: 200 }), '4 126 watch'],
  ['a budget above the limit', facts(128, { asked: 512 }), '2 72 v8'],
  [
    "a budget as flags: V8's semi-spaces are powers of two",
    facts(undefined, { asked: 512, isReplaced: true }),
    '8 360 v8',
  ],
  ['a budget that V8 keeps anyway', facts(undefined, { asked: 8192 }), '12'],
  ['the smallest budget', facts(undefined, { asked: 16 }), '1 8 watch'],
  ['NODE_OPTIONS has a ceiling', facts(64, { userFlags: '--max-old-space-size=40' }), ''],
  ['with underscores', facts(64, { userFlags: '--max_old_space_size=40' }), ''],
  [
    'start flags have a young generation',
    facts(64, { userFlags: '-r x --max-semi-space-size=4' }),
    '',
  ],
  ['a percentage', facts(64, { userFlags: '--max-old-space-size-percentage=50' }), ''],
  [
    '--max-http-header-size is no memory',
    facts(64, { userFlags: '--max-http-header-size=80000' }),
    '1 24 v8',
  ],
  ['--optimize-for-size', facts(64, { userFlags: '--optimize-for-size' }), ''],
  ['--heap-growing-percent', facts(64, { userFlags: '--heap-growing-percent=50' }), ''],
];

suite('the plan for memory', () => {
  for (const [name, input, wanted] of cases)
    test(name, () => {
      const { youngMb, heapMb, ceiling } = planMemory(input);
      assert.equal([youngMb, heapMb, ceiling].filter(Boolean).join(' '), wanted);
    });

  test('one line says limit, choice and reason', () => {
    assert.equal(
      planMemory(facts(64)).says,
      'limit 64 MB (cgroup v2): semi-space at most 1 MB, heap at most 24 MB (by V8)',
    );
    assert.equal(planMemory(facts(512)).says, "limit 512 MB (cgroup v2), Node's own sizes fit");
    assert.equal(
      planMemory(facts(undefined, { asked: 512 })).says,
      'budget 512 MB (BACKEND_MEMORY), no limit: semi-space at most 12 MB, heap at most 360 MB (watched)',
    );
    assert.match(
      planMemory(facts(64, { userFlags: '--max-old-space-size=40' })).says ?? '',
      /^limit 64 MB \(cgroup v2\), --max-old-space-size is set and stays as it is$/,
    );
    assert.equal(planMemory(facts(undefined)).says, undefined);
  });

  test('as flags', () =>
    assert.deepEqual(memoryFlags(planMemory(facts(64))), [
      '--max-semi-space-size=1',
      '--max-old-space-size=24',
    ]));

  for (const [text, value] of [
    ['auto', 'auto'],
    [' OFF ', 'off'],
    ['512', 512],
    ['512MB', 512],
    ['512 MiB', 512],
  ] as const)
    test(`BACKEND_MEMORY=${text}`, () => assert.equal(parseMemory(text, 'X'), value));
  for (const text of ['', '63', '1.5', '-1', 'lots', '1e9', '512 GB'])
    test(`BACKEND_MEMORY=${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parseMemory(text, 'BACKEND_MEMORY'), { code: 'MEMORY_INVALID' }));
});
