import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { runNode } from '../support/run';

/**
 * Holds some MB, and makes garbage of which a part survives for a while, as a server does. Its first
 * turn is its start, however slow the machine is: no timer of ours comes in between.
 */
const backend = `
const { getHeapSpaceStatistics } = require('node:v8');
globalThis.held = [];
const recent = [];
const sizes = { before: [], after: [] };
const work = kept => {
  for (let i = 0; i < 2000; i++) recent[Math.floor(Math.random() * 20000)] = { a: [i, i], b: 'x' + i };
  const { space_size } = getHeapSpaceStatistics().find(space => space.space_name === 'new_space');
  kept?.push(space_size / 2 ** 21);
};
for (let i = 0; i < Number(process.env.HOLD) * 16; i++) held.push(Array(8000).fill(i));
for (let i = 0; i < 1000; i++) work(sizes.before);
const begun = Date.now();
(function turn() {
  const ms = Date.now() - begun;
  work(ms > 5500 ? sizes.after : undefined);
  if (ms < 8000) return setImmediate(turn);
  // While V8 marks, it is a little more; so what it mostly was.
  const middle = all => Math.round(all.sort((a, b) => a - b)[all.length >> 1]);
  console.log(middle(sizes.before), middle(sizes.after));
})();
`;

/** Doubled from a power of two, but on Node 26 in smaller steps. */
const ofV8 = (major: number) =>
  major < 26 ? /^(8|16|32|64) (8|16|32|64)$/ : /^([89]|\d\d) ([89]|\d\d)$/;

suite('a small budget holds the young generation', { concurrency: 2 }, () => {
  const launched = launchable(wholeFile, { 'dist/main.js': backend });
  for (const { major, file } of availableNodes())
    for (const [memory, holdMb, sizes] of [
      ['512', 200, ofV8(major)],
      ['128', 40, /^1 3$/],
      ['64', 10, /^1 1$/],
      ['off', 10, ofV8(major)],
    ] as const)
      test(`Node ${major}, BACKEND_MEMORY=${memory}: MB while it starts, and later`, async () => {
        const cwd = await launched;
        const env = { BACKEND_MEMORY: memory, HOLD: String(holdMb) };
        const options = { cwd, node: file, env };
        const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], options);
        assert.match(stdout.trim(), sizes, stderr);
      });
});
