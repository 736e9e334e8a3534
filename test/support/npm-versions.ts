import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './run';

const run = promisify(execFile);

/** An npm of one major version. */
export interface Npm {
  version: string;
  /** Its npm-cli.js. */
  script: string;
}

/**
 * Installs an npm into the git-ignored .cache, once.
 * @returns the npm, or why it cannot be had
 */
export async function installNpm(major: number): Promise<Npm | string> {
  const folder = join(root, '.cache', 'npm', String(major));
  const script = join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (!existsSync(script)) {
    const stage = `${folder}.${process.pid}`;
    mkdirSync(stage, { recursive: true });
    writeFileSync(join(stage, 'package.json'), '{"private":true}');
    try {
      await run('npm', ['install', `npm@${major}`, '--ignore-scripts', '--no-audit'], {
        cwd: stage,
        timeout: 120_000,
      });
    } catch (error) {
      rmSync(stage, { recursive: true, force: true });
      return `npm ${major} cannot be installed: ${(error as Error).message.split('\n')[0]}`;
    }
    if (!existsSync(folder)) renameSync(stage, folder);
  }
  const manifest = readFileSync(join(folder, 'node_modules', 'npm', 'package.json'), 'utf8');
  return { version: (JSON.parse(manifest) as { version: string }).version, script };
}
