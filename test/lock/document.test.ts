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
import { lockProblems } from '../../src/lock/fits';

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
  [
    'an override of a dependency that was added',
    { overrides: { a: '1.3.0' } },
    ['a is 1.2.0 in the lock and 1.3.0 in overrides'],
  ],
  [
    'an override further down that was added',
    { overrides: { a: { b: '3' } } },
    ['node_modules/a needs b@3 by overrides, and node_modules/a/node_modules/b is 2.0.0'],
  ],
  ['a peer that was added', { peerDependencies: { n: '1' } }, ['n@1 is not in the lock']],
  [
    'a peer in place of the dependency, in another version',
    { dependencies: {}, peerDependencies: { a: '2' } },
    ['a is 1.2.0 in the lock and 2 in package.json', 'a is no dependency any more'],
  ],
  ['a peer that is a dependency too', { peerDependencies: { a: '2' } }, []],
  [
    'an optional peer',
    { peerDependencies: { n: '1' }, peerDependenciesMeta: { n: { optional: true } } },
    [],
  ],
];

for (const [name, change, problems] of fits)
  test(`does the lock fit: ${name}`, () => {
    assert.deepEqual(lockProblems(lock, { ...manifest, ...change }), problems);
  });

const above = (spec: string, name = 'b') => ({ dependencies: { [name]: spec } });
/** A lock of `a`, which asks for `b`, and package.json's overrides. */
const below: [name: string, a: RawEntry, b: RawEntry, overrides: unknown, fits: boolean][] = [
  ['what is asked for', above('^2.0.0'), at('2.1.0'), undefined, true],
  ['another version', above('2.1.2'), at('1.0.0'), undefined, false],
  ['another version of an optional', { optionalDependencies: { b: '2' } }, at('1.0.0'), {}, false],
  ['a prerelease for any version', above(''), at('3.0.0-rc.1'), undefined, true],
  ['a tag', above('next'), at('3.0.0-rc.1'), undefined, true],
  ['an address', above('https://x.example/b.tgz'), at('3.0.0'), undefined, true],
  ['an alias', above('npm:real@^2.0.0'), at('2.0.0', { name: 'real' }), undefined, true],
  ['an alias in another version', above('npm:real@^2.0.0'), at('1.0.0'), undefined, false],
  ['a peer that npm allows', { peerDependencies: { b: '^3.0.0' } }, at('2.0.0'), undefined, true],
  ['what a tarball brings', above('^3.0.0'), at('2.0.0', { inBundle: true }), undefined, true],
  ['an override', above('^1.0.0'), at('2.0.0'), { b: '2.0.0' }, true],
  ['an override with another version', above('^1.0.0'), at('1.5.0'), { b: '2.0.0' }, false],
  ['an override that is gone', above('^1.0.0'), at('2.0.0'), {}, false],
  ['a nested override', above('^1.0.0'), at('2.0.0'), { a: { b: '2.0.0' } }, true],
  ['a nested override of another', above('^1.0.0'), at('2.0.0'), { c: { b: '2.0.0' } }, false],
  ['the package itself and below', above('^1.0.0'), at('2.0.0'), { a: { '.': '1', b: '2' } }, true],
  ['a reference', above('^1.0.0'), at('2.0.0'), { b: '$tool' }, true],
  ['a reference that nothing here knows', above('^1.0.0'), at('2.0.0'), { b: '$gone' }, true],
  ['a selector', above('^1.0.0'), at('2.0.0'), { 'b@1': '2.0.0' }, true],
  ['a selector for other wishes', above('^1.0.0'), at('2.0.0'), { 'b@3': '2.0.0' }, false],
  ['a selector of who asks', above('^1.0.0'), at('2.0.0'), { 'a@1': { b: '2' } }, true],
  ['a selector of another', above('^1.0.0'), at('2.0.0'), { 'a@2': { b: '2' } }, false],
  ['a selector that is not met', above('^2.0.0'), at('2.5.0'), { 'b@2.1.0': '2.1.1' }, true],
  ['an override by another package', above('^1.0.0'), at('9.0.0'), { b: 'npm:fork@9' }, true],
  ['an override of the backend', above('^1.0.0'), at('2.0.0'), { own: { b: '2.0.0' } }, true],
];

for (const [name, a, b, overrides, fits] of below)
  test(`compared below the top: ${name} ${fits ? 'fits' : 'does not fit'}`, () => {
    const own = {
      name: 'own',
      dependencies: { a: '1' },
      devDependencies: { tool: '2.0.0' },
      overrides: overrides as LockedManifest['overrides'],
    };
    const made = bare(own, {
      'node_modules/a': at('1.0.0', a),
      'node_modules/a/node_modules/b': b,
    });
    const problems = lockProblems(made, own);
    assert.equal(problems.length, fits ? 0 : 1);
    if (!fits)
      assert.match(`${problems}`, /^node_modules\/a needs b@.* and node_modules\/a\/node_/);
  });

test('a lock made without peers is as its publisher chose, until another is asked for', () => {
  const peers = { name: 'own', peerDependencies: { p: '1' } };
  assert.deepEqual(lockProblems(bare(peers, {}), peers), []);
  assert.deepEqual(lockProblems(bare(peers, {}), { ...peers, peerDependencies: { p: '2' } }), [
    'p@2 is not in the lock',
  ]);
});

test('a dependency that names the backend finds it, in whatever version it is published', () => {
  const made = bare(manifest, {
    ...lock.packages,
    'node_modules/a': at('1.2.0', { dependencies: { b: '^2.0.0', '@acme/backend': '>1.19' } }),
  });
  assert.deepEqual(lockProblems(made, { ...manifest, version: '9.0.0' }), []);
});

test("the overrides of a publisher's workspace are in its lock and count there", () => {
  const made = bare(manifest, {
    ...lock.packages,
    'node_modules/a': at('1.2.0', { dependencies: { b: '^1.0.0' } }),
  });
  assert.equal(lockProblems(made, manifest).length, 1);
  made.packages[''] = { ...made.packages[''], overrides: { b: '2.0.0' } };
  assert.deepEqual(lockProblems(made, manifest), []);
  const { bare: again } = bareLock(composeLock(made, source), '@acme/backend');
  assert.equal(hashLock(again), hashLock(made));
  assert.deepEqual(lockProblems(again, manifest), []);
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

test('on a host an override that the lock does not follow is no reason to start nothing', () => {
  const own = { ...manifest, overrides: { b: '2.5.0' } };
  assert.equal(lockProblems(lock, own).length, 1);
  assert.deepEqual(lockProblems(lock, own, undefined, false), []);
  const wrong = { ...lock.packages, 'node_modules/a/node_modules/b': at('1.0.0') };
  assert.equal(lockProblems({ ...lock, packages: wrong }, own, undefined, false).length, 1);
});
