import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, runNode, temporaryFolder } from '../support/run';

type Context = { after(fn: () => void): void };

/** Says its version and ends with the code of its variable, 0 for what started well. */
const main = (version: string) =>
  `console.log('this is ${version}'); process.exitCode = Number(process.env['CODE_${version[0]}'] ?? 0)`;

async function world(t: Context & { after(fn: () => Promise<void>): void }, versions: string[]) {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  const publish = (version: string) =>
    registry.publish(
      { name: '@acme/backend', version, main: 'main.js' },
      { 'main.js': main(version), 'index.js': 'console.log("no substitute")' },
    );
  for (const version of versions) publish(version);
  const cwd = temporaryFolder(t);
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    npm_config_registry: registry.url,
  };
  const run = (words: string[], more: Record<string, string> = {}) =>
    bootlace(words, { cwd, env: { ...env, ...more } });
  const status = async () => JSON.parse((await run(['status', '--json'])).stdout);
  return { registry, publish, cwd, run, status };
}

// Some ask a registry that is away for a minute, so several wait at a time.
suite('up starts what is wanted or nothing', { concurrency: 4 }, () => {
  // Installed 1.4.0 by the tag latest; then the registry is away.
  const wishes: [wish: string | undefined, code: number][] = [
    [undefined, 0],
    ['latest', 0],
    ['next', 0],
    ['1.4.0', 0],
    ['v1.4.0', 0],
    ['^1.2.0', 0],
    ['1.x', 0],
    // One only, since it asks again for a minute; test/settings has the others.
    ['2.0.0', 7],
  ];
  test('the registry is out of reach', async t => {
    const { registry, run, cwd } = await world(t, ['1.4.0']);
    assert.equal((await run(['up'])).code, 0);
    const current = join(cwd, '.bootlace', 'current.json');
    const before = readFileSync(current, 'utf8');
    const npmrc = readFileSync(join(cwd, '.npmrc'), 'utf8');
    await registry.close();
    for (const [wish, code] of wishes) {
      const up = await run(['up'], wish === undefined ? {} : { BACKEND_VERSION: wish });
      assert.equal(up.code, code, `${wish}: ${up.stderr}`);
      assert.equal(up.stdout, code === 0 ? 'this is 1.4.0\n' : '', `${wish}`);
      const isPin = /^v?1\.4\.0$/.test(wish ?? '');
      const warnings = up.stderr.match(/warning: .*\n/g) ?? [];
      if (code !== 0) continue;
      assert.equal(warnings.length, isPin ? 0 : 1, up.stderr);
      if (warnings[0])
        assert.match(warnings[0], /starting the active @acme\/backend 1\.4\.0: REGIS/);
    }
    const releaseOf = (text: string) => JSON.parse(text).active;
    assert.equal(releaseOf(readFileSync(current, 'utf8')), releaseOf(before));
    const wrong = await run(['up'], { BACKEND_REGISTRY: 'http://127.0.0.1:1/' });
    assert.equal(wrong.stdout, 'this is 1.4.0\n');
    assert.equal(readFileSync(join(cwd, '.npmrc'), 'utf8'), npmrc, 'only what the start needs');
    const other = await run(['up'], { BACKEND_PACKAGE: '@acme/other' });
    assert.deepEqual([other.code, other.stdout], [7, '']);
    rmSync(join(cwd, 'server.js'));
    assert.equal((await run(['up'])).stdout, 'this is 1.4.0\n', 'writes server.js again');
  });

  test('the registry is out of reach: the settings of now count, those of the setup do not', async t => {
    const { registry, run, cwd } = await world(t, ['1.4.0']);
    const says = (name: string) =>
      `console.log('${name}', process.env.MY_TOKEN, process.argv.slice(2).join())`;
    registry.publish(
      {
        name: '@acme/backend',
        version: '1.5.0',
        main: 'main.js',
        bootlace: { roles: { web: 'main.js', worker: 'worker.js' } },
      },
      { 'main.js': says('main'), 'worker.js': says('worker'), 'other.js': says('other') },
    );
    assert.equal((await run(['up'])).stdout, 'main undefined \n');
    await registry.close();
    const cases: [config: object, words: string[], said: string][] = [
      // First the token: its variable was the backend's own at setup.
      [{ tokenEnv: 'MY_TOKEN' }, [], 'main undefined \n'],
      [{}, ['--token-env', 'MY_TOKEN'], 'main undefined \n'],
      [{ entry: 'other.js' }, [], 'other t0ken-of-mine \n'],
      [{}, ['--entry', 'worker'], 'worker t0ken-of-mine \n'],
      [{ args: ['a', 'b'] }, [], 'main t0ken-of-mine a,b\n'],
      [{}, [], 'main t0ken-of-mine \n'],
    ];
    writeFileSync(join(cwd, '.env'), 'MY_TOKEN=t0ken-of-mine\n');
    for (const [config, words, said] of cases) {
      writeFileSync(join(cwd, 'bootlace.json'), JSON.stringify(config));
      const up = await run(['up', ...words]);
      assert.deepEqual([up.code, up.stdout], [0, said], up.stderr);
      assert.match(up.stderr, /warning: starting the active @acme\/backend 1\.5\.0: REGIS/);
      assert.equal((await run(['start'])).stdout, said, 'a restart starts the same');
    }
  });

  test('a local build is no published version, whatever number it has', async t => {
    const { registry, run, cwd } = await world(t, ['1.4.0']);
    const build = join(cwd, 'build');
    mkdirSync(build);
    const json = { name: '@acme/backend', version: '1.4.0', main: 'main.js' };
    writeFileSync(join(build, 'package.json'), JSON.stringify(json));
    writeFileSync(join(build, 'main.js'), 'console.log("a local build")');
    assert.equal((await run(['setup', '--from', 'build'])).code, 0);
    assert.equal((await run(['start'])).stdout, 'a local build\n');
    await registry.close();
    for (const wish of ['1.4.0', 'latest']) {
      const up = await run(['up'], { BACKEND_VERSION: wish });
      assert.deepEqual([up.code, up.stdout], [7, ''], up.stderr);
    }
  });

  test('nothing on disk, or a failure that is no lost network: the failure', async t => {
    const { registry, run } = await world(t, ['1.0.0']);
    registry.misbehave({ match: /backend/, status: 404, body: '{}' });
    assert.equal((await run(['up'])).code, 5, 'a wrong name is no lost network');
    registry.behave();
    assert.equal((await run(['up'])).code, 0);
    registry.misbehave({ match: /backend/, status: 401, body: '{}' });
    const refused = await run(['up']);
    assert.equal(refused.code, 4, 'a refused token must be seen');
    assert.equal(refused.stdout, '');
  });

  test('another setup between the setup and the start: its version is not started', async t => {
    const { run, cwd, publish } = await world(t, ['1.0.0']);
    assert.equal((await run(['setup'])).code, 0);
    const { active } = JSON.parse(readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8'));
    publish('2.0.0');
    assert.equal((await run(['setup'])).code, 0);
    const start = (expected: string) =>
      runNode(join(cwd, 'server.js'), [], { cwd, env: { BOOTLACE_EXPECTED_RELEASE: expected } });
    const other = await start(active);
    assert.deepEqual([other.code, other.stdout], [8, '']);
    assert.match(other.stderr, /RELEASE_CHANGED: another setup has activated 2\.0\.0-\w+ in place/);
    assert.match((await run(['up'])).stdout, /this is 2\.0\.0/);
  });

  test('a version that crashes is started again: another one is not what is wanted', async t => {
    const { publish, run } = await world(t, ['1.0.0']);
    assert.equal((await run(['up'])).code, 0);
    publish('2.0.0');
    for (let i = 0; i < 4; i++) {
      const crash = await run(['up'], { CODE_2: '1' });
      assert.deepEqual([crash.code, crash.stdout], [1, 'this is 2.0.0\n'], crash.stderr);
    }
  });

  test('use: by version, previous, and what is not there', async t => {
    const { publish, run, status } = await world(t, ['1.0.0']);
    await run(['setup']);
    const alone = await run(['use', 'previous']);
    assert.equal(alone.code, 5);
    assert.match(alone.stderr, /no release was active before this one[\s\S]*candidates: 1\.0\.0/);
    assert.match((await run(['use', ''])).stderr, /VERSION_MISSING/);
    publish('2.0.0');
    await run(['setup']);
    const previous = await run(['use', 'previous']);
    assert.equal(previous.code, 0);
    assert.match(previous.stdout, /to stay with it, set BACKEND_VERSION=1\.0\.0/);
    assert.match((await run(['start'])).stdout, /this is 1\.0\.0/);
    assert.equal((await run(['use', 'v2.0.0'])).code, 0);
    assert.equal((await status()).version, '2.0.0');
    const missing = await run(['use', '9.0.0']);
    assert.equal(missing.code, 5);
    assert.match(missing.stderr, /RELEASE_NOT_FOUND[\s\S]*candidates: 2\.0\.0, 1\.0\.0/);
    assert.equal((await run(['use'])).code, 2);
  });

  for (const [what, damage] of [
    ['its entry', (backend: string) => rmSync(join(backend, 'main.js'))],
    ['its package.json', (backend: string) => writeFileSync(join(backend, 'package.json'), '')],
  ] as const)
    test(`a release that lost ${what}: setup installs it again, up without the registry ends with 7`, async t => {
      const { registry, publish, run, cwd, status } = await world(t, ['1.0.0']);
      assert.equal((await run(['up'])).code, 0);
      publish('2.0.0');
      assert.match((await run(['up'])).stdout, /this is 2\.0\.0/);
      const { releases } = await status();
      const active = join(cwd, '.bootlace', 'releases', releases[0].name);
      const backend = join(active, 'node_modules', '@acme', 'backend');
      damage(backend);
      const again = await run(['setup']);
      assert.equal(again.code, 0, again.stderr);
      assert.match(again.stdout, /installed 1 package/);
      assert.match((await run(['start'])).stdout, /this is 2\.0\.0/);
      assert.equal((await run(['status', '--verify'])).code, 0);
      damage(backend);
      await registry.close();
      const offline = await run(['up']);
      assert.deepEqual([offline.code, offline.stdout], [7, ''], offline.stderr);
    });

  test('use leaves a damaged release, too', async t => {
    const { registry, publish, run, cwd, status } = await world(t, ['1.0.0']);
    await run(['setup']);
    publish('2.0.0');
    await run(['setup']);
    const { releases } = await status();
    await registry.close();
    writeFileSync(join(cwd, '.bootlace', 'releases', releases[0].name, 'release.json'), '');
    assert.equal((await run(['start'])).code, 5);
    assert.equal((await run(['use', 'previous'])).code, 0);
    assert.match((await run(['start'])).stdout, /this is 1\.0\.0/);
    writeFileSync(join(cwd, '.bootlace', 'current.json'), '');
    assert.equal((await run(['use', '1.0.0'])).code, 0);
    assert.match((await run(['start'])).stdout, /this is 1\.0\.0/);
  });

  const page = { body: '<html>log in</html>', headers: { 'content-type': 'text/html' } };
  for (const [what, answer, said] of [
    ['an error', { status: 503 }, 'REGISTRY_ERROR'],
    ['a login page', { status: 200, ...page }, 'REGISTRY_BAD_ANSWER'],
  ] as const)
    test(`${what} in place of a tarball: soon what is on disk`, async t => {
      const { registry, publish, run } = await world(t, ['1.0.0']);
      assert.equal((await run(['up'])).code, 0);
      publish('2.0.0');
      registry.misbehave({ match: /download|\.tgz/, ...answer });
      const begun = performance.now();
      const up = await run(['up']);
      assert.match(up.stdout, /this is 1\.0\.0/, up.stderr);
      assert.match(up.stderr, new RegExp(`starting the active .* 1\\.0\\.0: ${said}`));
      assert.ok(performance.now() - begun < 30_000, 'a host waits a minute for its port');
    });
});
