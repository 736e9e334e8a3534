import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IntegrityError } from '../../src/errors';
import { pathInside } from '../../src/install/package-writer';
import { mostEntries, TarReader } from '../../src/install/tar-reader';
import { corpus, mutate, random, readAll, readWithLibrary } from '../support/fuzz-tar';
import { type TarEntry, tar } from '../support/tarball';

const long = `package/${'some-folder/'.repeat(20)}file.js`;

const honest: [string, TarEntry[]][] = [
  ['one file', [{ path: 'package/a.js', content: 'a' }]],
  ['an empty file', [{ path: 'package/a.js' }]],
  ['a file of one block', [{ path: 'package/a.js', content: 'x'.repeat(512) }]],
  ['a path in PAX', [{ path: long, content: 'a' }]],
  [
    'a path in GNU form',
    [
      { path: 'l', type: 'L', content: `${long}\0` },
      { path: 'x', content: 'a' },
    ],
  ],
  ['names that are not ASCII', [{ path: 'package/grüße-日本.js', content: 'ü' }]],
  [
    'folders',
    [
      { path: 'package/lib/', type: '5' },
      { path: 'package/lib/a.js', content: 'a' },
    ],
  ],
  [
    'one name twice',
    [
      { path: 'package/a', content: '1' },
      { path: 'package/a', content: '22' },
    ],
  ],
  [
    'links between files',
    [
      { path: 'package/a', type: '2', linkpath: '/etc' },
      { path: 'package/b', type: '1', linkpath: 'package/c' },
      { path: 'package/c', content: 'c' },
    ],
  ],
  [
    'a global header',
    [
      { path: 'g', type: 'g', content: '13 comment=x\n' },
      { path: 'package/a', content: 'a' },
    ],
  ],
];

for (const [name, entries] of honest)
  test(`reads as the library does: ${name}`, () => {
    const archive = tar(entries);
    const expected = readWithLibrary(archive);
    assert.ok(expected.length > 0 && typeof expected !== 'string');
    assert.deepEqual(readAll(archive), expected);
    for (const size of [1, 7, 511, 513]) assert.deepEqual(readAll(archive, size), expected);
  });

const refused: [string, TarEntry[], string][] = [
  ['a path that climbs', [{ path: 'package/../../x', content: 'x' }], 'TARBALL_HOSTILE'],
  ['a path that climbs as on Windows', [{ path: 'package/..\\..\\x' }], 'TARBALL_HOSTILE'],
  ['an absolute path', [{ path: '/etc/passwd', content: 'x' }], 'TARBALL_HOSTILE'],
  ['a drive', [{ path: 'package/C:/x', content: 'x' }], 'TARBALL_HOSTILE'],
  [
    'a climbing path in PAX',
    [{ path: `package/../${'x/'.repeat(60)}x`, content: 'x' }],
    'TARBALL_HOSTILE',
  ],
  [
    'a name of megabytes',
    [{ path: 'l', type: 'L', content: 'x'.repeat(2_000_000) }],
    'TARBALL_HOSTILE',
  ],
  [
    'a size that is not there',
    [{ path: 'package/a', content: 'a', size: 5000 }],
    'TARBALL_INVALID',
  ],
  ['nothing', [], 'TARBALL_INVALID'],
];

for (const [name, entries, code] of refused)
  test(`refuses ${name}`, () => assert.equal(readAll(tar(entries)), code));

test('gives no link, device or pipe', () => {
  const types = ['1', '2', '3', '4', '6', 'Z'];
  const entries = types.map(type => ({
    path: `package/${type}`,
    type,
    linkpath: type < '3' ? 'x' : '',
  }));
  assert.deepEqual(readAll(tar([...entries, { path: 'package/a', content: 'a' }])), [
    { path: 'package/a', content: 'a' },
  ]);
});

test('refuses a million entries without keeping them', () => {
  const block = tar([{ path: 'package/a' }]).subarray(0, 512);
  const many = Buffer.concat(Array.from({ length: 1000 }, () => block));
  let entries = 0;
  const reader = new TarReader('many@1.0.0', {
    file: () => ++entries > 0,
    data() {},
    end() {},
  });
  assert.throws(
    () => {
      for (let i = 0; i < 1000; i++) reader.write(many);
    },
    (error: unknown) => error instanceof IntegrityError && /many@1\.0\.0/.test(error.message),
  );
  assert.equal(entries, mostEntries);
});

const paths: [string, string][] = [
  ['package/a.js', 'a.js'],
  ['other/lib/a.js', 'lib/a.js'],
  ['package', ''],
  ['package/', ''],
  ['package/lib/', 'lib'],
  ['package/./lib//a.js', 'lib/a.js'],
  ['package/...', '...'],
  ['package/..a/.b', '..a/.b'],
  ['package/a\\b', 'a\\b'],
];

for (const [path, expected] of paths)
  test(`${path} is ${expected || 'the folder itself'}`, () =>
    assert.equal(pathInside(path, 'x'), expected));

test('takes fuzzed archives without a crash or a path outside', () => {
  const pick = random(1);
  let compared = 0;
  for (let i = 0; i < 20_000; i++) {
    const archive = mutate(corpus[pick(corpus.length)] as Buffer, pick);
    const read = readAll(archive);
    assert.deepEqual(readAll(archive, 1 + pick(600)), read);
    if (typeof read !== 'string') compared++;
  }
  assert.ok(compared > 5000, `only ${compared} were read`);
});
