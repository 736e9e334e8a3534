/**
 * True for a file that a server does not load: type declarations, source maps, Markdown. Licences
 * and notices stay whatever their format, and nothing of a bundled typescript goes: it reads its own
 * declarations.
 * @param path below the package's folder
 */
export function isSlimmed(path: string): boolean {
  if (/(^|\/)node_modules\/typescript\//.test(path)) return false;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.d\.[cm]?ts$|\.(?:[cm]?[jt]sx?|css)\.map$/i.test(name)) return true;
  return /\.(?:md|markdown)$/i.test(name) && !legal.test(name);
}

const legal = /licen[cs]e|copying|copyright|notice|patents|authors|contributors|third.?party/i;
