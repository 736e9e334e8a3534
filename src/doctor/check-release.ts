import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../release/layout';
import { hasLostEntry, isWhole } from '../release/store';
import { broken, readActiveRelease } from '../start/active-release';
import { checkCommands } from '../start/check-commands';
import { isServerFile } from '../start/server-file';
import { type Check, failed } from './check';

/** Would what is set up start: the release, and the file that starts it? */
export function checkRelease(dir: string): Check[] {
  try {
    const { current, receipt, folder, backend } = readActiveRelease(dir);
    const { file } = current.start.entry;
    const release = { name: current.active, folder, receipt };
    if (!isWhole(release)) throw broken(folder, 'is not whole');
    if (hasLostEntry(layoutOf(dir), release)) throw broken(join(backend, file), 'is gone');
    checkCommands(backend);
    const text = `${receipt.package} ${receipt.version}, starts ${file}`;
    return [{ name: 'release', state: 'ok', text }, checkServerFile(dir)];
  } catch (error) {
    const check = failed('release', error);
    if (check.code !== 'NOT_SET_UP') return [check];
    return [{ name: 'release', state: 'warn', text: 'nothing is set up yet', fix: check.fix }];
  }
}

/** --server-file may have given it any name. */
function checkServerFile(dir: string): Check {
  const name = 'server file';
  const names = scriptsIn(dir);
  const own = names.find(each => isOwn(join(dir, each)));
  if (own) return { name, state: 'ok', text: `node ${own} starts it` };
  if (!names.includes('server.js'))
    return { name, state: 'warn', text: 'there is none', fix: 'run: npx bootlace setup' };
  return {
    name,
    state: 'fail',
    text: 'SERVER_FILE_TAKEN: server.js is not, or no more, what bootlace writes',
    fix: 'move it away and run: npx bootlace setup',
    code: 'SERVER_FILE_TAKEN',
    exitCode: 3,
  };
}

function scriptsIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter(name => /\.[cm]?js$/.test(name));
  } catch {
    return [];
  }
}

function isOwn(file: string): boolean {
  try {
    return isServerFile(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}
