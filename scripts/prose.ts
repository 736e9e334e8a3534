// npm run lint:prose: write-good, and a length of sentences, over README.md and docs/.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeGood from 'write-good';

const root = join(__dirname, '..');
const mostWords = 25;

/** Checks of write-good that are off. */
const off = {
  // "is removed" says what happens to the token; the programs that act are often Render or npm.
  passive: false,
};

/** Phrases that write-good takes for empty and that say something here. */
const allowed = new Set([
  'it is', // a subject and a verb
  'it was',
  'is only', // "the token is sent only to its registry" is a promise
  'only',
  'exactly', // exactly one version, exactly what a lock says
  'several', // more than one is what the failure is about
  'many', // too many, that many MB
  'a number of', // a number of MB
  'multiple', // a multiple of 5
  'type of', // the field type
  'maximum', // of a figure
  'require', // Node's function
  'validate',
]);

export interface Finding {
  line: number;
  text: string;
}

/**
 * What the linter finds in a Markdown text. Code blocks, comments and images are left out, inline
 * code counts as one word, and each cell of a table stands for itself.
 */
export function findProblems(markdown: string): Finding[] {
  return paragraphsOf(markdown).flatMap(({ line, text }) => [
    ...writeGood(text, off)
      .filter(({ index, offset }) => !allowed.has(text.slice(index, index + offset).toLowerCase()))
      .map(({ reason, index, offset }) => ({
        line,
        text: `${reason} in: ${text.slice(Math.max(0, index - 30), index + offset + 30)}`,
      })),
    ...longSentences(text).map(sentence => ({ line, text: sentence })),
  ]);
}

/** A semicolon ends a sentence, too, or an entry of a list. */
function longSentences(text: string): string[] {
  return [...new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text)]
    .flatMap(({ segment }) => segment.split(';'))
    .map(segment => ({
      segment,
      words: segment.split(/\s+/).filter(each => /\w/.test(each)),
    }))
    .filter(({ words }) => words.length > mostWords)
    .map(({ segment, words }) => `${words.length} words in one sentence: ${segment.trim()}`);
}

function paragraphsOf(markdown: string): Finding[] {
  const blank = (text: string) => text.replace(/[^\n]/g, '');
  const prose = markdown
    .replace(/^( *)```[\s\S]*?^\1```/gm, blank)
    .replace(/<!--[\s\S]*?-->|<[^>\n]+>/g, blank)
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/``.+?``|`[^`]+`/g, (_, at: number) => `Code${at}`);
  const found: Finding[] = [];
  let open: Finding | undefined;
  for (const [index, line] of prose.split('\n').entries()) {
    const isOwn = /^\s*(\||#)/.test(line);
    const text = line.replace(/^\s*(#+|[-*>]|\d+\.)\s/, '').trim();
    if (isOwn) found.push(...text.split('|').map(cell => ({ line: index + 1, text: cell.trim() })));
    else if (open && text && !/^\s*([-*]|\d+\.)\s/.test(line)) open.text += ` ${text}`;
    else if (text) {
      open = { line: index + 1, text };
      found.push(open);
    }
    if (isOwn || !text) open = undefined;
  }
  return found.filter(({ text }) => /\w/.test(text));
}

if (require.main === module) {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => join('docs', name))
    .sort();
  const lines = ['README.md', ...pages].flatMap(page =>
    findProblems(readFileSync(join(root, page), 'utf8')).map(
      ({ line, text }) => `${page}:${line}: ${text}`,
    ),
  );
  if (lines.length) console.error(lines.join('\n'));
  console.log(`${1 + pages.length} pages, ${lines.length} findings`);
  process.exitCode = lines.length ? 1 : 0;
}
