import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { hashPackages, hashTree } from '../../src/release/tree';
import { temporaryFolder } from '../support/run';

const files = ['a/index.js', 'a/node_modules/b/x.js', '@s/c/lib/node_modules/d/y.js', '.hidden/z'];

function makeTree(folder: string): string {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file);
  }
  mkdirSync(join(folder, '.bin'));
  symlinkSync('../a/index.js', join(folder, '.bin', 'a'));
  return folder;
}

const changes: [string, (folder: string) => void][] = [
  ['a byte', folder => writeFileSync(join(folder, 'a/index.js'), 'A/index.js')],
  ['an exec bit', folder => chmodSync(join(folder, 'a/index.js'), 0o755)],
  ['a name', folder => renameSync(join(folder, 'a/index.js'), join(folder, 'a/other.js'))],
  ['a file more', folder => writeFileSync(join(folder, 'a/more.js'), '')],
  ['a file less', folder => rmSync(join(folder, '@s/c/lib/node_modules/d/y.js'))],
  [
    'a link',
    folder => {
      rmSync(join(folder, '.bin/a'));
      symlinkSync('../a/other.js', join(folder, '.bin/a'));
    },
  ],
  [
    'a link that becomes a file',
    folder => {
      rmSync(join(folder, '.bin/a'));
      writeFileSync(join(folder, '.bin/a'), '../a/index.js');
    },
  ],
];

for (const [name, change] of changes)
  test(`the hash of a tree shows ${name}`, t => {
    const folder = makeTree(temporaryFolder(t));
    const before = hashTree(folder);
    assert.equal(before.files, 4);
    assert.equal(hashTree(folder).sha256, before.sha256);
    change(folder);
    assert.notEqual(hashTree(folder).sha256, before.sha256);
  });

test("npm's hidden lock file is not of the tree", t => {
  const folder = makeTree(temporaryFolder(t));
  const before = hashTree(folder);
  writeFileSync(join(folder, '.package-lock.json'), '{}');
  assert.deepEqual(hashTree(folder), before);
});

test('files belong to the innermost package, in whatever order they come', () => {
  const file = { isExecutable: false, size: 1, sha256: 'x' };
  const paths = files.map(path => `node_modules/${path}`);
  const one = hashPackages(new Map(paths.map(path => [path, file])));
  assert.deepEqual([...one.keys()].sort(), [
    '',
    'node_modules/@s/c/lib/node_modules/d',
    'node_modules/a',
    'node_modules/a/node_modules/b',
  ]);
  const other = hashPackages(new Map(paths.reverse().map(path => [path, file])));
  for (const [name, hash] of one) assert.deepEqual(other.get(name), hash);
});
