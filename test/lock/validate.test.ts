import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootlaceError } from '../../src/errors';
import { parseLockfile } from '../support/locked';

const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;
const plain = { version: '1.0.0', resolved: 'https://registry.test/a/-/a-1.0.0.tgz', integrity };
const lock = (packages: Record<string, unknown>, version: unknown = 3) =>
  JSON.stringify({ lockfileVersion: version, packages: { '': {}, ...packages } });

const taken: [string, string][] = [
  ['a package', lock({ 'node_modules/a': plain })],
  [
    'a scope and a level',
    lock({ 'node_modules/@s/a': plain, 'node_modules/@s/a/node_modules/b': plain }),
  ],
  ['an alias', lock({ 'node_modules/a': { ...plain, name: '@s/other' } })],
  ['no address', lock({ 'node_modules/a': { version: '1.0.0', integrity } })],
  [
    'a bundled package without a checksum',
    lock({
      'node_modules/a': plain,
      'node_modules/a/node_modules/b': { version: '1.0.0', inBundle: true },
    }),
  ],
  [
    'a development package from git',
    lock({
      'node_modules/a': { version: '1.0.0', dev: true, resolved: 'git+ssh://git@host/a.git' },
    }),
  ],
  [
    'an optional entry that no registry had',
    lock({ 'node_modules/a': plain, 'node_modules/b': { optional: true } }),
  ],
  [
    'an entry that npm marks as not to be installed',
    lock({
      'node_modules/a': plain,
      'node_modules/b': { version: '1.0.0', optional: true, ideallyInert: true },
    }),
  ],
  ['an address that npm wrote as false', lock({ 'node_modules/a': { ...plain, resolved: false } })],
  [
    'what nobody needs, from git',
    lock({
      'node_modules/a': plain,
      'node_modules/b': {
        version: '1.0.0',
        extraneous: true,
        resolved: 'git+ssh://git@host/a.git',
      },
    }),
  ],
  ['version 2', lock({ 'node_modules/a': plain }, 2)],
  ['an old name', lock({ 'node_modules/JSONStream': plain })],
];

for (const [name, text] of taken)
  test(`takes ${name}`, () => assert.ok(parseLockfile(text, 'the lock').packages.size > 1));

const refused: [string, string, string][] = [
  ['text', 'lock', 'LOCK_INVALID'],
  ['a list', '[]', 'LOCK_INVALID'],
  ['version 1', lock({}, 1), 'LOCK_VERSION'],
  ['no version', JSON.stringify({ packages: {} }), 'LOCK_VERSION'],
  ['no packages', JSON.stringify({ lockfileVersion: 3 }), 'LOCK_INVALID'],
  ['a path that climbs', lock({ 'node_modules/../a': plain }), 'LOCK_INVALID'],
  ['a path that climbs later', lock({ 'node_modules/a/../../b': plain }), 'LOCK_INVALID'],
  ['a path elsewhere', lock({ 'packages/a': plain }), 'LOCK_INVALID'],
  ['an absolute path', lock({ '/etc': plain }), 'LOCK_INVALID'],
  ['a path as on Windows', lock({ 'node_modules\\a': plain }), 'LOCK_INVALID'],
  ['a hidden folder', lock({ 'node_modules/.bin': plain }), 'LOCK_INVALID'],
  ['a name that is node_modules', lock({ 'node_modules/node_modules': plain }), 'LOCK_INVALID'],
  ['a package in none', lock({ 'node_modules/a/node_modules/b': plain }), 'LOCK_INVALID'],
  [
    'a version that is a path',
    lock({ 'node_modules/a': { ...plain, version: '../1' } }),
    'LOCK_INVALID',
  ],
  [
    'an alias that is a path',
    lock({ 'node_modules/a': { ...plain, name: '../b' } }),
    'LOCK_INVALID',
  ],
  ['a link', lock({ 'node_modules/a': { link: true, resolved: 'packages/a' } }), 'LOCK_LINK'],
  [
    'git',
    lock({ 'node_modules/a': { ...plain, resolved: 'git+ssh://git@host/a.git#1' } }),
    'LOCK_PROTOCOL',
  ],
  ['a file', lock({ 'node_modules/a': { ...plain, resolved: 'file:a.tgz' } }), 'LOCK_PROTOCOL'],
  [
    'no checksum',
    lock({ 'node_modules/a': { ...plain, integrity: undefined } }),
    'LOCK_NO_INTEGRITY',
  ],
  [
    'a checksum that is none',
    lock({ 'node_modules/a': { ...plain, integrity: 'md5-abc' } }),
    'LOCK_NO_INTEGRITY',
  ],
];

for (const [name, text, code] of refused)
  test(`refuses ${name}`, () =>
    assert.throws(
      () => parseLockfile(text, 'the lock'),
      (error: unknown) => error instanceof BootlaceError && error.code === code && error.fix !== '',
    ));

test('a tarball that is handed in needs neither address nor checksum', () => {
  const text = lock({ 'node_modules/a': { version: '1.0.0', resolved: 'file:a.tgz' } });
  assert.equal(parseLockfile(text, 'the lock', new Set(['node_modules/a'])).packages.size, 2);
});

test('names what has only a sha1', () => {
  const sha1 = `sha1-${Buffer.alloc(20).toString('base64')}`;
  const text = lock({ 'node_modules/a': { ...plain, integrity: sha1 }, 'node_modules/b': plain });
  assert.deepEqual(parseLockfile(text, 'the lock').weak, ['node_modules/a']);
});

test('no key of a lock reaches a prototype', () => {
  const text = '{"lockfileVersion":3,"packages":{"":{},"__proto__":{"version":"1.0.0"}}}';
  assert.throws(() => parseLockfile(text, 'the lock'), { code: 'LOCK_INVALID' });
});
