import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, temporaryFolder } from '../support/run';

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

suite('up stays up', () => {
  test('registry out of reach: the last release that started well, loudly', async t => {
    const { registry, run, cwd } = await world(t, ['1.0.0']);
    const first = await run(['up', '--strict']);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /this is 1\.0\.0/);
    const before = readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8');
    await registry.close();
    const offline = await run(['up']);
    assert.equal(offline.code, 0, offline.stderr);
    assert.match(offline.stdout, /this is 1\.0\.0/);
    assert.match(
      offline.stderr,
      /warning: starting @acme\/backend 1\.0\.0, which is on disk and started well, instead: REGISTRY_UNREACHABLE/,
    );
    assert.doesNotMatch(offline.stderr, /trying again/);
    assert.equal(readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8'), before);
    const npmrc = readFileSync(join(cwd, '.npmrc'), 'utf8');
    const wrong = await run(['up'], { BACKEND_REGISTRY: 'http://127.0.0.1:1/' });
    assert.match(wrong.stdout, /this is 1\.0\.0/);
    assert.equal(readFileSync(join(cwd, '.npmrc'), 'utf8'), npmrc, 'only what the start needs');
    const pinned = await run(['up'], { BACKEND_VERSION: '2.0.0' });
    assert.match(pinned.stdout, /this is 1\.0\.0/);
  });

  test('registry out of reach before any start: what is on disk, and no word of how it starts', async t => {
    const { registry, run } = await world(t, ['1.0.0']);
    assert.equal((await run(['setup'])).code, 0);
    await registry.close();
    const offline = await run(['up']);
    assert.match(offline.stdout, /this is 1\.0\.0/);
    assert.match(offline.stderr, /starting @acme\/backend 1\.0\.0, which is on disk, instead: /);
  });

  test('--strict, or nothing on disk: the failure', async t => {
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

  test('a new version that ends at once again and again makes way for the good one', async t => {
    const { publish, run, status } = await world(t, ['1.0.0']);
    assert.equal((await run(['up'])).code, 0);
    publish('2.0.0');
    for (let i = 0; i < 3; i++) {
      const crash = await run(['up'], { CODE_2: '1' });
      assert.deepEqual(
        [crash.code, crash.stdout.includes('this is 2.0.0')],
        [1, true],
        crash.stderr,
      );
    }
    const back = await run(['up'], { CODE_2: '1' });
    assert.match(back.stdout, /this is 1\.0\.0/);
    assert.match(
      back.stderr,
      /warning: .*2\.0\.0 ended at once whenever it started, last with 1 after .*; to try 2\.0\.0 again: npx bootlace use 2\.0\.0\n/,
    );
    assert.match(
      (await run(['status'])).stdout,
      /2\.0\.0 was passed over at \d[^ ]+: 2\.0\.0 ended .* at \d.*use 2\.0\.0/,
    );
    const { releases, version, wanted } = await status();
    assert.deepEqual([version, wanted.from], ['1.0.0', 'up']);
    assert.match(wanted.why, /went back: 2\.0\.0 ended at once/);
    assert.match(releases[1].runs.passedOver.why, /2\.0\.0 ended at once/);
    assert.match(releases[1].runs.ended, /^with 1 after \d/);

    const strict = await run(['up', '--strict'], { CODE_2: '1' });
    assert.match(strict.stdout, /this is 2\.0\.0/);
    assert.equal((await run(['use', '2.0.0'])).code, 0);
    const again = await run(['up'], { CODE_2: '1' });
    assert.match(again.stdout, /this is 2\.0\.0/, 'what the warning says to type');
    publish('3.0.0');
    const next = await run(['up']);
    assert.match(next.stdout, /this is 3\.0\.0/, 'a newer version gets its own chance');
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
    test(`a release that lost ${what}: setup installs it again, up without the registry passes it over`, async t => {
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
      assert.deepEqual([offline.code, offline.stdout.trim()], [0, 'this is 1.0.0'], offline.stderr);
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
      assert.match(up.stderr, new RegExp(`instead: ${said}`));
      assert.ok(performance.now() - begun < 30_000, 'a host waits a minute for its port');
    });

  test('a 100-fold crash loop keeps the good release and a bounded record', async t => {
    const { publish, run, cwd, status } = await world(t, ['1.0.0']);
    assert.equal((await run(['up'])).code, 0);
    const good = (await status()).releases[0].name;
    const crash = { CODE_1: '1', CODE_2: '1', CODE_3: '1', CODE_4: '1', CODE_5: '1', CODE_6: '1' };
    for (let i = 0; i < 100; i++) {
      if (i % 20 === 0) publish(`${2 + i / 20}.0.0`);
      assert.equal((await run(['up'], crash)).code, 1);
      assert.ok(existsSync(join(cwd, '.bootlace', 'releases', good)), `lost after ${i + 1}`);
    }
    const root = join(cwd, '.bootlace');
    assert.ok(statSync(join(root, 'starts.log')).size < 33_000);
    assert.ok(readdirSync(join(root, 'releases')).length <= 7);
    const after = await run(['up']);
    assert.deepEqual([after.code, after.stdout.includes('this is 1.0.0')], [0, true], after.stderr);
  });
});
