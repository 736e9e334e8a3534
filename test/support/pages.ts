import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './run';

/** The pages for users and contributors, by their path from the top of the repository. */
export const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map(name => posix.join('docs', name.replaceAll('\\', '/')))
    .filter(name => name.endsWith('.md'))
    .sort(),
];

export const readPage = (page: string) => readFileSync(join(root, page), 'utf8');

export interface ShellBlock {
  /** The comment in the line before, such as `run in a backend: nothing to mend`. */
  mark: string | undefined;
  text: string;
}

/** The blocks of shell commands in a Markdown text, without the indent of a list. */
export function shellBlocks(markdown: string): ShellBlock[] {
  const blocks = markdown.matchAll(/(?:<!-- ([^\n]*?) -->\n)?^( *)```sh\n([\s\S]*?)^\2```/gm);
  return [...blocks].map(([, mark, indent = '', text = '']) => ({
    mark,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** A command line of bootlace, without `npx` and the rest of its line. */
export interface Typed {
  command: string;
  flags: string[];
}

/** What a Markdown text tells the reader to type, in blocks and within sentences. */
export function typedCommands(markdown: string): Typed[] {
  const inline = [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const lines = shellBlocks(markdown).flatMap(({ text }) => text.replace(/\\\n/g, ' ').split('\n'));
  return [...inline, ...lines].flatMap(line => {
    const found = /^\s*(?:npx (?:--yes )?)?bootlace(?:@\d+)? ([a-z]+)(.*)/.exec(line);
    if (!found) return [];
    const [words = ''] = (found[2] ?? '').split(/ -- | #/);
    return [{ command: found[1] ?? '', flags: words.match(/--[a-z][a-z-]*/g) ?? [] }];
  });
}

/**
 * The links and images of a page that lead nowhere: to no file, or to no heading of the file.
 * @param page the path from the top of the repository
 */
export function brokenLinks(page: string, markdown: string): string[] {
  const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, 'code');
  const targets = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|<img [^>]*src="([^"]+)"/g)];
  return targets
    .map(([, link, image]) => link ?? image ?? '')
    .filter(target => !/^[a-z]+:/.test(target))
    .filter(target => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : posix.join(posix.dirname(page), path);
      if (path !== '' && !existsSync(join(root, file))) return true;
      if (anchor === undefined) return false;
      return !anchorsOf(path === '' ? markdown : readPage(file)).includes(anchor);
    });
}

/** The anchors that GitHub gives to the headings of a text. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutBlocks(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim();
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^( *)```[\s\S]*?^\1```/gm, '');
}
