import { existsSync } from 'node:fs';
import { runMain } from 'node:module';
import { join } from 'node:path';
import { InstallError } from '../errors';
import type { StartPlan } from '../release/receipt';
import { readDotenv } from '../settings/dotenv-file';
import { type Memory, parseMemory } from '../settings/memory';
import { expandWord, expandWords } from '../settings/words';
import { broken, readActiveRelease } from './active-release';
import {
  expectedRelease,
  isReadAtStart,
  prepareBackendEnv,
  releaseVariables,
  removeSecrets,
} from './backend-env';
import { become, canReplace, endBySignalsAsPidOne } from './become';
import { readEnvFiles, takeEnvFiles } from './env-files';
import { explainFailures } from './explain';
import { type MemoryPlan, planMemory } from './memory';
import { checkRequired, pickEntry } from './pick-entry';
import { say } from './say';

/**
 * Prepares the start of the active release: what `node server.js` and `bootlace start` do. It loads
 * no network code and sends no request.
 *
 * Without Node flags, and without a changed variable that Node reads when it begins, the backend
 * starts in this process; the launcher leaves one `uncaughtExceptionMonitor` in it, and as process 1 the
 * default action of four signals. Otherwise this process becomes `node [flags] entry args`.
 * @param dir the folder that setup ran in
 * @param args the words after server.js: a role where the package has roles, then the backend's
 * @param role the role of `bootlace start ROLE`
 * @returns the last step. Call it outside of try and of promises, so that Node handles what the
 *   backend throws
 * @throws NotFoundError or SettingError
 */
export function prepareLaunch(dir: string, args: readonly string[], role?: string): () => void {
  const { receipt, folder, backend, current } = readActiveRelease(dir);
  const { start } = current;
  const { env } = process;
  const expected = env[expectedRelease] ?? current.active;
  delete env[expectedRelease];
  if (expected !== current.active)
    throw new InstallError(
      'RELEASE_CHANGED',
      `another setup has activated ${current.active} in place of ${expected}`,
      { fix: 'run the same command again, in a folder of its own' },
    );
  const cwd = process.cwd();
  const given = { ...env };
  const dotenv = readDotenv(cwd);
  prepareBackendEnv(env, dotenv.values, start);
  const picked = pickEntry(start, backend, env, args, role);
  const { entry } = picked;
  const file = join(backend, entry.file);
  if (!existsSync(file)) throw broken(file, 'is gone', current);
  // As in sh: arguments are expanded before the assignments in front of the command count.
  const outer = { ...env };
  for (const [name, value] of entry.env)
    env[name] = expandWord(value, { ...env, ...releaseVariables(folder, name) });
  const { flags, envFiles } = takeEnvFiles(
    expandWords(entry.flags, { ...outer, ...releaseVariables(folder) }),
  );
  const words = [...expandWords(entry.args, outer), ...picked.args];
  // As in Node: below what is set.
  const set = new Set([...Object.keys(given), ...entry.env.map(([name]) => name)]);
  for (const [name, value] of Object.entries(readEnvFiles(envFiles, [cwd, backend])))
    if (!set.has(name)) env[name] = value;
  removeSecrets(env, start);
  for (const warning of checkRequired(start, env, given, dotenv))
    say(`bootlace: warning: ${warning}\n`);
  // `bootlace deploy` reads this line in the service's log.
  say(`bootlace: starting ${receipt.package}@${receipt.version}: ${entry.file} (${entry.why})\n`);

  const wantsNew =
    flags.length > 0 ||
    Object.keys(env).some(name => isReadAtStart(name, env) && env[name] !== given[name]);
  const needsNew = wantsNew && mayBecome();
  const memory = findMemory(start, [env.NODE_OPTIONS, ...process.execArgv, ...flags].join(' '));
  if (needsNew || (memory && canReplace(process.execPath))) {
    if (memory) say(`bootlace: memory: ${memory.flags.join(' ')} (${memory.why})\n`);
    // The files of --env-file are read already, and the token in them is left out.
    const own = takeEnvFiles(withoutCode(process.execArgv)).flags;
    const all = [...own, ...flags, ...(memory?.flags ?? []), file, ...words];
    // Keep argv0, so that ps shows the same name.
    return () => void become({ file: process.execPath, name: process.argv0, args: all, env });
  }
  if (memory) say(memoryAdvice(memory));
  explainFailures(receipt);
  endBySignalsAsPidOne();
  process.argv = [process.argv[0] as string, file, ...words];
  // An ES module is no process.mainModule; for CommonJS Node sets it again.
  Reflect.deleteProperty(process, 'mainModule');
  return runMain;
}

/** Only the process that the primary started is a worker of its cluster: it cannot become another. */
function mayBecome(): boolean {
  if (!process.channel) return true;
  const cluster = process.getBuiltinModule('node:cluster') as unknown as { isWorker: boolean };
  if (!cluster.isWorker) return true;
  say(
    'bootlace: warning: this cluster worker runs without those flags and variables of its start that need a new process\n' +
      '  fix: give them to the process that forks it (pm2: node_args)\n',
  );
  return false;
}

/** @param userFlags Node's flags, this process's and those of the start */
function findMemory({ memory }: StartPlan, userFlags: string): MemoryPlan | undefined {
  const text = process.env.BACKEND_MEMORY?.trim();
  const wanted: Memory = text ? parseMemory(text, 'BACKEND_MEMORY') : (memory ?? 'auto');
  const limit = process.constrainedMemory();
  if (wanted === 'off' || (wanted === 'auto' && !limit)) return undefined;
  const { heap_size_limit: heapLimit } = process.getBuiltinModule('node:v8').getHeapStatistics();
  return planMemory({ wanted, limit, heapLimit, userFlags });
}

/** A second process would take more memory than the flags save. */
function memoryAdvice({ flags, why }: MemoryPlan): string {
  return `bootlace: warning: no memory flags (${why}): they need a second process here\n  fix: set NODE_OPTIONS="${flags.join(' ')}"\n`;
}

/** `node -e CODE` that requires server.js would run the code again. */
function withoutCode(flags: readonly string[]): string[] {
  const at = flags.findIndex(flag => /^(-e|-p|-pe|--eval|--print)$/.test(flag));
  return at < 0 ? [...flags] : flags.toSpliced(at, 2);
}
