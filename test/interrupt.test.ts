import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptible } from '../src/signals';

test('a signal during a step that awaits nothing keeps the next program from starting', async () => {
  let started = false;
  const outcome = await interruptible(() => {
    process.kill(process.pid, 'SIGTERM');
    return {
      finally: () => {
        started = true;
      },
    };
  });
  assert.deepEqual([outcome, started], [143, false]);
});

test('a command that was done before the signal came stands', async () => {
  assert.equal(await interruptible(() => 0), 0);
  const next = { finally: () => {} };
  assert.equal(await interruptible(() => next), next);
});
