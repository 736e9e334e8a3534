import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpack } from '../../src/install/unpack';
import type { Unpacker } from '../../src/install/unpacker';
import { FakeRegistry } from '../support/fake-registry';
import { configFor, installIn, parseLockfile } from '../support/locked';
import { temporaryFolder } from '../support/run';

const count = 120;

async function world(t: { after(fn: () => unknown): void }) {
  const registry = await FakeRegistry.start({ redirectTarballs: false });
  t.after(() => registry.close());
  const packages: Record<string, object> = { '': {} };
  for (let i = 0; i < count; i++) {
    const name = `p${i}`;
    const { integrity } = registry.publish({ name, version: '1.0.0' });
    const resolved = registry.tarballUrl(name, '1.0.0');
    packages[`node_modules/${name}`] = { version: '1.0.0', resolved, integrity };
  }
  const lock = parseLockfile(JSON.stringify({ lockfileVersion: 3, packages }), 'the lock');
  return { registry, lock, config: configFor(registry.url) };
}

test('downloads stop while too many bytes wait to be unpacked, and go on after', async t => {
  const { registry, lock, config } = await world(t);
  const queue: (() => void)[] = [];
  let isHeld = true;
  // Each tarball counts as 100 kB, so that 1 MB are reached with the first ones.
  const unpacker: Unpacker = {
    run: job =>
      new Promise(resolve => {
        const go = () => resolve(unpack(job));
        if (isHeld) queue.push(go);
        else go();
      }),
    held: () => queue.length * 100_000,
    close: async () => {},
  };
  const running = installIn(temporaryFolder(t), { lock, config, unpacker });
  while (queue.length < 24) await new Promise(resolve => setTimeout(resolve, 10));
  await new Promise(resolve => setTimeout(resolve, 200));
  // 24 at a time, and those that were asked for before 1 MB were there.
  assert.ok(registry.requests.length <= 24 + 11, String(registry.requests.length));
  assert.equal(queue.length, registry.requests.length);
  isHeld = false;
  for (const go of queue.splice(0)) go();
  assert.equal((await running).files, count);
  assert.equal(registry.requests.length, count);
});

test('while downloads wait for room a failure still ends the install', async t => {
  const { registry, lock, config } = await world(t);
  registry.misbehave({ match: /download\/p23\//, times: 9, delayMs: 300, status: 404 });
  let waiting = 0;
  const unpacker: Unpacker = {
    run(job) {
      waiting++;
      return new Promise(resolve => {
        setTimeout(() => {
          waiting--;
          resolve(unpack(job));
        }, 1000);
      });
    },
    held: () => waiting * 100_000,
    close: async () => {},
  };
  const running = installIn(temporaryFolder(t), { lock, config, unpacker });
  await assert.rejects(running, { code: 'DEPENDENCY_NOT_FOUND' });
  assert.ok(registry.requests.length <= 24 + 11, String(registry.requests.length));
});
