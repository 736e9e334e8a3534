import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NotFoundError, systemCode } from '../errors';
import { backendFolder, layoutOf, receiptName } from '../release/layout';
import {
  type Current,
  parseCurrent,
  parseReceipt,
  type Receipt,
  setupAgain,
} from '../release/receipt';
import { shellWord } from '../settings/words';

export interface ActiveRelease {
  current: Current;
  receipt: Receipt;
  /** The release's folder and the backend's folder in it, absolute. */
  folder: string;
  backend: string;
}

/**
 * Reads which release is active: two small files, nothing else.
 * @param dir the folder that setup ran in
 * @throws NotFoundError NOT_SET_UP or RELEASE_BROKEN
 */
export function readActiveRelease(dir: string): ActiveRelease {
  const layout = layoutOf(dir);
  const text = readIfThere(layout.current);
  if (text === undefined) throw notSetUp(dir);
  const current = parseCurrent(text);
  if (!current) throw broken(layout.current, 'is not what bootlace wrote');
  const folder = layout.release(current.active);
  const file = join(folder, receiptName);
  const receiptText = readIfThere(file);
  if (receiptText === undefined) throw broken(file, 'is missing', current);
  const receipt = parseReceipt(receiptText);
  if (!receipt) throw broken(file, 'is not what bootlace wrote', current);
  return { current, receipt, folder, backend: backendFolder(folder, receipt.package) };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw broken(file, `cannot be read (${systemCode(error)})`);
  }
}

/** A subfolder of one that is set up is a likely mistake. */
function notSetUp(dir: string): NotFoundError {
  let above = dirname(dir);
  while (!existsSync(layoutOf(above).current) && above !== dirname(above)) above = dirname(above);
  const isThere = existsSync(layoutOf(above).current);
  const setup = 'run: npx bootlace setup';
  return new NotFoundError('NOT_SET_UP', `no backend is set up in ${dir}`, {
    fix: isThere ? `pass --dir ${shellWord(above)}, where one is; or ${setup}` : setup,
  });
}

/** What is set up cannot start as it is; a setup installs it again. */
export function broken(file: string, what: string, current?: Current): NotFoundError {
  const version = /[\\/]releases[\\/]([^\\/]+)-[0-9a-f]{10}([\\/]|$)/.exec(file)?.[1];
  const fix = `run: ${current ? setupAgain(current) : setupAgain(undefined, version)}`;
  return new NotFoundError('RELEASE_BROKEN', `${file} ${what}`, { fix });
}
