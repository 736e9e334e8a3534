import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProblems } from '../scripts/prose';

const sentence = (words: number) =>
  `S${Array.from({ length: words }, (_, index) => `word${index}`).join(' ')}.`;

const cases: [what: string, text: string, lines: number[]][] = [
  ['a sentence of 25 words', sentence(25), []],
  ['a sentence of 26 words', sentence(26), [1]],
  ['two sentences', `${sentence(20)} ${sentence(20)}`, []],
  ['a sentence over several lines', `# Title\n\nOne two\n${sentence(24)}`, [3]],
  ['items of a list', `- ${sentence(20)}\n- ${sentence(20)}`, []],
  ['a cell of a table', `| a | ${sentence(26)} |`, [1]],
  ['two cells', `| ${sentence(20)} | ${sentence(20)} |`, []],
  ['inline code', `It runs \`${sentence(30)}\`.`, []],
  ['a code block', `\`\`\`sh\n${sentence(30)}\n\`\`\`\n`, []],
  ['a comment', `<!-- ${sentence(30)} -->`, []],
  ['a weasel word', 'It is quite fast.', [1]],
  ['a wordy phrase', '\nYou utilize it.', [2]],
  ['a repeated word', 'This is the the one.', [1]],
  ['a word of the list of exceptions', 'It is sent only to its registry.', []],
];
for (const [what, text, lines] of cases)
  test(`prose: ${what}`, () =>
    assert.deepEqual([...new Set(findProblems(text).map(({ line }) => line))], lines));
