import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootlaceError } from '../../src/errors';
import { checkLockable } from '../../src/publish/lockable';

const refused: [spec: string, fix: RegExp][] = [
  ['workspace:*', /publish x and depend on its version/],
  ['workspace:^1.0.0', /publish x/],
  ['catalog:', /the version that the workspace's catalog names for x/],
  ['catalog:default', /catalog/],
  ['file:../x', /publish x/],
  ['../x', /publish x/],
  ['./x.tgz', /publish x/],
  ['/srv/x', /publish x/],
  ['~/x', /publish x/],
  ['C:\\x', /publish x/],
  ['link:../x', /publish x/],
  ['portal:../x', /publish x/],
  ['patch:x@npm%3A1.0.0#./x.patch', /under your own name/],
  ['git+ssh://git@example.com/a/x.git', /your registry/],
  ['git+https://example.com/a/x.git#v1', /your registry/],
  ['git://example.com/a/x.git', /your registry/],
  ['git@example.com:a/x.git', /your registry/],
  ['https://example.com/a/x.git', /your registry/],
  ['github:a/x', /your registry/],
  ['gitlab:a/x', /your registry/],
  ['a/x', /your registry/],
  ['a/x#semver:^1', /your registry/],
];
const accepted = [
  '1.2.3',
  '^1.2.3',
  '~1.2',
  '>=1 <3',
  '1.x || >=2.5.0 || 5.0.0 - 7.2.3',
  '*',
  '',
  'latest',
  'next-11',
  'npm:other@1',
  'npm:@a/b@^1.0.0',
  'https://example.com/x-1.0.0.tgz',
];

for (const [spec, fix] of refused)
  for (const section of ['dependencies', 'optionalDependencies'])
    test(`refused in ${section}: ${spec}`, () => {
      assert.throws(
        () => checkLockable({ name: 'b', [section]: { x: spec } }),
        (error: unknown) =>
          error instanceof BootlaceError &&
          error.code === 'LOCK_DEPENDENCY' &&
          error.exitCode === 3 &&
          error.message.includes(`x@${spec}`) &&
          fix.test(error.fix),
      );
    });

for (const spec of accepted)
  test(`accepted: ${spec || 'nothing'}`, () => {
    assert.doesNotThrow(() => checkLockable({ name: 'b', dependencies: { x: spec } }));
  });

test('what the tarball brings along may come from anywhere', () => {
  assert.doesNotThrow(() =>
    checkLockable({
      name: 'b',
      dependencies: { x: 'workspace:*' },
      bundleDependencies: ['x'],
      devDependencies: { y: 'file:../y' },
    }),
  );
});
