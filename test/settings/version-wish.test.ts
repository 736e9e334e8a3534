import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootlaceError } from '../../src/errors';
import { parseVersionWish, satisfiesWish } from '../../src/settings/version-wish';

const accepted: [text: string, wish: object][] = [
  ['1.2.3', { kind: 'exact', version: '1.2.3' }],
  ['v1.2.3 ', { kind: 'exact', version: '1.2.3' }],
  [' =1.2.3', { kind: 'exact', version: '1.2.3' }],
  ['1.2.3-beta.1+build.5', { kind: 'exact', version: '1.2.3-beta.1' }],
  ['^1.2.0', { kind: 'range', range: '^1.2.0' }],
  ['1.x', { kind: 'range', range: '1.x' }],
  ['~1.3.0', { kind: 'range', range: '~1.3.0' }],
  ['>=1 <3', { kind: 'range', range: '>=1 <3' }],
  ['1 || 3', { kind: 'range', range: '1 || 3' }],
  ['latest', { kind: 'tag', tag: 'latest' }],
  ['next-7', { kind: 'tag', tag: 'next-7' }],
];

const refused: [text: string, code: string][] = [
  ['', 'VERSION_EMPTY'],
  ['   ', 'VERSION_EMPTY'],
  ['1'.repeat(10_240), 'VERSION_TOO_LONG'],
  ['../x', 'VERSION_IS_PATH'],
  ['./dist', 'VERSION_IS_PATH'],
  ['/etc/passwd', 'VERSION_IS_PATH'],
  ['~/backend', 'VERSION_IS_PATH'],
  ['C:\\backend', 'VERSION_IS_PATH'],
  ['file:..', 'VERSION_IS_PATH'],
  ['link:../backend', 'VERSION_IS_PATH'],
  ['workspace:*', 'VERSION_IS_PATH'],
  ['catalog:', 'VERSION_IS_PATH'],
  ['backend.tgz', 'VERSION_IS_PATH'],
  ['npm:other@1', 'VERSION_IS_ALIAS'],
  ['git+ssh://git@github.com/acme/backend.git', 'VERSION_IS_URL'],
  ['git@github.com:acme/backend.git', 'VERSION_IS_URL'],
  ['https://example.com/backend', 'VERSION_IS_URL'],
  ['github:acme/backend', 'VERSION_IS_URL'],
  ['acme/backend', 'VERSION_IS_URL'],
  ['1.0.0; rm -rf /', 'VERSION_INVALID'],
  ['$(whoami)', 'VERSION_INVALID'],
  ['`id`', 'VERSION_INVALID'],
  ['latest && id', 'VERSION_INVALID'],
  ['1.0.0\n2.0.0', 'VERSION_INVALID'],
  ['läuft', 'VERSION_INVALID'],
  ['a\0b', 'VERSION_INVALID'],
];

for (const [text, wish] of accepted)
  test(`version ${JSON.stringify(text)} is accepted`, () =>
    assert.deepEqual(parseVersionWish(text, 'BACKEND_VERSION'), wish));

for (const [text, code] of refused)
  test(`version ${JSON.stringify(text.slice(0, 30))} is refused with ${code}`, () =>
    assert.throws(
      () => parseVersionWish(text, 'BACKEND_VERSION'),
      (error: unknown) => {
        assert(error instanceof BootlaceError);
        assert.equal(error.code, code);
        assert.equal(error.exitCode, 3);
        assert.match(error.fix, /BACKEND_VERSION/);
        assert(error.message.length < 200, 'a long value is shortened');
        return true;
      },
    ));

// An installed version, and whether it may start for a wish while the registry is away.
const satisfied: [wish: string, version: string, may: boolean][] = [
  ['1.4.0', '1.4.0', true],
  ['v1.4.0', '1.4.0', true],
  ['1.4.1', '1.4.0', false],
  ['latest', '1.4.0', true],
  ['next', '1.4.0-rc.1', true],
  ['^1.2.0', '1.4.0', true],
  ['1.x', '1.4.0', true],
  ['*', '2.0.0-rc.1', true],
  ['^1.2.0', '1.5.0-rc.1', false],
  ['^1.5.0-rc.0', '1.5.0-rc.1', true],
  ['^2.0.0', '1.4.0', false],
  ['>1.4.0', '1.4.0', false],
  ['~1.3.0', '1.4.0', false],
];
for (const [wish, version, may] of satisfied)
  test(`${version} ${may ? 'satisfies' : 'does not satisfy'} ${wish}`, () =>
    assert.equal(satisfiesWish(parseVersionWish(wish, 'BACKEND_VERSION'), version), may));
