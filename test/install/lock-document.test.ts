import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockProblems } from '../../src/install/check-lock';
import { bareLock, composeLock } from '../../src/install/compose-lock';
import {
  hashLock,
  type LockDocument,
  type LockedManifest,
  type RawEntry,
  renderLock,
  rootOf,
} from '../../src/install/lock-document';

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
  assert.deepEqual(lockProblems(again, packed), []);
});

const fits: [name: string, change: Partial<LockedManifest>, problems: string[]][] = [
  ['nothing changed', {}, []],
  ['another version of the backend', { version: '3.0.0' }, []],
  ['a range that still fits', { dependencies: { a: '^1.1.0' } }, []],
  ['a tag', { dependencies: { a: 'latest' } }, []],
  [
    'a range that does not fit',
    { dependencies: { a: '^2.0.0' } },
    ['a is 1.2.0 in the lock and ^2.0.0 in package.json'],
  ],
  ['one more', { dependencies: { a: '^1.0.0', n: '1' } }, ['n@1 is not in the lock']],
  [
    'one less',
    { dependencies: {} },
    [
      'a is no dependency any more',
      'node_modules/a is in the lock and nothing needs it',
      'node_modules/a/node_modules/b is in the lock and nothing needs it',
    ],
  ],
  [
    'an alias of the same name',
    { dependencies: { a: 'npm:other@1' } },
    ['a is 1.2.0 in the lock and npm:other@1 in package.json'],
  ],
  [
    'one more optional',
    { optionalDependencies: { o: '^1.0.0', p: '1' } },
    ['p@1 is not in the lock'],
  ],
  ['an override', { dependencies: { a: '^2.0.0' }, overrides: { a: '1.2.0' } }, []],
];

for (const [name, change, problems] of fits)
  test(`does the lock fit: ${name}`, () => {
    assert.deepEqual(lockProblems(lock, { ...manifest, ...change }), problems);
  });

test('an optional package that the registry did not have stays left out', () => {
  const wanted = { ...manifest, optionalDependencies: { gone: '1' }, dependencies: {} };
  assert.deepEqual(lockProblems(bare(wanted, {}), wanted), []);
});

test('a dependency of a dependency that the lock forgot', () => {
  const { 'node_modules/a/node_modules/b': _, ...packages } = lock.packages;
  assert.deepEqual(lockProblems({ ...lock, packages }, manifest), [
    'node_modules/a needs b, which is not in the lock',
  ]);
});
