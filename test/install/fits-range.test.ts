import assert from 'node:assert/strict';
import { test } from 'node:test';
import satisfies from 'semver/functions/satisfies';
import { fitsRange } from '../../src/install/fits-range';

test('a version is in a range exactly when it is for npm', () => {
  const numbers = [0, 1, 2, 10];
  const versions = numbers.flatMap(a => numbers.flatMap(b => numbers.map(c => `${a}.${b}.${c}`)));
  const others = ['1.2.2-beta.1', '2.0.0+build', '01.2.2', ' 1.2.2'];
  const ranges = versions.flatMap(each => [`^${each}`, `~${each}`]);
  const all = [
    ...ranges,
    '*',
    '1 || 2',
    '>=1.2 <2',
    '^1.2.2-beta.1',
    '1.x',
    '^1',
    '~1.2',
    '01.2.2',
  ];
  let fitting = 0;
  for (const version of [...versions, ...others])
    for (const range of all) {
      const wanted = satisfies(version, range, { loose: true });
      assert.equal(fitsRange(version, range), wanted, `${version} in ${range}`);
      if (wanted) fitting++;
    }
  assert(fitting > 500, String(fitting));
});
