import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Programs that a bench compares with; installed once, into the git-ignored .cache. */
export interface Tools {
  node: string;
  npm: string;
  pnpm: string;
  bun: string;
  versions: Record<'node' | 'npm' | 'pnpm' | 'bun', string>;
}

const platform = `${process.platform}-${process.arch}`;
const wanted = {
  node: `npm:node-${platform}@24`,
  npm: '11',
  // The package pnpm picks its program in an install script; this is that program.
  pnpm: '12',
  [`@oven/bun-${platform}`]: '1',
};

/** @param folder .cache/bench/tools @param node a Node to measure with, instead of Node 24 */
export function installTools(folder: string, node?: string): Tools {
  const stamp = join(folder, 'wanted.json');
  const text = JSON.stringify(wanted);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== text) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ private: true, dependencies: wanted }),
    );
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: 'inherit',
    });
    writeFileSync(stamp, text);
  }
  const modules = join(folder, 'node_modules');
  const version = (name: string) =>
    (JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { version: string })
      .version;
  const used = node ?? join(modules, 'node', 'bin', 'node');
  return {
    node: used,
    npm: join(modules, 'npm', 'bin', 'npm-cli.js'),
    pnpm: join(modules, `@pnpm/exe.${platform}`, 'pnpm'),
    bun: join(modules, `@oven/bun-${platform}`, 'bin', 'bun'),
    versions: {
      node: execFileSync(used, ['-v'], { encoding: 'utf8' }).trim().slice(1),
      npm: version('npm'),
      pnpm: version('pnpm'),
      bun: version(`@oven/bun-${platform}`),
    },
  };
}
