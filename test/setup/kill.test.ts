import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const releases = join(dir, '.bootlace/releases');
  // The npm of a setup that was just killed may write into its stage for some seconds yet.
  for (let tries = 0; tries < 10; tries++) {
    for (const name of stagesIn(releases))
      utimesSync(join(releases, name), hoursAgo(1), hoursAgo(1));
    assert.equal((await setup()).code, 0);
    if (stagesIn(releases).length === 0) break;
    await sleep(1000);
  }
  assert.deepEqual(stagesIn(releases), []);
});

const hoursAgo = (hours: number) => Date.now() / 1000 - hours * 3600;
const stagesIn = (releases: string) =>
  readdirSync(releases)
    .filter(name => name.startsWith('.'))
    .sort();

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

test('what a killed setup left goes by its age, also when there is nothing to install', async t => {
  const { dir, setup } = await world(t);
  const releases = join(dir, '.bootlace/releases');
  const logs = join(dir, '.bootlace/cache/logs');
  mkdirSync(logs, { recursive: true });
  const left: string[] = [];
  const leftLogs: string[] = [];
  for (const [minutes, isLeft, isLogLeft] of [
    [0, true, true],
    // A running setup touches its stage every 15 seconds.
    [2, true, true],
    [4, false, true],
    [130, false, false],
  ] as const) {
    const stage = `.stage-${minutes}`;
    const log = `setup-${minutes}.log`;
    mkdirSync(join(releases, stage, 'work'), { recursive: true });
    writeFileSync(join(logs, log), '');
    for (const path of [join(releases, stage), join(logs, log)])
      utimesSync(path, hoursAgo(minutes / 60), hoursAgo(minutes / 60));
    if (isLeft) left.push(stage);
    if (isLogLeft) leftLogs.push(log);
  }
  assert.equal((await setup()).code, 0);
  assert.deepEqual(stagesIn(releases), left);
  assert.deepEqual(readdirSync(logs).sort(), leftLogs);
});

test('setups of different versions at the same time: both end right, and a whole release starts', async t => {
  const { publish, dir, env } = await world(t);
  const versions = ['2.0.0', '3.0.0', '4.0.0'];
  for (const version of versions) publish(version);
  for (let i = 0; i < 4; i++) {
    const ended = await Promise.all(
      versions.map(version => bootlace(['setup', '--backend-version', version], { cwd: dir, env })),
    );
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    const current = JSON.parse(readFileSync(join(dir, '.bootlace/current.json'), 'utf8'));
    for (const name of [current.active, ...current.previous])
      assert(existsSync(join(dir, '.bootlace/releases', name, 'release.json')), name);
    assert.equal((await runNode(join(dir, 'server.js'), [], { cwd: dir })).code, 0);
    assert.deepEqual(stagesIn(join(dir, '.bootlace/releases')), []);
  }
});

test('a setup keeps its stage while one in another container runs', async t => {
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
