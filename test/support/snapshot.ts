import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Every path of a folder with its mode and content, for comparing before and after. */
export function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(walk(folder, ''));
}

/** The paths below a folder whose content or name holds the text. */
export function searchFiles(folder: string, text: string): string[] {
  return walk(folder, '').flatMap(([path, content]) =>
    content.includes(text) || path.includes(text) ? [path] : [],
  );
}

/** What another process removes meanwhile is passed over. */
function walk(folder: string, path: string): [path: string, content: string][] {
  return unlessGone(() => readdirSync(join(folder, path)).sort(), []).flatMap(name => {
    const child = path ? `${path}/${name}` : name;
    const full = join(folder, child);
    return unlessGone((): [string, string][] => {
      const stat = lstatSync(full);
      const content = stat.isSymbolicLink()
        ? readlinkSync(full)
        : stat.isFile()
          ? readFileSync(full, 'latin1')
          : '';
      const below = stat.isDirectory() ? walk(folder, child) : [];
      return [[child, `${stat.mode.toString(8)} ${content}`], ...below];
    }, []);
  });
}

function unlessGone<T>(read: () => T, instead: T): T {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  }
}
