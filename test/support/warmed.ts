import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceOf } from './launched';
import { bin, runNode, temporaryFolder } from './run';

export interface Warmed {
  cwd: string;
  requiresKept: unknown;
  importsKept: unknown;
  /** The folder of what was kept. */
  kept: string;
}

/** Sets a backend up in a new folder with `setup --warm`. */
export async function warmed(
  t: Parameters<typeof sourceOf>[0],
  node: string,
  backend: Readonly<Record<string, string>>,
  manifest: Record<string, unknown>,
): Promise<Warmed> {
  const cwd = temporaryFolder(t);
  const { code, stdout, stderr } = await runNode(
    bin,
    ['setup', '--from', sourceOf(t, backend, manifest), '--warm', '--json'],
    { cwd, node },
  );
  assert.equal(code, 0, stderr);
  const compiled = join(cwd, '.bootlace', 'cache', 'compile');
  const [release] = existsSync(compiled) ? readdirSync(compiled) : [];
  const { requiresKept, importsKept } = JSON.parse(stdout).warmed;
  return { cwd, requiresKept, importsKept, kept: join(compiled, release ?? '') };
}

/** Lets what was kept lead elsewhere, so that it shows whether a start goes by it. */
export function mislead(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  assert(text.includes(from), text);
  writeFileSync(file, text.replace(from, to));
}
