import assert from 'node:assert/strict';
import { test } from 'node:test';
import pickManifest from 'npm-pick-manifest';
import { BootlaceError } from '../../src/errors';
import { parsePackument } from '../../src/registry/packument';
import { checkEngines, nearest, pickVersion } from '../../src/registry/pick';
import { parseVersionWish } from '../../src/settings/version-wish';

const registry = 'https://acme.test/';
const version = (version: string, extra: object = {}) => ({
  name: 'backend',
  version,
  dist: { tarball: `${registry}backend-${version}.tgz`, integrity: 'sha512-AAAA' },
  ...extra,
});
const versions = Object.fromEntries(
  [
    version('1.0.0'),
    version('1.1.0'),
    version('1.2.0', { deprecated: 'use 1.1' }),
    version('2.0.0-rc.1'),
    version('2.0.0'),
    version('3.0.0', { engines: { node: '>=99' } }),
  ].map(manifest => [manifest.version, manifest]),
);
const packument = (tags: Record<string, string>) =>
  parsePackument({ name: 'backend', versions, 'dist-tags': tags }, 'backend', registry);

function pick(
  wanted: string,
  tags: Record<string, string> = { latest: '2.0.0', next: '2.0.0-rc.1' },
) {
  return pickVersion(packument(tags), parseVersionWish(wanted, 'X'), {
    registry,
    nodeVersion: '20.20.0',
    pickManifest,
  });
}

const picks: [wanted: string, version: string, why: string][] = [
  ['1.0.0', '1.0.0', 'pinned'],
  ['latest', '2.0.0', 'the tag latest'],
  ['next', '2.0.0-rc.1', 'the tag next'],
  ['^1.0.0', '1.1.0', 'the best in ^1.0.0'],
  ['>=1', '2.0.0', 'the best in >=1'],
];
for (const [wanted, chosen, why] of picks)
  test(`${wanted} is ${chosen}`, () => {
    const { manifest, why: said } = pick(wanted);
    assert.deepEqual([manifest.version, said], [chosen, why]);
  });

test('latest is what the tag says after a backport moved it', () => {
  assert.equal(pick('latest', { latest: '1.1.0' }).manifest.version, '1.1.0');
});

test('a missing version names the nearest ones and the tags', () => {
  assert.throws(
    () => pick('1.1.9'),
    (error: unknown) => {
      assert(error instanceof BootlaceError);
      assert.equal(error.code, 'VERSION_NOT_FOUND');
      assert.equal(error.exitCode, 5);
      assert.match(String(error.facts.nearest), /^1\.1\.0, 1\.2\.0, 1\.0\.0/);
      assert.equal(error.facts.tags, 'latest 2.0.0, next 2.0.0-rc.1');
      return true;
    },
  );
});

for (const wanted of ['beta', '^9.0.0', '__proto__', 'constructor'])
  test(`${wanted} is not found`, () =>
    assert.throws(() => pick(wanted), { code: 'VERSION_NOT_FOUND' }));

test('engines that do not fit are refused', () => {
  assert.throws(() => checkEngines(pick('3.0.0').manifest, '20.20.0'), { code: 'ENGINE_MISMATCH' });
  assert.doesNotThrow(() => checkEngines(pick('1.0.0').manifest, '20.20.0'));
});

test('nearest: same minor, same major, the rest, newest first', () => {
  assert.deepEqual(nearest('1.1.5', ['0.9.0', '1.0.0', '1.1.0', '1.1.1', '2.0.0'], 3), [
    '1.1.1',
    '1.1.0',
    '1.0.0',
  ]);
});

const hostile: [name: string, change: object][] = [
  ['no dist', { dist: undefined }],
  ['no checksum', { dist: { tarball: `${registry}x.tgz` } }],
  ['a file as tarball', { dist: { tarball: 'file:///etc/passwd', integrity: 'sha512-AAAA' } }],
  ['another name', { name: 'other' }],
  ['another version', { version: '9.9.9' }],
];
for (const [name, change] of hostile)
  test(`a packument with ${name} is refused`, () => {
    const bad = parsePackument(
      { name: 'backend', versions: { '1.0.0': { ...version('1.0.0'), ...change } } },
      'backend',
      registry,
    );
    assert.throws(
      () =>
        pickVersion(bad, parseVersionWish('1.0.0', 'X'), {
          registry,
          nodeVersion: '20.20.0',
          pickManifest,
        }),
      { code: 'REGISTRY_BAD_ANSWER' },
    );
  });

for (const answer of [null, [], 'text', {}, { versions: [] }, { name: 'other', versions: {} }])
  test(`${JSON.stringify(answer)} is no packument`, () =>
    assert.throws(() => parsePackument(answer, 'backend', registry), {
      code: 'REGISTRY_BAD_ANSWER',
    }));
