import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, leftOut, megabytes } from '../../src/ui/text';

for (const [bytes, text] of [
  [0, '0.0 kB'],
  [140, '0.1 kB'],
  [4200, '4.2 kB'],
  [49_900, '50 kB'],
  [50_000, '0.1 MB'],
  [1_234_567, '1.2 MB'],
  [93_000_000, '93 MB'],
] as const)
  test(`${bytes} bytes are ${text}`, () => assert.equal(megabytes(bytes), text));

for (const [n, text] of [
  [0, '0 packages'],
  [1, '1 package'],
  [2, '2 packages'],
] as const)
  test(`${n} is ${text}`, () => assert.equal(count(n, 'package'), text));

for (const [files, bytes, text] of [
  [0, 0, 'nothing to leave out'],
  [1, 4200, 'left out 1 file, 4.2 kB'],
  [6, 93_000_000, 'left out 6 files, 93 MB'],
] as const)
  test(`${files} files of --slim: ${text}`, () => assert.equal(leftOut({ files, bytes }), text));
