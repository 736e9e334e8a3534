import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '..', '..', '..');
/** What benches need and nothing else does; ignored by git. */
export const cache = join(root, '.cache', 'bench');

/** Installs packages into a folder of the cache, once. */
export function installInto(name: string, specs: readonly string[]): string {
  const folder = join(cache, name);
  if (existsSync(join(folder, 'done'))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...specs],
    { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (status !== 0) throw new Error(`npm install ${specs.join(' ')}: ${stderr.slice(-500)}`);
  writeFileSync(join(folder, 'done'), '');
  return folder;
}

/** A real Node of a major version; this one when it is of that version. */
export function nodeBinary(major: string): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = installInto(`node${major}`, [`${name}@${major}`]);
  return join(folder, 'node_modules', name, 'bin', 'node');
}

export function autocannonFile(): string {
  const folder = installInto('autocannon', ['autocannon@8']);
  return join(folder, 'node_modules', 'autocannon', 'autocannon.js');
}
