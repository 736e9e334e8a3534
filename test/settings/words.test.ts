import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { expandWord, splitWords } from '../../src/settings/words';

const env = { PORT: '3000', EMPTY: '', NAME: 'a b' };

const cases: [text: string, words: string[] | undefined][] = [
  ['node server.js', ['node', 'server.js']],
  ['  a   b  ', ['a', 'b']],
  ['', []],
  [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
  [`a'b'"c"`, ['abc']],
  [`""`, ['']],
  ['-p $PORT', ['-p', '3000']],
  [
    `-p \${PORT:-8080} \${MISSING:-8080} \${EMPTY:-8080} \${MISSING}`,
    ['-p', '3000', '8080', '8080', ''],
  ],
  [`\${EMPTY-x} \${MISSING-x} \${PORT-x}`, ['', 'x', '3000']],
  [`"\${NAME}" '$NAME'`, ['a b', '$NAME']],
  ['"a\\"b" "a\\nb"', ['a"b', 'a\\nb']],
  ['a=b@c:d,e/f.g', ['a=b@c:d,e/f.g']],
  ['a && b', undefined],
  ['a | b', undefined],
  ['a; b', undefined],
  ['a > b', undefined],
  ['$(id)', undefined],
  ['`id`', undefined],
  ['"`id`"', undefined],
  ['*.js', undefined],
  ["'open", undefined],
  [`\${PORT:+x}`, undefined],
  ['$1', undefined],
];

for (const [text, words] of cases)
  test(`words of ${JSON.stringify(text)}`, () =>
    assert.deepEqual(
      splitWords(text)?.map(word => expandWord(word, env)),
      words,
    ));

test('whatever is split is split as a shell splits it', () => {
  const texts = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '"', "'", '\\', '=', '/', '-', '1'),
    maxLength: 24,
  });
  fc.assert(
    fc.property(texts, text => {
      const words = splitWords(text)?.map(word => expandWord(word, {}));
      if (!words || text.endsWith('\\')) return;
      const shell = execFileSync(
        '/bin/sh',
        ['-c', `for w in ${text}; do printf '%s\\0' "$w"; done`],
        { encoding: 'utf8' },
      );
      assert.deepEqual(words, shell.split('\0').slice(0, -1));
    }),
    { numRuns: 200 },
  );
});
