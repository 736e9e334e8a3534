import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareLock, composeLock } from '../../src/lock/compose';
import {
  hashLock,
  type LockDocument,
  type LockedManifest,
  type RawEntry,
  renderLock,
  rootOf,
} from '../../src/lock/document';
import { lockMismatches, withoutMissing } from '../../src/lock/fits';

const at = (version: string, more: RawEntry = {}): RawEntry => ({
  version,
  resolved: `https://r.example/x-${version}.tgz`,
  integrity: 'sha512-x',
  ...more,
});

function bare(manifest: LockedManifest, packages: Record<string, RawEntry>): LockDocument {
  const all = { '': rootOf(manifest.name, manifest), ...packages };
  return { name: manifest.name, lockfileVersion: 3, requires: true, packages: all };
}

const manifest: LockedManifest = {
  name: '@acme/backend',
  version: '2.0.0',
  bin: './cli.js',
  dependencies: { a: '^1.0.0', o: '^1.0.0' },
  optionalDependencies: { o: '^1.0.0' },
  scripts: { postinstall: 'node x' },
};
const lock = bare(manifest, {
  'node_modules/a': at('1.2.0', { dependencies: { b: '^2.0.0' } }),
  'node_modules/a/node_modules/b': at('2.0.0'),
  'node_modules/o': at('1.0.0', { optional: true }),
});
const source = {
  manifest,
  version: '2.0.0',
  resolved: 'https://r.example/backend.tgz',
  integrity: 'sha512-backend',
  bundled: new Map<string, LockedManifest>(),
};

test('a composed lock has the backend and its dependencies beside it', () => {
  const composed = composeLock(lock, source);
  assert.deepEqual(composed.packages[''], { dependencies: { '@acme/backend': '2.0.0' } });
  assert.deepEqual(composed.packages['node_modules/@acme/backend'], {
    version: '2.0.0',
    resolved: 'https://r.example/backend.tgz',
    integrity: 'sha512-backend',
    hasInstallScript: true,
    dependencies: { a: '^1.0.0' },
    optionalDependencies: { o: '^1.0.0' },
    bin: { backend: './cli.js' },
  });
  assert.deepEqual(Object.keys(composed.packages), [
    '',
    'node_modules/@acme/backend',
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/o',
  ]);
});

test('composing and taking apart gives the same lock, whatever order it came in', () => {
  const composed = composeLock(lock, source);
  assert.equal(hashLock(bareLock(composed, '@acme/backend').bare), hashLock(lock));
  const reversed = {
    ...lock,
    packages: Object.fromEntries(Object.entries(lock.packages).reverse()),
  };
  assert.equal(renderLock(reversed), renderLock(lock));
});

test('what npm ci leaves out is in no lock of ours', () => {
  const more = {
    'node_modules/peer': at('1.0.0', { extraneous: true, peer: true }),
    'node_modules/peer/node_modules/below': at('1.0.0', { extraneous: true }),
    'node_modules/tool': at('1.0.0', { dev: true }),
    'node_modules/both': at('1.0.0', { devOptional: true }),
  };
  const composed = composeLock(lock, source);
  const added = { ...composed, packages: { ...composed.packages, ...more } };
  const left = Object.keys(bareLock(added, '@acme/backend').bare.packages);
  assert.deepEqual(left.sort(), [...Object.keys(lock.packages), 'node_modules/both'].sort());
  const project = { ...lock, packages: { ...lock.packages, ...more } };
  assert.deepEqual(Object.keys(bareLock(project, '@acme/backend').bare.packages).sort(), left);
  // A lock that reached an install another way says it to the installer.
  assert.match(renderLock(added), /"extraneous": true/);
});

test("another version of the backend in its own tree: everything goes below the backend's folder", () => {
  const own = bare(manifest, { ...lock.packages, 'node_modules/@acme/backend': at('1.0.0') });
  const composed = composeLock(own, source);
  const home = 'node_modules/@acme/backend';
  assert.equal(composed.packages[home]?.version, '2.0.0');
  assert.equal(composed.packages[`${home}/${home}`]?.version, '1.0.0');
  assert.equal(composed.packages[`${home}/node_modules/a/node_modules/b`]?.version, '2.0.0');
  assert.equal('node_modules/a' in composed.packages, false);
  assert.equal(hashLock(bareLock(composed, '@acme/backend').bare), hashLock(own));
});

test('what the tarball brings along is in its parent, and no lock is asked for it', () => {
  const packed: LockedManifest = { ...manifest, bundleDependencies: ['a'] };
  const inner = { name: 'a', version: '1.9.0', bin: { a: 'a.js' } };
  const composed = composeLock(bare(packed, { 'node_modules/o': at('1.0.0') }), {
    ...source,
    manifest: packed,
    bundled: new Map([['node_modules/a', inner]]),
  });
  assert.deepEqual(composed.packages['node_modules/@acme/backend/node_modules/a'], {
    version: '1.9.0',
    inBundle: true,
    bin: { a: 'a.js' },
  });
  const { bare: again } = bareLock(composed, '@acme/backend');
  assert.deepEqual(Object.keys(again.packages).sort(), ['', 'node_modules/o']);
  assert.deepEqual(lockMismatches(again, packed), []);
});

const fits: [name: string, change: Partial<LockedManifest>, problems: string[]][] = [
  ['nothing changed', {}, []],
  ['another version of the backend', { version: '3.0.0' }, []],
  ['development dependencies', { devDependencies: { n: '1' } }, []],
  [
    'another range',
    { dependencies: { a: '^2.0.0' } },
    ['a is ^1.0.0 in the lock and ^2.0.0 in package.json'],
  ],
  [
    'one more',
    { dependencies: { a: '^1.0.0', n: '1' } },
    ['n is missing in the lock and 1 in package.json'],
  ],
  ['one less', { dependencies: {} }, ['a is ^1.0.0 in the lock and missing in package.json']],
  [
    'an alias of the same name',
    { dependencies: { a: 'npm:other@1' } },
    ['a is ^1.0.0 in the lock and npm:other@1 in package.json'],
  ],
  [
    'one more optional',
    { optionalDependencies: { o: '^1.0.0', p: '1' } },
    ['p is missing in the lock and 1 in package.json'],
  ],
  [
    'a peer that was added',
    { peerDependencies: { n: '1' } },
    ['n is missing in the lock and 1 in package.json'],
  ],
  ['a peer that is a dependency too', { peerDependencies: { a: '2' } }, []],
  [
    'an optional peer',
    { peerDependencies: { n: '1' }, peerDependenciesMeta: { n: { optional: true } } },
    [],
  ],
  [
    'what the tarball brings',
    { bundleDependencies: ['n'], dependencies: { a: '^1.0.0', n: '1' } },
    [],
  ],
];

for (const [name, change, problems] of fits)
  test(`does the lock belong to package.json: ${name}`, () => {
    assert.deepEqual(lockMismatches(lock, { ...manifest, ...change }), problems);
  });

test('a lock that forgot the entry of a dependency', () => {
  const { 'node_modules/a': _, ...packages } = lock.packages;
  assert.deepEqual(lockMismatches({ ...lock, packages }, manifest), ['a has no entry in the lock']);
});

test('a lock made without peers belongs to its package.json, until another peer is declared', () => {
  const peers = { name: 'own', peerDependencies: { p: '1' } };
  assert.deepEqual(lockMismatches(bare(peers, {}), peers), []);
  assert.deepEqual(lockMismatches(bare(peers, {}), { ...peers, peerDependencies: { p: '2' } }), [
    'p is 1 in the lock and 2 in package.json',
  ]);
});

test('an optional package that the registry did not have stays left out, and npm ci is not told of it', () => {
  const wanted = { ...manifest, optionalDependencies: { gone: '1' }, dependencies: {} };
  const made = bare(wanted, {});
  assert.deepEqual(lockMismatches(made, wanted), []);
  assert.deepEqual(withoutMissing(made).packages['']?.optionalDependencies, {});
});

test("the overrides of a publisher's workspace are in its lock and survive composing", () => {
  const made = bare(manifest, lock.packages);
  made.packages[''] = { ...made.packages[''], overrides: { b: '2.0.0' } };
  const { bare: again } = bareLock(composeLock(made, source), '@acme/backend');
  assert.equal(hashLock(again), hashLock(made));
  assert.deepEqual(lockMismatches(again, manifest), []);
});
