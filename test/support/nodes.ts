import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run';

export interface NodeBinary {
  major: number;
  file: string;
}

/**
 * This Node, and those of other majors that the benches installed into .cache (npm run
 * bench:nodes); a test that needs another says so and skips.
 */
export function availableNodes(): NodeBinary[] {
  const own = Number(process.versions.node.split('.')[0]);
  const others = [20, 22, 24, 26]
    .filter(major => major !== own)
    .map(major => ({ major, file: cached(major) }))
    .filter(({ file }) => existsSync(file));
  return [{ major: own, file: process.execPath }, ...others];
}

function cached(major: number): string {
  const name = `node-${process.platform}-${process.arch}`;
  return join(root, '.cache', 'bench', `node${major}`, 'node_modules', name, 'bin', 'node');
}
