import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { InstallError } from '../errors';
import type { Io } from '../io';

/**
 * Finds npm's own script, so that no shell stands in between: the npm that runs us, the one beside
 * this Node, or the one on PATH.
 * @returns the path of npm-cli.js
 * @throws InstallError NPM_MISSING
 */
export function findNpm({ env, execPath }: Pick<Io, 'env' | 'execPath'>): string {
  const beside = dirname(execPath);
  const script = join('node_modules', 'npm', 'bin', 'npm-cli.js');
  const places = [
    env.npm_execpath,
    join(beside, '..', 'lib', script),
    join(beside, script),
    ...(env.PATH ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map(folder => realPath(join(folder, 'npm'))),
  ];
  const found = places.find(
    place => place && basename(place) === 'npm-cli.js' && existsSync(place),
  );
  if (found) return found;
  throw new InstallError('NPM_MISSING', 'npm is not on this machine', {
    fix: 'install Node with its npm, or put npm on PATH',
  });
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
