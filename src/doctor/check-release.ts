import { join } from 'node:path';
import { SettingError } from '../errors';
import type { Io } from '../io';
import { layoutOf } from '../release/layout';
import type { Current, Receipt } from '../release/receipt';
import { hasLostEntry, isWhole, namesIn, readIfThere } from '../release/store';
import { readDotenv } from '../settings/dotenv-file';
import { satisfiesWish, type VersionWish, wishText } from '../settings/version-wish';
import { broken, readActiveRelease } from '../start/active-release';
import { prepareBackendEnv, secretNames } from '../start/backend-env';
import { checkRequired } from '../start/pick-entry';
import { checkCommands } from '../start/plan/package-files';
import { findFreeServerFile, isServerFile } from '../start/server-file';
import { type Check, failed, ok, warned } from './check';

/** What is wanted, as far as it is known. */
export interface WantedRelease {
  wish?: VersionWish;
  /** What the wish means now, by the registry. */
  version?: string;
  /** The command that sets it up. */
  setup: string;
}

/** Would what is set up start: the release, its variables, and the file that starts it? */
export function checkRelease(dir: string, env: Io['env'], wanted: WantedRelease): Check[] {
  try {
    const { current, receipt, folder, backend } = readActiveRelease(dir);
    const { file } = current.start.entry;
    const release = { name: current.active, folder, receipt };
    if (!isWhole(release)) throw broken(folder, 'is not whole', current);
    if (hasLostEntry(layoutOf(dir), release)) throw broken(join(backend, file), 'is gone', current);
    checkCommands(backend);
    return [
      ok('release', `${receipt.package} ${receipt.version}, starts ${file}`),
      ...checkWish(receipt.version, wanted),
      ...checkVariables(dir, env, current, receipt),
      checkServerFile(dir, wanted.setup),
    ];
  } catch (error) {
    const check = failed('release', error);
    if (check.code !== 'NOT_SET_UP') return [check];
    return [warned('release', 'nothing is set up yet', `run: ${wanted.setup}`)];
  }
}

/** What a tag or a range means is the registry's to say. */
function checkWish(active: string, { wish, version, setup }: WantedRelease): Check[] {
  if (!wish || (version === undefined ? satisfiesWish(wish, active) : version === active))
    return [];
  const text = wishText(wish);
  const means = version === undefined || version === text ? '' : `, now ${version},`;
  const said = `RELEASE_OTHER: ${active} is set up, and ${text}${means} is wanted`;
  return [warned('release', said, `run: ${setup}`)];
}

/** Variables as a start has them here. */
function checkVariables(
  dir: string,
  env: Io['env'],
  { start }: Current,
  receipt: Receipt,
): Check[] {
  const name = 'variables';
  const checks: Check[] = [];
  const dotenv = readDotenv(dir);
  const own = { ...env };
  prepareBackendEnv(own, dotenv.values, start);
  try {
    for (const text of checkRequired(start, own, env, dotenv)) checks.push(warned(name, text));
    if (start.requires?.length) checks.push(ok(name, `${start.requires.join(', ')}: set`));
  } catch (error) {
    checks.push(failed(name, error));
  }
  const reader = receipt.tree.paths.find(path =>
    /\/(dotenv|dotenv-flow|@dotenvx\/dotenvx)$/.test(path),
  );
  const token = secretNames(dotenv.values, start)[0];
  if (reader && token)
    checks.push(
      warned(
        'token',
        `.env holds ${token}, and ${reader.replace('node_modules/', '')} can read it in the backend again`,
        `take ${token} out of .env, and set it in the environment of setup only`,
      ),
    );
  return checks;
}

/** --server-file may have given it any name. */
function checkServerFile(dir: string, setup: string): Check {
  const name = 'server file';
  const names = namesIn(dir).filter(each => /\.[cm]?js$/.test(each));
  const own = names.find(each => isServerFile(readIfThere(join(dir, each)) ?? ''));
  if (own) return ok(name, `node ${own} starts it`);
  if (!names.includes('server.js')) return warned(name, 'there is none', `run: ${setup}`);
  const what = 'bootlace did not write server.js, or it was changed since';
  const free = findFreeServerFile(each => readIfThere(join(dir, each))) ?? 'bootlace.js';
  const fix = `run: ${setup} --server-file ${free}`;
  return failed(name, new SettingError('SERVER_FILE_TAKEN', what, { fix }));
}
