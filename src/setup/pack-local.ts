import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NotFoundError } from '../errors';
import { type NpmRun, runNpm } from '../npm/run';

/**
 * Turns --from into a tarball: a .tgz as it is, a folder packed as `npm publish` would pack it,
 * without its scripts.
 * @returns the tarball's path
 * @throws NotFoundError FROM_NOT_FOUND, or npm's failure
 */
export async function packLocal(from: string, run: NpmRun): Promise<string> {
  const stat = statSync(from, { throwIfNoEntry: false });
  if (stat?.isFile()) return from;
  if (!stat || !existsSync(join(from, 'package.json')))
    throw new NotFoundError(
      'FROM_NOT_FOUND',
      `--from ${from} is neither a tarball nor a package's folder`,
      {
        fix: "give --from the folder with the backend's package.json, or the .tgz that npm pack made",
      },
    );
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
