// The text of a package.json that is known to be right: its places, and a change that keeps its form.

/**
 * Adds a name to the list `files` of a package.json text, and changes nothing else of it: not the
 * indent, not the order, not the line ends. Pure.
 * @returns the text; the same text when there is no list or it covers the name
 */
export function addToFiles(text: string, name: string): string {
  const { files } = JSON.parse(text.replace(/^\uFEFF/, '')) as { files?: unknown };
  if (!Array.isArray(files) || covers(files.map(String), name)) return text;
  const open = findValue(text, 'files') ?? 0;
  const [list = ''] = /^\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*/.exec(text.slice(open)) ?? [];
  const inside = list.slice(1);
  const end = open + list.trimEnd().length;
  const separator = /^\s*\n/.test(inside) ? `,${/^\s*/.exec(inside)?.[0]}` : ', ';
  const added = (inside.trim() && separator) + JSON.stringify(name);
  return text.slice(0, end) + added + text.slice(inside.trim() ? end : open + list.length);
}

/** True when the list packs a file at the package's top. */
function covers(files: readonly string[], name: string): boolean {
  const plain = files.map(file => file.replace(/^(!?)\.?\//, '$1').replace(/\/+$/, ''));
  const all = [name, '', '.', '*', '**', '**/*', '*.json', '**/*.json'];
  return plain.findLastIndex(each => all.includes(each)) > plain.lastIndexOf(`!${name}`);
}

/**
 * Where a key of package.json stands. Pure.
 * @param path such as `dependencies.left-pad` or `bootlace.roles.web`
 * @returns line and column from 1; as much of the path as is there
 */
export function placeInManifest(
  text: string,
  path: string | undefined,
): { line: number; column: number } {
  // Names of packages, bins and exports may hold dots.
  const [first = '', ...rest] = (path ?? '').split('.');
  const keys = first === 'bootlace' ? [first, ...rest] : [first, rest.join('.')];
  let at = 0;
  for (const key of keys) {
    const found = findValue(text.slice(at), key);
    if (found === undefined) break;
    at += found;
    if (text[at] !== '{') break;
  }
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The place of a key's value in the text of an object. */
function findValue(text: string, key: string): number | undefined {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (/^[{[]/.test(token)) depth++;
    else if (/^[}\]]/.test(token)) depth--;
    else if (depth === 1 && JSON.parse(token) === key) {
      const end = index + token.length;
      const colon = /^\s*:\s*/.exec(text.slice(end))?.[0];
      if (colon) return end + colon.length;
    }
  }
  return undefined;
}
