import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { NotFoundError } from '../errors';
import type { Io } from '../io';
import { namesIn } from '../release/store';
import { readDotenv } from '../settings/dotenv-file';
import { expandWords } from '../settings/words';
import { readActiveRelease } from './active-release';
import { prepareBackendEnv } from './backend-env';
import type { Program } from './become';
import { checkRequired } from './pick-entry';
import { binsOf } from './plan/entry';
import { migrateCommand } from './plan/named-command';
import { findIn, hasBinIn, readPackageJson } from './plan/package-files';
import { readPublisher } from './plan/publisher';

type ExecIo = Pick<Io, 'env' | 'cwd' | 'execPath'>;

/**
 * Plans the run of a program that the active release ships, in the backend's environment: .env
 * beneath, secrets out, the release's bins on PATH, the working folder as it is.
 * @throws NotFoundError NOT_SET_UP, RELEASE_BROKEN or BIN_NOT_FOUND
 */
export function planExec(dir: string, bin: string, args: readonly string[], io: ExecIo): Program {
  const { backend, folder, current } = readActiveRelease(dir);
  const env = { ...io.env };
  prepareBackendEnv(env, readDotenv(io.cwd).values, current.start);
  const binFolders = [join(backend, 'node_modules', '.bin'), join(folder, 'node_modules', '.bin')];
  env.PATH = [...binFolders, dirname(io.execPath), env.PATH].filter(Boolean).join(delimiter);
  const own = binsOf(readPackageJson(backend));
  const ownFile = Object.hasOwn(own, bin) ? join(backend, own[bin] as string) : undefined;
  const file = [ownFile, ...binFolders.map(binFolder => join(binFolder, bin))].find(
    path => path && existsSync(path),
  );
  if (!file || /[\\/]/.test(bin)) {
    const names = new Set([...Object.keys(own), ...binFolders.flatMap(namesIn)]);
    const what = `the installed release has no program ${JSON.stringify(bin)}`;
    throw new NotFoundError('BIN_NOT_FOUND', what, {
      fix: 'use the name of a bin; see the candidates',
      facts: { candidates: [...names].slice(0, 30).join(', ') || 'none' },
    });
  }
  const real = realpathSync(file);
  return isNodeScript(real)
    ? { file: io.execPath, args: [real, ...args], env }
    : { file: real, args, env };
}

/**
 * Plans the migrate command that the backend's package.json names (`"migrate": "prisma migrate deploy"`):
 * a program as for exec, or a file of the backend, by itself or after `node`.
 * @returns undefined when it names none
 * @throws SettingError VARIABLE_MISSING, and what migrateCommand and planExec throw
 */
export function planMigrate(dir: string, args: readonly string[], io: ExecIo): Program | undefined {
  const { backend, current } = readActiveRelease(dir);
  const json = readPackageJson(backend);
  const { migrate } = readPublisher(json);
  if (migrate === undefined) return undefined;
  const dotenv = readDotenv(io.cwd);
  const env = { ...io.env };
  prepareBackendEnv(env, dotenv.values, current.start);
  checkRequired(current.start, env, io.env, dotenv);
  const command = migrateCommand(json, migrate, findIn(backend), hasBinIn(backend, json));
  const words = [...expandWords(command.args, env), ...args];
  if ('bin' in command) return planExec(dir, command.bin, words, io);
  return { file: io.execPath, args: [join(backend, command.file), ...words], env };
}

/** Run by this Node rather than by whichever one `env node` finds. */
function isNodeScript(file: string): boolean {
  const head = readFileSync(file).subarray(0, 128).toString('latin1').split('\n')[0] ?? '';
  return head.startsWith('#!') ? /\bnode\b/.test(head) : /\.[cm]?js$/.test(file);
}
