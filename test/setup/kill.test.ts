import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownLabel } from '../../src/release/owner';
import { FakeRegistry } from '../support/fake-registry';
import { bin, bootlace, runNode, temporaryFolder } from '../support/run';

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

/** A version that is set up in a new folder, and how to run setup there again. */
async function world(t: { after(fn: () => unknown): void }) {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  const publish = (version: string) =>
    registry.publish({ name: '@acme/backend', version, main: 'main.js' }, { 'main.js': '' });
  publish('1.0.0');
  const dir = temporaryFolder(t);
  const env = { BACKEND_PACKAGE: '@acme/backend', BACKEND_REGISTRY: registry.url };
  const setup = (...words: string[]) => bootlace(['setup', ...words], { cwd: dir, env });
  assert.equal((await setup()).code, 0);
  return { registry, publish, dir, env, setup };
}

const [host, , where, began] = ownLabel().split('-');
const dead = spawnSync('true').pid;
const hoursAgo = (hours: number) => Date.now() / 1000 - hours * 3600;

test('what a killed setup left goes, also when there is nothing to install', async t => {
  const { dir, setup } = await world(t);
  const releases = join(dir, '.bootlace/releases');
  const logs = join(dir, '.bootlace/cache/logs');
  mkdirSync(logs, { recursive: true });
  const owners: [label: string, hours: number, stays: boolean][] = [
    [ownLabel(), 0, true],
    [ownLabel(), 9, true],
    [`${host}-${dead}-${where}-${began}`, 0, false],
    // The same number as before, in a container that was started again.
    [`${host}-${process.pid}-${where}-1`, 0, false],
    // In another container, whose processes cannot be seen.
    [`${host}-${dead}-0123456789-${began}`, 0, true],
    [`${host}-${dead}-0123456789-${began}`, 9, false],
    // Of an earlier bootlace.
    [`${host}-${process.pid}`, 1, true],
    [`${host}-${process.pid}`, 9, false],
  ];
  const left: string[] = [];
  for (const [i, [label, hours, stays]] of owners.entries()) {
    const stage = `.stage-${label}-abcde${i}`;
    mkdirSync(join(releases, stage, 'work'), { recursive: true });
    utimesSync(join(releases, stage), hoursAgo(hours), hoursAgo(hours));
    if (stays) left.push(stage);
  }
  writeFileSync(join(logs, `setup-${ownLabel()}.log`), '');
  writeFileSync(join(logs, `setup-${host}-${dead}-${where}-${began}.log`), '');
  assert.equal((await setup()).code, 0);
  assert.deepEqual(
    readdirSync(releases).filter(name => name.startsWith('.')),
    left.sort(),
  );
  assert.deepEqual(readdirSync(logs), [`setup-${ownLabel()}.log`]);
});

test('a lock that a killed container left holds nobody up', async t => {
  const { dir, setup } = await world(t);
  const lock = join(dir, '.bootlace/activate.lock');
  for (const owner of [
    `${host}-${dead}-${where}-${began}`,
    `${host}-${process.pid}-${where}-1`,
    `${host}-1-0123456789-${began}`,
  ]) {
    writeFileSync(lock, owner);
    const begun = Date.now();
    const { code, stderr } = await setup('--args', owner.replace(/\W/g, ''));
    assert.equal(code, 0, stderr);
    assert(Date.now() - begun < 12_000, `${owner} was waited for`);
  }
});

test('a setup keeps its stage while one in another container, with the same host name, runs', async t => {
  const { registry, publish, dir, env } = await world(t);
  publish('2.0.0');
  registry.misbehave({ match: /download.*2\.0\.0/, times: 1, delayMs: 4000 });
  const first = bootlace(['setup'], { cwd: dir, env });
  const releases = join(dir, '.bootlace/releases');
  while (!readdirSync(releases).some(name => name.startsWith('.')))
    await new Promise(resolve => setTimeout(resolve, 50));
  const other = await runNode(
    '--pid',
    ['--fork', '--mount-proc', process.execPath, bin, 'setup', '--backend-version', '1.0.0'],
    { node: 'unshare', cwd: dir, env },
  );
  const { code, stderr } = await first;
  if (/unshare:/.test(other.stderr)) return t.skip('this machine allows no namespaces');
  assert.deepEqual([other.code, code], [0, 0], other.stderr + stderr);
});

test('a stopped run leaves no log', async t => {
  const { registry, publish, dir, env } = await world(t);
  const temporary = temporaryFolder(t);
  const source = temporaryFolder(t);
  registry.publish({ name: 'left', version: '1.0.0' });
  const manifest = { name: 'app', version: '1.0.0', dependencies: { left: '1.0.0' } };
  writeFileSync(join(source, 'package.json'), JSON.stringify(manifest));
  publish('2.0.0');
  const more = { ...env, TMPDIR: temporary, npm_config_registry: registry.url };
  for (const [cwd, words, logs] of [
    [source, ['lock'], temporary],
    [dir, ['setup', '--from', source, '--package', 'app'], join(dir, '.bootlace/cache/logs')],
  ] as const) {
    registry.misbehave({ match: /left/, times: 1, delayMs: 3000 });
    const hasLog = () => existsSync(logs) && readdirSync(logs).some(name => name.endsWith('.log'));
    const { code, stderr } = await bootlace(words, {
      cwd,
      env: more,
      onSpawn: async child => {
        for (let i = 0; i < 200 && !hasLog(); i++)
          await new Promise(resolve => setTimeout(resolve, 20));
        child.kill('SIGTERM');
      },
    });
    assert.equal(code, 143, stderr);
    assert.equal(hasLog(), false);
  }
});
