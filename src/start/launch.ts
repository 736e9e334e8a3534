import { existsSync } from 'node:fs';
import { runMain } from 'node:module';
import { join } from 'node:path';
import { NotFoundError } from '../errors';
import { applyMemory, findMemoryPlan, tendHeap } from '../memory/apply';
import { memoryFlags } from '../memory/plan';
import { parseMemory } from '../memory/setting';
import { historyKey } from '../release/history';
import { layoutOf } from '../release/layout';
import type { Receipt, StartPlan } from '../release/receipt';
import { readDotenv } from '../settings/dotenv-file';
import { expandWord, expandWords } from '../settings/words';
import { type ActiveRelease, readActiveRelease } from './active-release';
import { type Again, againWith, hidePreload, type Launcher } from './again';
import { prepareBackendEnv, removeSecrets } from './backend-env';
import { become, canReplace } from './become';
import { compileCacheFolder, enableCache, flushCache } from './compile-cache';
import type { Entry } from './entry';
import { explainFailures } from './explain';
import { keptFile } from './kept-file';
import { keepImports, useKeptImports } from './kept-imports';
import { keepRequires, useKeptRequires } from './kept-requires';
import {
  absoluteFlags,
  absoluteOptions,
  readAtStart,
  readEnvFile,
  sortNodeFlags,
} from './node-flags';
import { checkRequired, type Picked, pickEntry } from './pick-entry';
import { endBySignalsAsPidOne } from './pid-one';
import { recordThisRun } from './record-run';
import { say } from './say';

/** Set by setup --warm. */
const warmMark = 'BOOTLACE_WARM';

/** A command line of the first run, or what that said to the second. */
export type Launch = Pick<Again, 'dir' | 'args' | 'role'> & Partial<Again>;

/**
 * Prepares the start of the active release in this process: what `node server.js` and `bootlace
 * start` do. It loads no network code and asks nobody. What stays behind in the backend's process:
 * an exit listener and one unref'd timer that write down how this run went; with a budget what holds
 * the heap to it; as process 1 a default action for signals.
 * @param launch the folder that setup ran in; the words after server.js: a role where the package has
 *   roles, then the backend's; the role of `bootlace start ROLE`
 * @param launcher what a start that needs a new process preloads there
 * @returns the last step; nothing in the second run, where Node itself starts the entry. Call it outside
 *   of try and of promises, so that what the backend throws meets Node's own handling and nothing of ours
 * @throws NotFoundError or SettingError
 */
export function prepareLaunch(launch: Launch, launcher: Launcher): () => void {
  const { dir, args, role, preload, tends } = launch;
  const isAgain = preload !== undefined;
  if (isAgain) hidePreload(preload);
  const { receipt, folder, backend, current } = readActiveRelease(dir);
  const { start } = current;
  const { env } = process;
  const cwd = process.cwd();
  const isWarming = launch.isWarming ?? env[warmMark] !== undefined;
  delete env[warmMark];
  if (tends) tendHeap();
  const given = { ...env };
  if (!isAgain) prepareBackendEnv(env, readDotenv(cwd), start);
  // Flags of Node's own command line, such as --env-file, have brought them back.
  else removeSecrets(env, start);
  const picked = pickEntry(start, backend, env, args, role);
  const { entry } = picked;
  const file = join(backend, entry.file);
  if (!existsSync(file))
    throw new NotFoundError('ENTRY_GONE', `${file} is gone from the installed release`, {
      fix: 'run: npx bootlace setup',
    });
  /** What is set for the package is written from the package's folder. */
  const setOwn = (name: string, value: string) => {
    env[name] = name === 'NODE_OPTIONS' ? absoluteOptions(value, backend) : value;
  };
  if (!isAgain) for (const [name, value] of entry.env) setOwn(name, expandWord(value, env));
  const flags = expandWords(entry.flags, env);
  const words = expandWords(entry.args, env);

  let before: readonly (() => unknown)[] = [];
  if (!isAgain) {
    const canBecome = canReplace(process.execPath);
    const { envFiles, here, needProcess: byFlags } = sortNodeFlags(flags, backend, canBecome);
    const set = new Set([...Object.keys(given), ...entry.env.map(([name]) => name)]);
    // Beneath what is set, as in Node, and above .env, which Node would not read at all.
    for (const each of envFiles)
      for (const [name, value] of Object.entries(readEnvFile(each, [cwd, backend])))
        if (!set.has(name)) setOwn(name, value);
    removeSecrets(env, start);
    const isNew = (name: string) => readAtStart.test(name) && env[name] !== given[name];
    const needProcess = (byFlags || Object.keys(env).some(isNew)) && mayBeginAgain();
    if (!isWarming) checkRequired(start.requires, env);
    const memory = findMemoryPlan({
      asked: memoryOf(start),
      userFlags: [env.NODE_OPTIONS, ...process.execArgv, ...flags].join(' '),
      isReplaced: needProcess,
      canReplace: canBecome,
    });
    say(startLine(receipt, entry));
    if (memory.says) say(`bootlace: memory: ${memory.says}\n`);
    if (needProcess || memory.ceiling === 'v8') {
      const program = againWith(
        {
          dir,
          args,
          role,
          isWarming,
          tends: memory.youngMb !== undefined,
          from: { pid: process.pid, isReplaced: canBecome },
        },
        launcher,
        {
          flags: [...flags, ...memoryFlags(memory)],
          folder: backend,
          words: [file, ...words, ...picked.args],
        },
      );
      return () => void become(program);
    }
    applyMemory(memory);
    before = here;
  }
  attach(dir, { receipt, folder, current }, picked, isWarming);
  if (preload?.length) return () => {};
  process.argv = [process.argv[0] as string, file, ...words, ...picked.args];
  // Preloads come before there is a main module, and an ES module is none.
  Reflect.deleteProperty(process, 'mainModule');
  // What the backend forks gets these, and they name files of the package.
  if (!isAgain) process.execArgv.push(...absoluteFlags(flags, backend));
  if (before.length === 0) return runMain;
  return () => {
    let last: unknown;
    for (const apply of before) last = last instanceof Promise ? last.then(apply) : apply();
    if (last instanceof Promise) void last.then(() => setImmediate(runMain));
    else runMain();
  };
}

/** What a release kept for its starts, and what stays behind in the backend's process. */
function attach(
  dir: string,
  { receipt, folder, current }: Omit<ActiveRelease, 'backend'>,
  { entry, role }: Picked,
  isWarming: boolean,
): void {
  const layout = layoutOf(dir);
  const cache = enableCache(compileCacheFolder(layout, current.active), isWarming);
  const imports = keptFile(layout, current.active, 'imports');
  const requires = keptFile(layout, current.active, 'requires');
  if (isWarming) endWarmWhenTold([keepImports(imports, folder), keepRequires(requires, folder)]);
  else {
    useKeptImports(imports, folder);
    useKeptRequires(requires, folder);
    recordThisRun(layout, historyKey(current.active, role), cache);
  }
  explainFailures(receipt, entry);
  // Ours on 'exit' are none of the ten that the backend may have without a warning.
  process.setMaxListeners(process.getMaxListeners() + 2);
  endBySignalsAsPidOne();
}

/** A worker of a cluster is one by what its primary started, and no process of ours would be. */
function mayBeginAgain(): boolean {
  if (!process.channel) return true;
  const cluster = process.getBuiltinModule('node:cluster') as unknown as { isWorker: boolean };
  if (!cluster.isWorker) return true;
  say(
    'bootlace: warning: this cluster worker runs without those flags and variables of its start that need a new process\n' +
      '  fix: give them to the process that forks it (pm2: node_args)\n',
  );
  return false;
}

/** A backend that ends by itself has its compiled code written by Node. */
function endWarmWhenTold(write: readonly (() => void)[]): void {
  const writeAll = () => {
    for (const each of write) each();
  };
  process.on('exit', writeAll);
  process.on('SIGUSR2', () => {
    writeAll();
    flushCache();
    process.reallyExit(0);
  });
}

function memoryOf({ memory }: StartPlan) {
  const text = process.env.BACKEND_MEMORY?.trim();
  return text ? parseMemory(text, 'BACKEND_MEMORY') : (memory ?? 'auto');
}

/** One line that says what starts and why; a deploy's nonce proves in the logs which deploy it is. */
function startLine(receipt: Receipt, entry: Entry): string {
  const nonce = process.env.BOOTLACE_DEPLOY;
  const proof = nonce && /^[\w.-]{1,64}$/.test(nonce) ? ` deploy=${nonce}` : '';
  return `bootlace: starting ${receipt.package}@${receipt.version}: ${entry.file} (${entry.why})${proof}\n`;
}
