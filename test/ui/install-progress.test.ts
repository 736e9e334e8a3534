import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sayProgress } from '../../src/ui/install-progress';

/** What is said when a state comes every 50 ms for 7 seconds. */
function saidIn(isInteractive: boolean): string[] {
  const said: string[] = [];
  let time = 0;
  const tell = sayProgress({ now: () => time, isInteractive, say: text => said.push(text) });
  for (let i = 1; i <= 140; i++) {
    time += 50;
    tell({ done: i, total: 140, received: i * 500_000 });
  }
  return said;
}

test('a log gets a line every few seconds', () => {
  assert.deepEqual(saidIn(false), [
    'installing 60 of 140 packages, 30 MB, 10 MB/s',
    'installing 120 of 140 packages, 60 MB, 10 MB/s',
  ]);
});

test('a terminal gets ten a second', () => {
  const said = saidIn(true);
  assert.equal(said.length, 70);
  assert.equal(said[0], 'installing 2 of 140 packages, 1.0 MB, 10 MB/s');
});

test('without traffic it speaks of packages only', () => {
  const said: string[] = [];
  let time = 0;
  const tell = sayProgress({ now: () => time, isInteractive: false, say: text => said.push(text) });
  time = 4000;
  tell({ done: 1, total: 2, received: 0 });
  assert.deepEqual(said, ['installing 1 of 2 packages']);
});
