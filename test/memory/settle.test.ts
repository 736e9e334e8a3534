import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { runNode } from '../support/run';

/** Leaves 40 MB of garbage behind and then rests, or does not. */
const backend = `
const { getHeapSpaceStatistics, getHeapStatistics } = require('node:v8');
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

suite('with a budget a heap at rest gives back what it does not use', { concurrency: 2 }, () => {
  const launched = launchable(wholeFile, { 'dist/main.js': backend });
  for (const { major, file } of availableNodes())
    for (const [what, env, collections] of [
      ['at rest', { BACKEND_MEMORY: '512' }, 1],
      ['busy', { BACKEND_MEMORY: '512', BUSY: '1' }, 0],
      ['without a budget', { BACKEND_MEMORY: 'auto' }, 0],
      ['off', { BACKEND_MEMORY: 'off' }, 0],
    ] as const)
      test(`Node ${major}, ${what}`, async () => {
        const cwd = await launched;
        const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], {
          cwd,
          node: file,
          env,
        });
        assert.equal(stdout.trim(), `${collections} true true undefined`, stderr);
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
      const cwd = await launched;
      const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], {
        cwd,
        node: file,
        env: { BACKEND_MEMORY: '512' },
      });
      assert.match(stderr, /by V8/);
      assert.equal(stdout.trim(), '1 true true undefined', stderr);
    });
});

/** Leaves 40 MB of garbage, rests, works a little, leaves as much again, and rests for good. */
const pausing = `
const vm = require('node:vm');
let collections = 0;
const real = vm.runInNewContext;
vm.runInNewContext = code => (collections++, real(code));
const { Session } = require('node:inspector');
const { post } = Session.prototype;
Session.prototype.post = function (...args) {
  collections++;
  post.apply(this, args);
};
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
  const env = { BACKEND_MEMORY: '512' };
  const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], { cwd, env });
  assert.equal(stdout.trim(), '1 1 2', stderr);
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
      const cwd = await launched;
      const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], {
        cwd,
        node: file,
        env: { BACKEND_MEMORY: '512' },
      });
      assert.equal(stdout.trim(), '0', stderr);
      // V8 says so of a flag that a Node does not have.
      assert.doesNotMatch(stderr, /flag/);
    });
});
