import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bootlace, temporaryFolder } from './run';

const cleanups: (() => void)[] = [];
process.once('exit', () => {
  for (const clean of cleanups) clean();
});

/** Stands in for a test's context: what a whole file shares goes when its process ends. */
export const wholeFile = { after: (fn: () => void) => void cleanups.push(fn) };

type Files = Readonly<Record<string, string>>;
type Context = { after(fn: () => void): void };

/**
 * Writes a backend's folder, for --from.
 * @param json the rest of its package.json
 */
export function sourceOf(t: Context, files: Files, json: Record<string, unknown> = {}): string {
  const source = temporaryFolder(t);
  const manifest = { name: '@acme/backend', version: '1.0.0', main: 'dist/main.js', ...json };
  for (const [path, text] of Object.entries({
    'package.json': JSON.stringify(manifest),
    ...files,
  })) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  return source;
}

/** Sets such a backend up. @returns the folder that holds server.js */
export async function launchable(
  t: Context,
  files: Files,
  json: Record<string, unknown> = {},
): Promise<string> {
  const cwd = temporaryFolder(t);
  const { code, stderr } = await bootlace(['setup', '--from', sourceOf(t, files, json)], { cwd });
  if (code !== 0) throw new Error(stderr);
  return cwd;
}
