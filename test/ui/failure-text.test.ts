import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { DeployError } from '../../src/errors';
import { failureText, fixText } from '../../src/ui/failure-text';

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

test('of a long message each sentence has a line of its own', () => {
  const text = (message: string) => failureText(new DeployError('X', message, { fix: 'f' }));
  assert.equal(
    text('it failed. api: 1.0.0 is live'),
    'bootlace: X: it failed. api: 1.0.0 is live\n  fix: f\n',
  );
  const words = `${long('a')}. api: 1.0.0 is live. b: back`;
  const lines = [
    `bootlace: X: ${long('a')}.`,
    '  api: 1.0.0 is live.',
    '  b: back',
    '  fix: f',
    '',
  ];
  assert.equal(text(words), lines.join('\n'));
});
