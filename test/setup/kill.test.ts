import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostLabel } from '../../src/release/owner';
import { stagePrefix } from '../../src/release/stage';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, runNode, temporaryFolder } from '../support/run';

const kills = 50;

test(`setup killed by SIGKILL at ${kills} random moments: a whole release starts each time`, async t => {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  const publish = (version: string) =>
    registry.publish(
      { name: '@acme/backend', version, main: 'main.js' },
      {
        'main.js': `console.log("ready", require("./package.json").version, require("./data.json").length)`,
        'data.json': JSON.stringify(Array(5000).fill(1)),
      },
    );
  const dir = temporaryFolder(t);
  const env = { BACKEND_PACKAGE: '@acme/backend', BACKEND_REGISTRY: registry.url };
  const setup = (onSpawn?: Parameters<typeof bootlace>[1]['onSpawn']) =>
    bootlace(['setup'], { cwd: dir, env, onSpawn });
  const start = async () => (await runNode(join(dir, 'server.js'), [], { cwd: dir })).stdout.trim();

  publish('1.0.0');
  assert.equal((await setup()).code, 0);
  let usualMs = 2000;
  let killed = 0;
  for (let i = 1; killed < kills; i++) {
    assert(i < 4 * kills, 'too few setups are still running when the signal comes');
    const before = (await start()).split(' ')[1];
    publish(`1.${i}.0`);
    const moment = Math.random() * usualMs;
    const begun = Date.now();
    const ended = await setup(child => setTimeout(() => child.kill('SIGKILL'), moment));
    if (ended.signal === 'SIGKILL') killed++;
    else usualMs = Math.min(usualMs, Date.now() - begun);
    const after = await start();
    assert.match(after, /^ready 1\.\d+\.0 5000$/, `killed after ${moment} ms`);
    if (ended.signal === 'SIGKILL') assert([before, `1.${i}.0`].includes(after.split(' ')[1]));
    // Every tenth time at once, else after more kills: no hand cleans up in between.
    if (i % 10 === 0) {
      assert.equal((await setup()).code, 0);
      assert.equal(await start(), `ready 1.${i}.0 5000`);
    }
  }
  assert.equal((await setup()).code, 0);
  assert.deepEqual(
    readdirSync(join(dir, '.bootlace/releases')).filter(name => name.startsWith('.')),
    [],
  );
});

test('what a killed setup left goes, also when there is nothing to install', async t => {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  registry.publish({ name: '@acme/backend', version: '1.0.0', main: 'main.js' }, { 'main.js': '' });
  const dir = temporaryFolder(t);
  const env = { BACKEND_PACKAGE: '@acme/backend', BACKEND_REGISTRY: registry.url };
  assert.equal((await bootlace(['setup'], { cwd: dir, env })).code, 0);
  const releases = join(dir, '.bootlace/releases');
  const stageOf = (pid: number | undefined) => `${stagePrefix}${hostLabel()}-${pid}-abcdef`;
  mkdirSync(join(releases, stageOf(spawnSync('true').pid), 'work'), { recursive: true });
  mkdirSync(join(releases, stageOf(process.pid)));
  assert.equal((await bootlace(['setup'], { cwd: dir, env })).code, 0);
  const left = readdirSync(releases).filter(name => name.startsWith('.'));
  assert.deepEqual(left, [stageOf(process.pid)], 'only the one whose process is alive');
});
