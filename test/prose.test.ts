import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProblems } from '../scripts/prose';

const long = (words: number) => `${Array(words).fill('word').join(' ').replace('w', 'W')}.`;
// Repeated words are a finding, too.
const distinct = (words: number) =>
  `${Array.from({ length: words }, (_, index) => `word${index}`).join(' ')}.`;

const cases: [what: string, text: string, lines: number[]][] = [
  ['a sentence of 25 words', distinct(25), []],
  ['a sentence of 26 words', distinct(26), [1]],
  ['two sentences', `${distinct(20)} ${distinct(20)}`, []],
  ['a sentence over several lines', `# Title\n\nOne two\n${distinct(24)}`, [3]],
  ['items of a list', `- ${distinct(20)}\n- ${distinct(20)}`, []],
  ['a cell of a table', `| a | ${distinct(26)} |`, [1]],
  ['two cells', `| ${distinct(20)} | ${distinct(20)} |`, []],
  ['inline code', `It runs \`${distinct(30)}\`.`, []],
  ['a code block', `\`\`\`sh\n${distinct(30)}\n\`\`\`\n`, []],
  ['a comment', `<!-- ${distinct(30)} -->`, []],
  ['a weasel word', 'It is quite fast.', [1]],
  ['a wordy phrase', '\nYou utilize it.', [2]],
  ['a repeated word', long(2), [1]],
  ['a word of the list of exceptions', 'It is sent only to its registry.', []],
];
for (const [what, text, lines] of cases)
  test(`prose: ${what}`, () =>
    assert.deepEqual([...new Set(findProblems(text).map(({ line }) => line))], lines));
