import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readTarball } from '../../src/install/read-tarball';
import { type Tarball, TarballSink } from '../../src/install/tarball';
import { temporaryFolder } from '../support/run';
import { sha512, tar } from '../support/tarball';

async function readAll(tarball: Tarball): Promise<Record<string, number>> {
  const files: Record<string, number> = {};
  let name = '';
  await readTarball(tarball, 'left@1.0.0', {
    file(path) {
      name = path;
      files[name] = 0;
      return true;
    },
    data(piece) {
      files[name] = (files[name] ?? 0) + piece.length;
    },
    end() {},
  });
  return files;
}

const noise = (size: number) => Buffer.from(Array.from({ length: size }, (_, i) => (i * i) % 251));
const small = tar([{ path: 'package/a', content: 'a' }]);
const large = tar([
  { path: 'package/noise', content: noise(3_000_000) },
  { path: 'package/a', content: 'a' },
]);
const withTrailer = (size: number) => {
  const data = gzipSync(large);
  data.writeUInt32LE(size, data.length - 4);
  return data;
};
const half = small.length / 2;

const cases: [string, Buffer, number][] = [
  ['a small one', gzipSync(small), 1],
  ['one that is larger than the memory for it', gzipSync(large), 2],
  ['one that is not gzipped', small, 1],
  [
    'two gzips in one',
    Buffer.concat([gzipSync(small.subarray(0, half)), gzipSync(small.subarray(half))]),
    1,
  ],
  ['zeros after the end', Buffer.concat([gzipSync(small), Buffer.alloc(100)]), 1],
  ['one without a final block', gzipSync(small.subarray(0, 1024)), 1],
];

for (const [name, data, count] of cases)
  test(`reads ${name}, from memory and from a file`, async t => {
    const file = join(temporaryFolder(t), 'left.tgz');
    writeFileSync(file, data);
    const files = await readAll({ data });
    assert.equal(Object.keys(files).length, count);
    assert.equal(files['package/a'], 1);
    assert.deepEqual(await readAll({ file }), files);
  });

test('a trailer that lies about the size is found out', async () => {
  for (const size of [0, 1, 512, 2 ** 31])
    await assert.rejects(readAll({ data: withTrailer(size) }), { code: 'TARBALL_INVALID' });
});

test('one that is cut off is refused', async () => {
  for (const data of [gzipSync(small).subarray(0, 30), gzipSync(small.subarray(0, 700))])
    await assert.rejects(readAll({ data }), { code: 'TARBALL_INVALID' });
});

const megabyte = Buffer.alloc(1024 * 1024, 1);

for (const [name, length, pieces, inFile] of [
  ['announced and small', 3, ['a', 'bc'], false],
  ['not announced and small', undefined, ['a', 'bc'], false],
  ['longer than announced', 1, ['a', 'bc'], false],
  ['announced and large', 2 ** 21, [megabyte, megabyte], true],
  ['not announced and large', undefined, [megabyte, 'x', megabyte], true],
  ['empty', 0, [], false],
] as const)
  test(`a download that is ${name} waits ${inFile ? 'in a file' : 'in memory'}`, t => {
    const sink = new TarballSink(join(temporaryFolder(t), 'waiting.tgz'), 'sha512');
    const whole = Buffer.concat(pieces.map(piece => Buffer.from(piece)));
    sink.begin(length);
    for (const piece of pieces) {
      const passing = Buffer.from(piece);
      sink.write(passing);
      passing.fill(0);
    }
    assert.equal(sink.size, whole.length);
    assert.equal(sink.checksum(), sha512(whole));
    const tarball = sink.take();
    assert.equal('file' in tarball, inFile);
    const content = 'data' in tarball ? tarball.data : readFileSync(tarball.file);
    assert.deepEqual(content, whole);
  });
