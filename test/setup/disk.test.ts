import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { sourceOf } from '../support/launched';
import { bin, bootlace, cleanEnv, runNode, temporaryFolder } from '../support/run';

type Context = { after(fn: () => unknown): void };

/** A folder with a release on disk that is pinned. */
async function world(t: Context) {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  registry.publish(
    { name: '@acme/backend', version: '1.0.0', main: 'main.js' },
    { 'main.js': 'console.log("this is 1.0.0")' },
  );
  const cwd = temporaryFolder(t);
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_VERSION: '1.0.0',
    BACKEND_REGISTRY: registry.url,
    npm_config_registry: registry.url,
  };
  const run = (words: string[], uid?: number) => bootlace(words, { cwd, env, uid });
  const setup = await run(['setup']);
  assert.equal(setup.code, 0, setup.stderr);
  /** With files of at most so many blocks of 1024 bytes. */
  const within = (blocks: number, words: string) =>
    spawnSync(
      'bash',
      ['-c', `ulimit -f ${blocks}; exec "$0" "$1" ${words}`, process.execPath, bin],
      {
        cwd,
        env: cleanEnv(env),
        encoding: 'utf8',
      },
    );
  return { registry, env, cwd, run, within };
}

const isRoot = process.getuid?.() === 0;

suite('a disk that takes less than all', { skip: process.platform === 'win32' }, () => {
  test('a file that fits in part only keeps its old content', async t => {
    const { cwd, run, within } = await world(t);
    const launcher = join(cwd, '.bootlace', 'launcher.cjs');
    const older = `${readFileSync(launcher, 'utf8')}// older\n`;
    writeFileSync(launcher, older);
    const { status, signal } = within(8, 'setup');
    assert.notEqual(status, 0);
    assert.equal(signal === null || signal === 'SIGXFSZ', true);
    assert.equal(readFileSync(launcher, 'utf8') === older, true, 'launcher.cjs is whole');
    assert.equal((await run(['setup'])).code, 0);
    assert.equal(`${readFileSync(launcher, 'utf8')}// older\n`, older);
  });

  test('a release that is active and wanted starts in a folder that cannot be written', {
    skip: !isRoot && 'needs another user',
  }, async t => {
    const { cwd, run } = await world(t);
    const server = join(cwd, 'server.js');
    chmodSync(cwd, 0o755);
    const nobody = 65534;
    const current = readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8');
    const up = await run(['up'], nobody);
    assert.deepEqual([up.code, up.stdout], [0, 'this is 1.0.0\n'], up.stderr);
    assert.equal(readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8'), current);
    // What would have to change something still says so.
    writeFileSync(server, readFileSync(server, 'utf8').replace(/launcher \S+/, 'launcher 0.0.1'));
    const refused = await run(['up'], nobody);
    assert.deepEqual([refused.code, /NOT_WRITABLE/.test(refused.stderr)], [8, true]);
  });
});

/** Runs bootlace in a copy of a folder on a disk of its own, mounted with these options. */
async function onDisk(cwd: string, env: Record<string, string>, mount: string, words: string[]) {
  const script = `cp -a "$1" "$1.copy" && mount -t tmpfs -o size=1500k none "$1" && cp -a "$1.copy/." "$1" && rm -r "$1.copy" && cd "$1" && ${mount} && shift && exec "$@"`;
  const command = ['sh', '-c', script, 'sh', cwd, process.execPath, bin, ...words];
  const ended = await runNode('--mount', command, { node: 'unshare', cwd, env });
  return /unshare:|mount:/.test(ended.stderr) ? undefined : ended;
}
const noMounts = 'this machine allows no mounts';

suite('a full disk', { skip: process.platform !== 'linux' }, () => {
  /** A release on disk that started well, and a newer version with many packages that does not fit. */
  async function fullWorld(t: Context) {
    const { registry, cwd, env, run } = await world(t);
    assert.equal((await run(['up'])).code, 0);
    const packages: Record<string, unknown> = {};
    const dependencies: Record<string, string> = {};
    for (let i = 0; i < 60; i++) {
      const name = `left${i}`;
      const content = { 'index.js': randomBytes(60_000) };
      const { integrity } = registry.publish({ name, version: '1.0.0' }, content);
      const resolved = registry.tarballUrl(name, '1.0.0');
      packages[`node_modules/${name}`] = { version: '1.0.0', resolved, integrity };
      dependencies[name] = '1.0.0';
    }
    const manifest = { name: '@acme/backend', version: '2.0.0', main: 'main.js', dependencies };
    const lock = {
      lockfileVersion: 3,
      packages: { '': { name: '@acme/backend', dependencies }, ...packages },
    };
    registry.publish(manifest, {
      'main.js': 'console.log("this is 2.0.0")',
      'bootlace-lock.json': JSON.stringify(lock),
    });
    return { cwd, env: { ...env, BACKEND_VERSION: '2.0.0' } };
  }

  for (const words of [['setup'], ['setup', '--installer', 'npm'], ['up']])
    test(`${words.join(' ')}: says so, once`, async t => {
      const { cwd, env } = await fullWorld(t);
      const ended = await onDisk(cwd, env, 'true', words);
      if (!ended) return t.skip(noMounts);
      assert.equal(ended.code, 8, ended.stderr);
      assert.match(ended.stderr, /DISK_FULL: the disk is full[\s\S]*fix: make room/);
      assert.doesNotMatch(ended.stderr, /trying again|a bug/);
    });

  test('up starts the active release where that satisfies the wish', async t => {
    const { cwd, env } = await fullWorld(t);
    const ended = await onDisk(cwd, { ...env, BACKEND_VERSION: 'latest' }, 'true', ['up']);
    if (!ended) return t.skip(noMounts);
    assert.deepEqual([ended.code, ended.stdout], [0, 'this is 1.0.0\n'], ended.stderr);
    assert.match(ended.stderr, /warning: starting the active .*1\.0\.0: DISK_FULL/);
  });
});

suite('a disk that is mounted read-only', { skip: process.platform !== 'linux' }, () => {
  const readOnly = 'mount -o remount,ro .';

  test('up of a newer version: what is there', async t => {
    const { cwd, env, registry } = await world(t);
    registry.publish(
      { name: '@acme/backend', version: '1.1.0', main: 'main.js' },
      { 'main.js': '' },
    );
    const ended = await onDisk(cwd, { ...env, BACKEND_VERSION: 'latest' }, readOnly, ['up']);
    if (!ended) return t.skip(noMounts);
    assert.deepEqual([ended.code, ended.stdout], [0, 'this is 1.0.0\n'], ended.stderr);
    assert.match(ended.stderr, /warning: starting the active .*: NOT_WRITABLE:\n.*EROFS/);
  });

  test('up of a newer version with another entry: it cannot be noted, so nothing starts', async t => {
    const { cwd, env, registry } = await world(t);
    registry.publish(
      { name: '@acme/backend', version: '1.1.0', main: 'main.js' },
      { 'main.js': '' },
    );
    const asked = { ...env, BACKEND_VERSION: 'latest' };
    for (const words of [
      ['--args', 'a'],
      ['--token-env', 'MY_TOKEN'],
    ]) {
      const ended = await onDisk(cwd, asked, readOnly, ['up', ...words]);
      if (!ended) return t.skip(noMounts);
      assert.deepEqual([ended.code, ended.stdout], [8, ''], ended.stderr);
      assert.match(ended.stderr, /bootlace: NOT_WRITABLE: .*EROFS/);
    }
  });

  test('nothing set up: the true reason', async t => {
    const cwd = temporaryFolder(t);
    const source = sourceOf(t, { 'dist/main.js': '' });
    const ended = await onDisk(cwd, {}, readOnly, ['setup', '--from', source]);
    if (!ended) return t.skip(noMounts);
    assert.equal(ended.code, 8);
    assert.match(ended.stderr, /NOT_WRITABLE: .*\.bootlace \(EROFS\)\n {2}fix: mount it writable/);
  });
});

suite('something else in the place of .bootlace', () => {
  for (const [what, put] of Object.entries({
    'a file': (path: string) => writeFileSync(path, 'mine'),
    'a link to nowhere': (path: string) => symlinkSync(`${path}-gone/nowhere`, path),
    'a link to itself': (path: string) => symlinkSync(path, path),
  }))
    test(what, async t => {
      const cwd = temporaryFolder(t);
      const place = join(cwd, '.bootlace');
      put(place);
      const source = sourceOf(t, { 'dist/main.js': '' });
      const { code, stderr } = await bootlace(['setup', '--from', source], { cwd });
      assert.equal(code, 8);
      assert.match(
        stderr,
        /NOT_WRITABLE: cannot write .*\.bootlace[\s\S]*fix: move away what is in its place/,
      );
      assert.deepEqual(readdirSync(cwd), ['.bootlace'], 'nothing is lost or left');
    });
});
