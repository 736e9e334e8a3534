import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { fixText } from '../../src/ui/failure-text';

const long = (letter: string) => letter.repeat(60);
const fixes: [fix: string, lines: string[]][] = [
  ['run: npx bootlace setup', ['  fix: run: npx bootlace setup']],
  [`${long('a')}; b`, [`  fix: ${long('a')}; b`]],
  [`${long('a')}; ${long('b')}`, [`  fix: ${long('a')};`, `       ${long('b')}`]],
  [`${long('a')}, ${long('b')}`, [`  fix: ${long('a')},`, `       ${long('b')}`]],
  // What is to be typed, and what stands in brackets, is not broken.
  [`${long('a')} ${long('b')}`, [`  fix: ${long('a')} ${long('b')}`]],
  [`${long('a')} (b, ${long('c')})`, [`  fix: ${long('a')} (b, ${long('c')})`]],
];
suite('a fix of more than 100 characters is broken', () => {
  for (const [fix, lines] of fixes)
    test(fix, () => assert.deepEqual(fixText(fix, '  ').split('\n'), lines));
});
