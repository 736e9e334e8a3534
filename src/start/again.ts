import { sep } from 'node:path';
import { layoutOf } from '../release/layout';
import type { Program } from './become';
import { absoluteFlags } from './node-flags';

/** The launcher as a file that Node can preload: server.js, or the one that bootlace brings. */
export interface Launcher {
  file: string;
  /** True where Node takes it for an ES module, since the host's package.json says so. */
  isModule: boolean;
}

/** What the second run of a start is told by the first: by then flags, .env and log lines are done. */
export interface Again {
  dir: string;
  /** The words and the role of the command line. */
  args: readonly string[];
  role?: string | undefined;
  /** The flag that preloads the launcher, and its file; none where it is the main program once more. */
  preload: readonly string[];
  /** Compile, keep what was compiled, end when told. */
  isWarming: boolean;
  /** The flags are a plan's for the memory; what no flag does is still to be done. */
  tends: boolean;
  /** The first run, and whether the second has taken its place or is its child. */
  from: { pid: number; isReplaced: boolean };
}

const mark = 'BOOTLACE_AGAIN';

/**
 * @returns what the first run said; undefined in the first, and in what inherits it from a preload that
 * runs before the launcher. The variable is gone before the backend looks
 */
export function takeAgain({
  env,
  pid,
  ppid,
}: Pick<NodeJS.Process, 'env' | 'pid' | 'ppid'>): Again | undefined {
  const text = env[mark];
  delete env[mark];
  if (!text) return undefined;
  try {
    const again = JSON.parse(text) as Again;
    return again.from.pid === (again.from.isReplaced ? pid : ppid) ? again : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The backend as a program of its own, with Node flags that only a new process takes, and before
 * anything else of it the launcher: so preloads and the entry find what they find under plain Node. An
 * ES module cannot come before other preloads, so there the launcher runs as the program again.
 * @param flags of scripts.start and of a plan for the memory; their paths start from `folder`
 * @param words the entry and its arguments
 */
export function againWith(
  again: Omit<Again, 'preload'>,
  { file, isModule }: Launcher,
  { flags, folder, words }: { flags: readonly string[]; folder: string; words: readonly string[] },
): Program {
  const preload = isModule ? [] : ['-r', file];
  const main = isModule ? [file, ...again.args] : words;
  return {
    file: process.execPath,
    // As it was called, which is what a process's title says.
    name: process.argv0,
    args: [
      ...withoutCode(process.execArgv),
      ...preload,
      ...absoluteFlags(flags, folder),
      ...readable(flags, [`${layoutOf(again.dir).root}${sep}`, file]),
      ...main,
    ],
    env: { ...process.env, [mark]: JSON.stringify({ ...again, preload }) },
  };
}

/** Of `node -e CODE`, which requires server.js, Node would run the code again and not the entry. */
function withoutCode(flags: readonly string[]): string[] {
  const at = flags.findIndex(flag => /^(-e|-p|-pe|--eval|--print)$/.test(flag));
  return at < 0 ? [...flags] : flags.toSpliced(at, 2);
}

/** Under Node's permissions what the launcher reads has to be among what may be read. */
function readable(flags: readonly string[], paths: readonly string[]): string[] {
  const isLimited = flags.some(flag => /^--(experimental-)?permission$/.test(flag));
  return isLimited ? paths.map(path => `--allow-fs-read=${path}`) : [];
}

/** Takes the launcher out of what the backend, and whatever that forks, sees as its flags. */
export function hidePreload([flag, file]: readonly string[]): void {
  const at = process.execArgv.findIndex(
    (word, i) => word === flag && process.execArgv[i + 1] === file,
  );
  if (at >= 0) process.execArgv.splice(at, 2);
}
