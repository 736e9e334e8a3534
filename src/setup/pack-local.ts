import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type NpmRun, runNpm } from '../npm/run';

/**
 * Turns --from into a tarball: a .tgz as it is, a folder packed as `npm publish` would pack it,
 * without its scripts.
 * @returns the tarball's path
 * @throws npm's failure
 */
export async function packLocal(from: string, run: NpmRun): Promise<string> {
  if (statSync(from).isFile()) return from;
  const out = await runNpm(['pack', from, '--json', '--pack-destination', run.work], {
    ...run,
    cwd: run.work,
  });
  const [packed] = Object.values(
    JSON.parse(out.slice(out.search(/[[{]/))) as Record<string, { filename: string }>,
  );
  if (!packed) throw new Error(`npm pack printed ${out.slice(0, 200)}`);
  // npm 10 printed scoped names with their slash.
  return join(run.work, packed.filename.replace(/^@/, '').replace('/', '-'));
}
