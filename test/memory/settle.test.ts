import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { runNode } from '../support/run';

/** Counts the collections at rest. */
const counting = `
const vm = require('node:vm');
let collections = 0;
const real = vm.runInNewContext;
vm.runInNewContext = code => (collections++, real(code));
// Node 20.
const { Session } = require('node:inspector');
const { post } = Session.prototype;
Session.prototype.post = function (...args) {
  collections++;
  post.apply(this, args);
};
`;

/** Leaves 40 MB of garbage behind and then rests, or does not. */
const backend = `${counting}
const { getHeapSpaceStatistics, getHeapStatistics } = require('node:v8');
let made = [];
for (let i = 0; i < 80; i++) made.push(Array.from({ length: 16000 }, (_, j) => ({ j })));
const mb = () => Math.round(getHeapStatistics().total_heap_size / 2 ** 20);
const before = mb();
made = undefined;
const flags = () => require('node:v8').cachedDataVersionTag();
const tag = flags();
const busy = process.env.BUSY && setInterval(() => {
  for (const end = Date.now() + 20; Date.now() < end; );
}, 50);
setTimeout(() => {
  clearInterval(busy);
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  const isShrunk = before > 40 && mb() < before / 2;
  const isSmall = isShrunk && young.space_size <= 2 ** 22;
  const marks = Object.keys(process.env).filter(name => name.startsWith('BOOTLACE_'));
  console.log(collections, collections === 0 || isSmall, flags() === tag, typeof gc, ...marks);
}, 3600);
`;

const budget = { BACKEND_MEMORY: '512' };

/** @returns what the backend printed, and the log */
async function run(cwd: string, env: NodeJS.ProcessEnv, node?: string): Promise<[string, string]> {
  const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], { cwd, node, env });
  return [stdout.trim(), stderr];
}

suite('with a budget a heap at rest gives back what it does not use', { concurrency: 2 }, () => {
  const launched = launchable(wholeFile, { 'dist/main.js': backend });
  for (const { major, file } of availableNodes())
    for (const [what, env, collections] of [
      ['at rest', budget, 1],
      ['busy', { ...budget, BUSY: '1' }, 0],
      ['without a budget', { BACKEND_MEMORY: 'auto' }, 0],
      ['off', { BACKEND_MEMORY: 'off' }, 0],
    ] as const)
      test(`Node ${major}, ${what}`, async () => {
        const [printed, log] = await run(await launched, env, file);
        assert.equal(printed, `${collections} true true undefined`, log);
      });
});

suite('also where the budget became flags of a second run', { concurrency: 2 }, () => {
  const launched = launchable(
    wholeFile,
    { 'dist/main.js': backend },
    { scripts: { start: 'node --stack-size=900 dist/main.js' } },
  );
  for (const { major, file } of availableNodes())
    test(`Node ${major}`, async () => {
      const [printed, log] = await run(await launched, budget, file);
      assert.match(log, /by V8/);
      assert.equal(printed, '1 true true undefined', log);
    });
});

/** Leaves 40 MB of garbage, rests, works a little, leaves as much again, and rests for good. */
const pausing = `${counting}
const litter = () => Array.from({ length: 80 }, () => Array.from({ length: 16000 }, (_, j) => ({ j }))).length;
litter();
const after = (ms, what) => setTimeout(what, ms);
after(3600, () => {
  const atStart = collections;
  litter();
  const light = setInterval(() => {
    for (const end = Date.now() + 20; Date.now() < end; );
  }, 1000);
  after(8000, () => {
    const inLightTraffic = collections;
    clearInterval(light);
    after(8000, () => console.log(atStart, inLightTraffic, collections));
  });
});
`;

test('a pause between requests is no rest', async () => {
  const cwd = await launchable(wholeFile, { 'dist/main.js': pausing });
  const [printed, log] = await run(cwd, budget);
  assert.equal(printed, '1 1 2', log);
});

/** Holds 36 MB, rests, and then takes 10 MB more. */
const growing = `
const { PerformanceObserver, constants } = require('node:perf_hooks');
const make = count => Array.from({ length: count }, () =>
  Array.from({ length: 16000 }, (_, j) => ({ j })));
const held = [make(60)];
let collections = 0;
setTimeout(() => {
  const observer = new PerformanceObserver(list => {
    for (const { detail } of list.getEntries())
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
  });
  observer.observe({ entryTypes: ['gc'] });
  let turns = 0;
  const more = setInterval(() => {
    held.push(make(1));
    // Busy enough for no collection at rest.
    for (const end = Date.now() + 10; Date.now() < end; );
    if (++turns < 15) return;
    clearInterval(more);
    setTimeout(() => console.log(collections), 200);
  }, 20);
}, 5500);
setTimeout(() => {}, 7500);
`;

suite('what rested may double before all of it is looked at again', { concurrency: 2 }, () => {
  const launched = launchable(wholeFile, { 'dist/main.js': growing });
  for (const { major, file } of availableNodes())
    test(`Node ${major}`, async () => {
      const [printed, log] = await run(await launched, budget, file);
      assert.equal(printed, '0', log);
      // V8 says so of a flag that a Node does not have.
      assert.doesNotMatch(log, /flag/);
    });
});
