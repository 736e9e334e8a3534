/**
 * Adds a name to the list `files` of a package.json text, and changes nothing else of it: not the
 * indent, not the order, not the line ends. Pure.
 * @returns the text; the same text when there is no list or it covers the name
 */
export function addToFiles(text: string, name: string): string {
  const { files } = JSON.parse(text.replace(/^\uFEFF/, '')) as { files?: unknown };
  if (!Array.isArray(files) || covers(files.map(String), name)) return text;
  const open = findValue(text, 'files');
  if (open === undefined) return text;
  const close = endOfList(text, open);
  const inside = text.slice(open + 1, close);
  const quoted = JSON.stringify(name);
  if (inside.trim() === '') return text.slice(0, open + 1) + quoted + text.slice(close);
  const end = open + 1 + inside.trimEnd().length;
  const separator = /^\s*\n/.test(inside) ? `,${/^\s*/.exec(inside)?.[0]}` : ', ';
  return text.slice(0, end) + separator + quoted + text.slice(end);
}

/** True when the list packs a file at the package's top. */
function covers(files: readonly string[], name: string): boolean {
  let isCovered = false;
  for (const file of files) {
    const pattern = file.replace(/^!?\.?\//, file.startsWith('!') ? '!' : '').replace(/\/+$/, '');
    if (pattern === `!${name}`) isCovered = false;
    if ([name, '', '.', '*', '**', '**/*', '*.json', '**/*.json'].includes(pattern))
      isCovered = true;
  }
  return isCovered;
}

/** The place of a top-level key's value in a JSON text that is known to be right. */
export function findValue(text: string, key: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '{' || c === '[') depth++;
    else if (c === '}' || c === ']') depth--;
    else if (c === '"') {
      const end = endOfString(text, i);
      const after = /^\s*:\s*/.exec(text.slice(end, end + 200));
      if (depth === 1 && after && JSON.parse(text.slice(i, end)) === key)
        return end + after[0].length;
      i = end - 1;
    }
  }
  return undefined;
}

function endOfList(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === '"') i = endOfString(text, i) - 1;
    else if (text[i] === ']') return i;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}
