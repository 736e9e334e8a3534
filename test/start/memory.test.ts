import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Memory } from '../../src/settings/memory';
import { planMemory } from '../../src/start/memory';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';

const MB = 2 ** 20;

suite('the flags of a memory setting', () => {
  // wanted, the container's limit, V8's own ceiling, other flags → heap and semi-space
  const rows: [Memory, number, number, string, [number, number] | undefined][] = [
    ['off', 128, 259, '', undefined],
    ['auto', 0, 4144, '', undefined],
    ['auto', 512, 259, '', undefined],
    ['auto', 259, 259, '', undefined],
    ['auto', 256, 259, '', [168, 4]],
    ['auto', 128, 259, '', [72, 2]],
    ['auto', 2 ** 43, 4144, '', undefined],
    [512, 0, 4144, '', [360, 8]],
    [512, 0, 259, '', [360, 8]],
    [512, 256, 259, '', [168, 4]],
    [64, 0, 4144, '', [24, 1]],
    [4096, 0, 4144, '', [3048, 8]],
    [512, 0, 4144, '--max-old-space-size=300', undefined],
    [512, 0, 4144, '--inspect --max_semi_space_size=2', undefined],
  ];
  for (const [wanted, limit, heap, userFlags, sizes] of rows)
    test(`${wanted}, limit ${limit} MB, V8 ${heap} MB ${userFlags}`, () => {
      const facts = { wanted, limit: limit * MB, heapLimit: heap * MB, userFlags };
      const flags = sizes && [
        `--max-old-space-size=${sizes[0]}`,
        `--max-semi-space-size=${sizes[1]}`,
      ];
      assert.deepEqual(planMemory(facts)?.flags, flags);
    });
});

suite('memory of a start', () => {
  const source = `console.log(JSON.stringify([process.execArgv, require('node:v8').getHeapStatistics().heap_size_limit < 500e6]))`;
  for (const { major, file: node } of availableNodes())
    test(`Node ${major}`, async t => {
      const dir = temporaryFolder(t);
      writeInstalled(dir, { packageJson: { main: 'main.js' }, files: { 'main.js': source } });
      const start = async (env: Record<string, string>) => {
        const run = await runNode(join(dir, 'server.js'), [], { cwd: dir, env, node });
        return { seen: JSON.parse(run.stdout), stderr: run.stderr };
      };
      const flags = ['--max-old-space-size=360', '--max-semi-space-size=8'];
      const budget = await start({ BACKEND_MEMORY: '512' });
      if (major >= 22) {
        assert.deepEqual(budget.seen, [flags, true]);
        assert.match(budget.stderr, /memory: --max-old-space-size=360 .* \(BACKEND_MEMORY=512\)/);
      } else {
        assert.deepEqual(budget.seen, [[], false], 'one process, and nothing done to it');
        assert.match(budget.stderr, /fix: set NODE_OPTIONS="--max-old-space-size=360 --max-semi/);
        // The fix as printed.
        const NODE_OPTIONS = /NODE_OPTIONS="([^"]+)"/.exec(budget.stderr)?.[1] as string;
        const fixed = await start({ BACKEND_MEMORY: '512', NODE_OPTIONS });
        assert.deepEqual(fixed.seen, [[], true]);
        assert.doesNotMatch(fixed.stderr, /memory/);
      }
      for (const BACKEND_MEMORY of ['off', 'auto']) {
        const { seen, stderr } = await start({ BACKEND_MEMORY });
        assert.deepEqual(seen, [[], false]);
        assert.doesNotMatch(stderr, /memory/);
      }
    });
});
