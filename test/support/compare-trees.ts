import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What is at a path. */
type Found =
  | { kind: 'folder' }
  | { kind: 'link'; target: string }
  | { kind: 'file'; mode: number; full: string };

/** What differs between two folders: every path, byte, mode and link target; one line each. */
export function compareTrees(wanted: string, found: string): string[] {
  const a = walk(wanted);
  const b = walk(found);
  const lines: string[] = [];
  for (const [path, entry] of a) {
    const other = b.get(path);
    if (!other) lines.push(`missing: ${path} (${entry.kind})`);
    else if (entry.kind !== other.kind) lines.push(`${path}: ${entry.kind}, here ${other.kind}`);
    else if (entry.kind === 'link' && other.kind === 'link' && entry.target !== other.target)
      lines.push(`${path}: links to ${entry.target}, here ${other.target}`);
    else if (entry.kind === 'file' && other.kind === 'file') {
      if (entry.mode !== other.mode)
        lines.push(`${path}: mode ${entry.mode.toString(8)}, here ${other.mode.toString(8)}`);
      if (!readFileSync(entry.full).equals(readFileSync(other.full)))
        lines.push(`${path}: other content`);
    }
  }
  for (const [path, { kind }] of b) if (!a.has(path)) lines.push(`not wanted: ${path} (${kind})`);
  return lines;
}

function walk(folder: string, path = '', found = new Map<string, Found>()): Map<string, Found> {
  for (const { name } of readdirSync(join(folder, path), { withFileTypes: true })) {
    const child = path ? `${path}/${name}` : name;
    const full = join(folder, child);
    const stat = lstatSync(full);
    if (stat.isSymbolicLink()) found.set(child, { kind: 'link', target: readlinkSync(full) });
    else if (stat.isDirectory()) {
      found.set(child, { kind: 'folder' });
      walk(folder, child, found);
    } else found.set(child, { kind: 'file', mode: stat.mode & 0o7777, full });
  }
  return found;
}
