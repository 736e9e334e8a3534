import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BootlaceError } from '../../src/errors';
import { readInstallHost } from '../../src/install/host';
import { realIo } from '../../src/io';
import { findNpm } from '../../src/npm/find';
import { hashTree } from '../../src/release/tree';
import { compareTrees } from '../support/compare-trees';
import { FakeRegistry, type Fault } from '../support/fake-registry';
import { configFor, fakeClock, installIn, parseLockfile } from '../support/locked';
import { root, runNode, temporaryFolder } from '../support/run';
import { packageTarball, sha512, type TarEntry, tar } from '../support/tarball';

const token = 'npm_0123456789abcdefghijABCDEFGHIJ012345';

interface T {
  after(fn: () => unknown): void;
}

async function startRegistry(t: T, options = {}): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(options);
  t.after(() => registry.close());
  return registry;
}

/** The cases in which npm does something of its own. */
function publishZoo(registry: FakeRegistry): void {
  const manifest = (name: string, version: string, more = {}) => ({ name, version, ...more });
  const publish = (
    name: string,
    version: string,
    more: Record<string, unknown> = {},
    files: Record<string, string> = {},
    modes: Record<string, number> = {},
  ) => {
    const all = manifest(name, version, more);
    registry.publish(
      all,
      {},
      {
        tarball: packageTarball({ 'package.json': JSON.stringify(all), ...files }, modes),
      },
    );
  };
  publish('leaf', '1.0.0', {}, { 'index.js': '1', '.gitignore': 'x', 'sub/.gitignore': 'y' });
  publish(
    'leaf',
    '2.0.0',
    {},
    { '.npmignore': 'a', '.gitignore': 'b', 'lib/run.sh': 'x' },
    { 'lib/run.sh': 0o775 },
  );
  publish(
    'tool',
    '1.0.0',
    { bin: './cli.js', dependencies: { leaf: '^1.0.0' } },
    { 'cli.js': '#!/usr/bin/env node\r\nx\r\n' },
  );
  publish(
    'tools',
    '1.0.0',
    {
      bin: { tool: 'other.js', 'a/b': 'x.js', gone: 'gone.js' },
      dependencies: { leaf: '^2.0.0', tool: '^1.0.0' },
    },
    { 'other.js': '1', 'x.js': '2' },
    { 'x.js': 0o600 },
  );
  publish('nested', '1.0.0', { dependencies: { tool: '^2.0.0', leaf: '2.0.0' } });
  publish(
    'tool',
    '2.0.0',
    { bin: { tool: 'cli.js', tool2: '../cli.js' } },
    { 'cli.js': '#!/bin/sh\n' },
  );
  publish('foldered', '1.0.0', { directories: { bin: 'bin' } }, { 'bin/folded': '1' });
  publish('for-aix', '1.0.0', {
    os: ['aix'],
    dependencies: { 'only-for-aix': '1.0.0', leaf: '^1.0.0' },
  });
  publish('only-for-aix', '1.0.0');
  registry.publish(
    manifest('odd', '1.0.0'),
    {},
    {
      tarball: gz([
        { path: 'odd/', type: '5' },
        { path: 'odd/empty', type: '5' },
        { path: 'odd/package.json', content: '{"name":"odd","version":"1.0.0"}', mode: 0o444 },
        { path: 'odd/to-odd', type: '2', linkpath: 'package.json' },
        { path: 'odd/hard', type: '1', linkpath: 'odd/package.json' },
        { path: 'odd/twice', content: '1', mode: 0o755 },
        { path: 'odd/twice', content: '22' },
        { path: 'odd/group', content: '1', mode: 0o654 },
        { path: `odd/${'deep/'.repeat(40)}file`, content: 'deep' },
      ]),
    },
  );
  publish('not-for-aix', '1.0.0', { os: ['!aix'] });
  publish('for-old-node', '1.0.0', { engines: { node: '<1' } });
  publish('peer', '1.0.0', {
    peerDependencies: { leaf: '*', absent: '*' },
    peerDependenciesMeta: { absent: { optional: true } },
  });
  publish(
    'bundler',
    '1.0.0',
    { dependencies: { inner: '1.0.0' }, bundleDependencies: ['inner'] },
    {
      'node_modules/inner/package.json': JSON.stringify({
        name: 'inner',
        version: '1.0.0',
        bin: { inner: 'inner.js' },
      }),
      'node_modules/inner/inner.js': '#!/usr/bin/env node\r\n',
    },
  );
  publish('inner', '1.0.0', { bin: { inner: 'inner.js' } }, { 'inner.js': 'from the registry' });
  publish('typescript', '1.0.0', {}, { 'lib/lib.d.ts': 'types' });
  publish(
    '@acme/backend',
    '1.0.0',
    {
      bin: { backend: 'dist/main.js' },
      dependencies: {
        tools: '1.0.0',
        nested: '1.0.0',
        foldered: '1.0.0',
        peer: '1.0.0',
        odd: '1.0.0',
        bundler: '1.0.0',
        renamed: 'npm:leaf@1.0.0',
        typescript: '1.0.0',
        'not-for-aix': '1.0.0',
      },
      optionalDependencies: { 'for-aix': '1.0.0', 'for-old-node': '1.0.0' },
      devDependencies: { 'only-for-aix': '1.0.0' },
    },
    { 'dist/main.js': '#!/usr/bin/env node\n', 'dist/main.d.ts': 'x', 'README.md': 'r' },
  );
}

async function npm(args: string[], cwd: string, registry: FakeRegistry): Promise<void> {
  const ended = await runNode(
    findNpm(realIo()),
    [...args, '--ignore-scripts', '--no-audit', '--no-fund'],
    {
      cwd,
      env: { npm_config_registry: registry.url, npm_config_cache: join(cwd, '..', 'npm-cache') },
    },
  );
  assert.equal(ended.code, 0, ended.stderr);
}

test('the tree is the one of npm ci, with addresses in the lock and without', async t => {
  const registry = await startRegistry(t);
  publishZoo(registry);
  const folder = temporaryFolder(t);
  const byNpm = join(folder, 'npm');
  mkdirSync(byNpm);
  writeFileSync(
    join(byNpm, 'package.json'),
    JSON.stringify({
      dependencies: { '@acme/backend': '1.0.0' },
      devDependencies: { 'only-for-aix': '1.0.0' },
    }),
  );
  writeFileSync(join(byNpm, '.npmrc'), `@acme:registry=${registry.url}\n`);
  await npm(['install', '--package-lock-only'], byNpm, registry);
  await npm(['ci', '--omit=dev'], byNpm, registry);
  rmSync(join(byNpm, 'node_modules', '.package-lock.json'));
  const text = readFileSync(join(byNpm, 'package-lock.json'), 'utf8');
  const byHand = text.replace(/\n *"resolved": "[^"]*",/g, '');
  assert.notEqual(byHand, text);
  const config = configFor(registry.url);
  for (const [name, lock] of [
    ['whole', text],
    ['without addresses', byHand],
  ] as const) {
    const installed = await installIn(join(folder, name), {
      lock: parseLockfile(lock, 'the lock'),
      config,
      host: readInstallHost(realIo()),
    });
    const modules = join(folder, name, 'release', 'node_modules');
    assert.deepEqual(compareTrees(join(byNpm, 'node_modules'), modules), []);
    assert.equal(hashTree(join(byNpm, 'node_modules')).sha256, installed.sha256);
    assert.equal(hashTree(modules).files, installed.files);
  }
});

/** One small tree: a backend, its dependency, and the lock of both. */
function publishPair(registry: FakeRegistry) {
  const files = {
    'index.js': 'x'.repeat(3000),
    'index.d.ts': 'types',
    'index.js.map': '{}',
    'README.md': 'r',
    'LICENSE.md': 'l',
  };
  const left = registry.publish({ name: 'left', version: '1.0.0' }, files);
  const backend = registry.publish({ name: '@acme/backend', version: '1.0.0' }, files);
  const shasum = (data: Buffer) => `${registry.url}download/${data}`;
  void shasum;
  return (more: Record<string, object> = {}) =>
    parseLockfile(
      JSON.stringify({
        lockfileVersion: 3,
        packages: {
          '': { dependencies: { '@acme/backend': '1.0.0' } },
          'node_modules/@acme/backend': {
            version: '1.0.0',
            resolved: registry.tarballUrl('@acme/backend', '1.0.0'),
            integrity: backend.integrity,
            ...more.backend,
          },
          'node_modules/left': {
            version: '1.0.0',
            resolved: registry.tarballUrl('left', '1.0.0'),
            integrity: left.integrity,
            ...more.left,
          },
        },
      }),
      'the lock',
    );
}

const flip = (body: Buffer) => {
  const copy = Buffer.from(body);
  copy[20] = (copy[20] as number) ^ 1;
  return copy;
};
const other = packageTarball({ 'package.json': '{"name":"evil","version":"1.0.0"}' });
const left = /GET download\/left\//;

const faults: [string, Fault, string | undefined, number][] = [
  ['cuts off twice', { match: left, truncateTo: 50, times: 2 }, undefined, 3],
  ['always cuts off', { match: left, truncateTo: 50 }, 'REGISTRY_UNREACHABLE', 2],
  ['changes a byte once', { match: left, transform: flip, times: 1 }, undefined, 2],
  ['always changes a byte', { match: left, transform: flip }, 'INTEGRITY_MISMATCH', 2],
  ['gives another package', { match: left, body: other }, 'INTEGRITY_MISMATCH', 2],
  ['answers late', { match: left, delayMs: 300 }, undefined, 1],
  ['resets twice', { match: left, reset: true, times: 2 }, undefined, 3],
  ['always resets', { match: left, reset: true }, 'REGISTRY_UNREACHABLE', 2],
  ['answers 500 twice', { match: left, status: 500, times: 2 }, undefined, 3],
  ['always answers 503', { match: left, status: 503 }, 'REGISTRY_ERROR', 2],
  [
    'answers 429 once',
    { match: left, status: 429, headers: { 'retry-after': '7' }, times: 1 },
    undefined,
    2,
  ],
  ['always answers 429', { match: left, status: 429 }, 'RATE_LIMITED', 2],
  [
    'answers 401',
    { match: left, status: 401, body: '{"error":"unauthenticated"}' },
    'TOKEN_INVALID',
    1,
  ],
  [
    'answers 403',
    { match: left, status: 403, body: '{"error":"permission_denied: read_package"}' },
    'NO_ACCESS',
    1,
  ],
  ['answers 404', { match: left, status: 404 }, 'DEPENDENCY_NOT_FOUND', 1],
  [
    'redirects in a circle',
    { match: left, status: 302, headers: { location: '/download/left/1.0.0/again' } },
    'REDIRECT_REFUSED',
    6,
  ],
  [
    'redirects to a file',
    { match: left, status: 302, headers: { location: 'file:///etc/passwd' } },
    'REDIRECT_REFUSED',
    1,
  ],
];

for (const [name, fault, code, requests] of faults)
  test(`a registry that ${name}: ${code ?? 'recovers'}`, async t => {
    const registry = await startRegistry(t, { tokens: { [token]: {} }, redirectTarballs: false });
    const lock = publishPair(registry)();
    registry.misbehave(fault);
    const folder = temporaryFolder(t);
    const io = fakeClock();
    const run = installIn(folder, { lock, config: configFor(registry.url, token), io });
    if (code)
      await assert.rejects(run, (error: unknown) => {
        assert.ok(error instanceof BootlaceError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, /left@1\.0\.0/);
        assert.ok(!JSON.stringify([error.message, error.facts, error.fix]).includes(token));
        return true;
      });
    else assert.equal((await run).paths.length, 2);
    assert.deepEqual(readdirSync(folder).sort(), ['release', 'work']);
    assert.deepEqual(readdirSync(join(folder, 'work')), []);
    if (code) assert.equal(existsSync(join(folder, 'release/node_modules/left')), false);
    const asked = registry.requests.filter(({ path }) => path.includes('left')).length;
    assert.ok(asked >= requests, `${asked} requests`);
    if (requests === 1) assert.equal(asked, 1);
    if (fault.headers?.['retry-after']) assert.ok(io.now() >= 7000, `waited ${io.now()} ms`);
  });

test('a tarball on another host is fetched without the token', async t => {
  const registry = await startRegistry(t, { tokens: { [token]: {} } });
  const lock = publishPair(registry)();
  await installIn(temporaryFolder(t), { lock, config: configFor(registry.url, token) });
  const seen = registry.requests.map(({ host, authorization }) => [host, authorization]);
  assert.equal(seen.filter(([host]) => host === 'storage').length, 2);
  for (const [host, authorization] of seen)
    assert.equal(authorization, host === 'registry' ? `Bearer ${token}` : undefined);
});

test('a lock cannot send the token to a host of its own', async t => {
  const registry = await startRegistry(t, { tokens: { [token]: {} } });
  const thief = await startRegistry(t);
  const makeLock = publishPair(registry);
  publishPair(thief);
  const lock = makeLock({ left: { resolved: thief.tarballUrl('left', '1.0.0') } });
  await installIn(temporaryFolder(t), { lock, config: configFor(registry.url, token) });
  assert.ok(thief.requests.length > 0);
  assert.ok(thief.requests.every(({ authorization }) => authorization === undefined));
});

const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
const entries = gzipSync(
  Buffer.concat(Array.from({ length: 5000 }, () => tar([{ path: 'package/a' }]).subarray(0, 512))),
);
const huge: TarEntry = { path: 'package/zeros', size: 0o77777777777, content: '' };
const gz = (list: TarEntry[]) => gzipSync(tar(list));

const hostile: [string, () => Buffer, string][] = [
  [
    'a bomb',
    () =>
      Buffer.concat([
        gzipSync(tar([huge]).subarray(0, 512)),
        ...Array.from({ length: 20 }, () => zeros),
      ]),
    'TARBALL_HOSTILE',
  ],
  [
    'a bomb of entries',
    () => Buffer.concat(Array.from({ length: 200 }, () => entries)),
    'TARBALL_HOSTILE',
  ],
  [
    'a path outside',
    () => gz([{ path: 'package/../../../outside', content: 'x' }]),
    'TARBALL_HOSTILE',
  ],
  ['an absolute path', () => gz([{ path: '/tmp/outside', content: 'x' }]), 'TARBALL_HOSTILE'],
  [
    'a file that is a folder',
    () =>
      gz([
        { path: 'package/a', content: 'x' },
        { path: 'package/a/b', content: 'x' },
      ]),
    'TARBALL_HOSTILE',
  ],
  [
    'broken gzip',
    () => flip(Buffer.concat([gz([{ path: 'package/a', content: 'x'.repeat(100) }])])),
    'TARBALL_INVALID',
  ],
  ['no archive', () => gzipSync('hello'), 'TARBALL_INVALID'],
];

for (const [name, make, code] of hostile)
  test(`refuses a tarball with ${name}`, async t => {
    const registry = await startRegistry(t);
    const lock = publishPair(registry);
    const data = make();
    const folder = temporaryFolder(t);
    const run = installIn(folder, {
      lock: lock({ left: { integrity: sha512(data) } }),
      config: configFor(registry.url),
      local: new Map([['node_modules/left', data]]),
    });
    await assert.rejects(run, (error: unknown) => {
      assert.ok(error instanceof BootlaceError, String(error));
      assert.equal(error.code, code);
      assert.equal(error.exitCode, 6);
      return /left@1\.0\.0/.test(error.message);
    });
    assert.deepEqual(readdirSync(folder).sort(), ['release', 'work']);
  });

test('links in a tarball are not unpacked, and nothing goes through them', async t => {
  const registry = await startRegistry(t);
  const data = gz([
    { path: 'package/package.json', content: '{}' },
    { path: 'package/out', type: '2', linkpath: '../../../..' },
    { path: 'package/out/file', content: 'x' },
  ]);
  const folder = temporaryFolder(t);
  await installIn(folder, {
    lock: publishPair(registry)({ left: { integrity: sha512(data) } }),
    config: configFor(registry.url),
    local: new Map([['node_modules/left', data]]),
  });
  assert.equal(readFileSync(join(folder, 'release/node_modules/left/out/file'), 'utf8'), 'x');
  assert.deepEqual(readdirSync(folder).sort(), ['release', 'work']);
});

test('slim leaves out of dependencies what no server loads, never of the backend', async t => {
  const registry = await startRegistry(t);
  const lock = publishPair(registry)();
  const folder = temporaryFolder(t);
  const installed = await installIn(folder, {
    lock,
    config: configFor(registry.url),
    slim: true,
    backend: 'node_modules/@acme/backend',
  });
  const filesOf = (path: string) => readdirSync(join(folder, 'release/node_modules', path)).sort();
  assert.deepEqual(filesOf('left'), ['LICENSE.md', 'index.js', 'package.json']);
  assert.equal(filesOf('@acme/backend').length, 6);
  assert.equal(installed.savedFiles, 3);
  assert.equal(installed.savedBytes, 'types{}r'.length);
  assert.equal(hashTree(join(folder, 'release/node_modules')).sha256, installed.sha256);
});

test('a signal stops the install', async t => {
  const registry = await startRegistry(t);
  const lock = publishPair(registry)();
  registry.misbehave({ match: left, delayMs: 5000 });
  const stop = new AbortController();
  const run = installIn(temporaryFolder(t), {
    lock,
    config: configFor(registry.url),
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(new Error('stopped by SIGTERM')), 100);
  await assert.rejects(run, /stopped by SIGTERM/);
});

before(() => assert.ok(existsSync(join(root, 'dist')), 'build first'));
