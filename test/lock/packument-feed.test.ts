import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { readTarball } from '../../src/install/read-tarball';
import { openPackumentFeed } from '../../src/lock/resolve/packument-feed';
import { createTransport } from '../../src/registry/transport';
import { FakeRegistry } from '../support/fake-registry';
import { configFor, fakeClock } from '../support/locked';
import { temporaryFolder } from '../support/run';
import { packageTarball } from '../support/tarball';

interface T {
  after(fn: () => unknown): void;
}

const token = 'npm_0123456789abcdefghijABCDEFGHIJ012345';

async function world(t: T, wanted: { name: string; spec: string }[] = [], token?: string) {
  const tokens = token === undefined ? undefined : { [token]: {} };
  const registry = await FakeRegistry.start({ redirectTarballs: false, tokens });
  t.after(() => registry.close());
  const publish = (name: string, version: string, more: object = {}, tarball?: Buffer) =>
    registry.publish({ name, version, ...more }, {}, { tarball });
  publish('a', '1.0.0', { dependencies: { b: '^1.0.0', other: 'npm:real@2' }, readme: 'long' });
  publish('b', '1.0.0', { optionalDependencies: { c: '*' }, scripts: { test: 't', install: 'i' } });
  publish('b', '2.0.0', { dependencies: { never: '1' } });
  publish('c', '1.0.0', {
    dependencies: { '../../-/v1/tokens': '1', 'x y': '1', far: 'https://acme.test/far.tgz' },
  });
  publish('real', '2.1.0', { dependencies: { inside: '1' }, bundleDependencies: ['inside'] });
  const open = async () => {
    const config = configFor(registry.url, token);
    const transport = createTransport(config.network);
    const feed = await openPackumentFeed(
      { config, io: fakeClock(), transport },
      temporaryFolder(t),
      wanted,
    );
    t.after(() => {
      feed.close();
      transport.close();
    });
    return feed;
  };
  const asked = () => registry.requests.map(({ path }) => path).sort();
  return { registry, publish, open, asked };
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; !done(); i++) {
    if (i === 500) throw new Error('it did not happen within 5 s');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

test('a tree is asked for ahead, each packument once, no name that is a path', async t => {
  const { open, asked } = await world(t, [{ name: 'a', spec: '^1.0.0' }]);
  const feed = await open();
  await until(() => asked().length === 4);
  for (const name of ['a', 'b', 'c', 'real'])
    assert.equal((await fetch(feed.url + name)).status, 200, name);
  await new Promise(resolve => setTimeout(resolve, 50));
  assert.deepEqual(asked(), ['a', 'b', 'c', 'real']);
});

test('npm gets what it reads of a packument and nothing to keep', async t => {
  const { open, registry } = await world(t);
  const feed = await open();
  const answer = await fetch(`${feed.url}a`);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const { versions, ...rest } = (await answer.json()) as { versions: Record<string, object> };
  assert.deepEqual(rest, { name: 'a', 'dist-tags': { latest: '1.0.0' } });
  const { dist, ...manifest } = versions['1.0.0'] as { dist: { tarball: string } };
  assert.equal(dist.tarball, registry.tarballUrl('a', '1.0.0'));
  assert.deepEqual(manifest, {
    name: 'a',
    version: '1.0.0',
    dependencies: { b: '^1.0.0', other: 'npm:real@2' },
  });
  const b = (await (await fetch(`${feed.url}b`)).json()) as typeof rest & {
    versions: Record<string, { scripts: object }>;
  };
  assert.deepEqual(b.versions['1.0.0']?.scripts, { install: 'i' });
});

test('only who knows the path is served, and only packuments', async t => {
  const { open, asked } = await world(t);
  const feed = await open();
  const { origin } = new URL(feed.url);
  for (const url of [`${origin}/a`, `${origin}/${'0'.repeat(32)}/a`, `${feed.url}-%2fv1`, feed.url])
    assert.equal((await fetch(url)).status, 404, url);
  assert.equal((await fetch(`${feed.url}..%2f..%2fx`)).status, 404);
  assert.equal((await fetch(`${feed.url}a`, { method: 'PUT', body: '{}' })).status, 404);
  assert.deepEqual(asked(), []);
  assert.equal(new URL(feed.url).hostname, '127.0.0.1');
  feed.close();
  await assert.rejects(fetch(`${feed.url}a`));
});

test('the token goes to the registry and stays out of what npm gets', async t => {
  const { open, registry } = await world(t, [], token);
  const feed = await open();
  const answer = await fetch(`${feed.url}a`);
  assert.equal(answer.status, 200);
  assert.doesNotMatch(await answer.text(), new RegExp(token));
  assert.deepEqual(
    registry.requests.map(({ authorization }) => authorization),
    [`Bearer ${token}`],
  );
});

test('a refusal is handed on; a failure is kept, since npm may go on without the package', async t => {
  const { open, registry } = await world(t);
  const feed = await open();
  const gone = await fetch(`${feed.url}gone`);
  assert.equal(gone.status, 404);
  assert.match(await gone.text(), /does not exist under owner/);
  assert.equal(feed.failure(), undefined);
  registry.misbehave({ match: /GET b$/, times: 100, status: 503 });
  assert.equal((await fetch(`${feed.url}b`)).status, 424);
  assert.equal(feed.failure()?.code, 'REGISTRY_ERROR');
});

test('a guess that fails is asked again when npm asks, and is then no failure', async t => {
  const { open, registry, asked } = await world(t, [{ name: 'b', spec: '1' }]);
  registry.misbehave({ match: /GET b$/, times: 1, status: 503 });
  const feed = await open();
  await until(() => asked().length === 1);
  assert.equal((await fetch(`${feed.url}b`)).status, 200);
  assert.equal(feed.failure(), undefined);
});

test('npm gets the tarballs that it opens through the feed, verified', async t => {
  const { open, registry, publish } = await world(t);
  const inner = 'node_modules/in/package.json';
  const files = {
    'package.json': '{"name":"bundles","version":"1.0.0"}',
    'npm-shrinkwrap.json': '{}',
    'index.js': 'x'.repeat(5000),
    [inner]: '{"name":"in","version":"3.0.0"}',
    'node_modules/in/binding.gyp': '{}',
  };
  const { integrity } = publish(
    'bundles',
    '1.0.0',
    { bundleDependencies: ['in'] },
    packageTarball(files),
  );
  const feed = await open();
  const packument = (await (await fetch(`${feed.url}bundles`)).json()) as {
    versions: Record<string, { dist: { tarball: string } }>;
  };
  const { tarball, ...rest } = packument.versions['1.0.0']?.dist ?? { tarball: '' };
  assert.ok(tarball.startsWith(feed.url), tarball);
  assert.deepEqual(rest, {});
  assert.deepEqual(feed.original(tarball), {
    tarball: registry.tarballUrl('bundles', '1.0.0'),
    integrity,
  });
  assert.equal(feed.original(`${feed.url}a`), undefined);
  const data = Buffer.from(await (await fetch(tarball)).arrayBuffer());
  assert.deepEqual(await contentOf(data), files);

  registry.misbehave({ match: /GET download/, times: 100, transform: body => body.fill(1, 9, 20) });
  assert.equal((await fetch(tarball)).status, 424);
  assert.equal(feed.failure()?.code, 'INTEGRITY_MISMATCH');
});

async function contentOf(data: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  let path = '';
  await readTarball({ data }, 'what npm gets', {
    file(entry) {
      path = entry.replace('package/', '');
      found[path] = '';
      return true;
    },
    data(piece) {
      found[path] += piece.toString();
    },
    end() {},
  });
  return found;
}

test('large tarballs of one version number are opened at the same time', async t => {
  const { open, publish, registry } = await world(t);
  const names = ['one', '@acme/two'];
  for (const name of names) {
    const files = { 'package.json': `{"name":"${name}"}`, big: randomBytes(4 * 1024 * 1024) };
    publish(name, '1.0.0', { bundleDependencies: ['in'] }, packageTarball(files));
  }
  const feed = await open();
  const addresses: string[] = [];
  for (const name of names) {
    const packument = (await (await fetch(feed.url + name.replace('/', '%2f'))).json()) as {
      versions: Record<string, { dist: { tarball: string } }>;
    };
    addresses.push(packument.versions['1.0.0']?.dist.tarball ?? '');
  }
  registry.misbehave({ match: /GET download/, times: 2, delayMs: 100 });
  const answers = await Promise.all(addresses.map(address => fetch(address)));
  for (const [i, answer] of answers.entries())
    assert.equal(
      (await contentOf(Buffer.from(await answer.arrayBuffer())))['package.json'],
      `{"name":"${names[i]}"}`,
    );
  assert.equal(feed.failure(), undefined);
});

test("npm's words name the real registries", async t => {
  const { open, registry, publish } = await world(t);
  const feed = await open();
  assert.equal(
    feed.restore(`404 - GET ${feed.url}left-pad - and ${feed.url}@acme%2fbackend, ${feed.url}`),
    `404 - GET ${registry.url}left-pad - and ${registry.url}@acme%2fbackend, ${registry.url}`,
  );
  publish('@acme/bundles', '1.0.0', { bundleDependencies: ['in'] });
  const { versions } = (await (await fetch(`${feed.url}@acme%2fbundles`)).json()) as {
    versions: Record<string, { dist: { tarball: string } }>;
  };
  assert.equal(
    feed.restore(versions['1.0.0']?.dist.tarball ?? ''),
    `${registry.url}@acme/bundles/-/bundles-1.0.0.tgz`,
  );
});
