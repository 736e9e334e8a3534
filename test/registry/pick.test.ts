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

test('a tag that names a deleted version says so, and how to go on', () => {
  assert.throws(
    () => pick('latest', { latest: '1.1.9' }),
    (error: unknown) => {
      assert(error instanceof BootlaceError);
      assert.deepEqual([error.code, error.exitCode], ['VERSION_NOT_FOUND', 5]);
      assert.match(error.message, /the tag latest of backend names 1\.1\.9, which was deleted/);
      assert.match(error.fix, /BACKEND_VERSION .*npm dist-tag add backend@1\.1\.0 latest$/);
      return true;
    },
  );
});

const day = (date: string) => new Date(`${date}T00:00:00Z`);
const times = {
  '1.0.0': '2026-01-01T00:00:00Z',
  '1.1.0': '2026-02-01T00:00:00Z',
  '2.0.0': '2026-06-01T00:00:00Z',
};
const ages: [wanted: string, before: string, time: object | undefined, version?: string][] = [
  ['latest', '2026-07-01', times, '2.0.0'],
  ['latest', '2026-05-01', times, '1.1.0'],
  ['^1.0.0', '2026-01-15', times, '1.0.0'],
  ['1.0.0', '2026-01-15', times, '1.0.0'],
  ['1.1.0', '2026-01-15', times],
  ['^1.1.0', '2026-01-15', times],
  ['latest', '2025-01-01', times],
  // A registry without times: npm takes what there is.
  ['latest', '2025-01-01', undefined, '2.0.0'],
];
for (const [wanted, before, time, expected] of ages)
  test(`${wanted} as of ${before} is ${expected ?? 'nothing'}${time ? '' : ', without times'}`, () => {
    const versions = Object.fromEntries(Object.keys(times).map(name => [name, version(name)]));
    const whole = { name: 'backend', versions, 'dist-tags': { latest: '2.0.0' }, time };
    const go = () =>
      pickVersion(parsePackument(whole, 'backend', registry), parseVersionWish(wanted, 'X'), {
        registry,
        nodeVersion: '20.20.0',
        pickManifest,
        before: { value: day(before), from: `before=${before} in .npmrc` },
      });
    if (expected) {
      assert.equal(go().version, expected);
      assert.match(go().why, /, before=.* in \.npmrc$/);
    } else
      assert.throws(go, (error: Error) => {
        assert.match(error.message, /before=.* in \.npmrc/);
        return (error as BootlaceError).code === 'VERSION_NOT_FOUND';
      });
  });

const cleaned: [inManifest: string, asked: string][] = [
  ['1.0.0', '1.0.0'],
  ['v1.0.0', '1.0.0'],
  ['1.0.0+sha.abc', '1.0.0'],
  ['1.0.0', 'v1.0.0'],
  ['1.0.0', '1.0.0+20261128.abc'],
];
for (const [inManifest, asked] of cleaned)
  test(`${asked} is found where the registry says ${inManifest}`, () => {
    const versions = { '1.0.0': { ...version('1.0.0'), version: inManifest } };
    const found = pickVersion(
      parsePackument({ name: 'backend', versions }, 'backend', registry),
      parseVersionWish(asked, 'X'),
      { registry, nodeVersion: '20.20.0', pickManifest },
    );
    assert.equal(found.version, '1.0.0');
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
