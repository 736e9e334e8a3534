import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { SettingError, systemCode } from '../../errors';
import type { Io } from '../../io';
import { readText } from '../../settings/read-text';
import {
  credentialVariables,
  linesOf,
  type NpmrcKeys,
  parseNpmrc,
  sectionsOf,
  withoutManagedLines,
} from './npmrc';

/** One place that npm reads its configuration from, in order of precedence. */
export interface NpmrcLevel {
  /** How a person finds it: a path, or `npm_config_* variables`. */
  readonly from: string;
  readonly keys: NpmrcKeys;
  /** The line of each key in the file, from 1. */
  readonly lines?: Readonly<Record<string, number>>;
  /** The variables that its lines of hosts are written with, by key. */
  readonly variables?: Readonly<Record<string, readonly string[]>>;
  /** What hides lines in the file. */
  readonly sections?: readonly string[];
  /** Why the file does not count. */
  readonly problem?: string;
  /** For the project's file: the keys outside the managed lines. */
  readonly ownKeys?: NpmrcKeys;
}

/**
 * Reads what npm would read: npm_config_* variables, the project's .npmrc, the user's, the global.
 * @param env the environment with .env beneath it
 * @throws SettingError for a file that cannot be read or understood
 */
export function readNpmrcLevels(dir: string, env: Io['env'], execPath: string): NpmrcLevel[] {
  const levels: NpmrcLevel[] = [{ from: 'npm_config variables', keys: keysOfEnvironment(env) }];
  const project = join(dir, '.npmrc');
  const text = readText(project);
  if (text !== undefined)
    levels.push({
      ...readLevel('.npmrc', text, env),
      ownKeys: parseNpmrc(withoutManagedLines(text), env),
    });
  const home = env.HOME ?? env.USERPROFILE ?? homeOfUser();
  const user = variable(env, 'userconfig') ?? (home && join(home, '.npmrc'));
  const global = variable(env, 'globalconfig') ?? join(dirname(dirname(execPath)), 'etc', 'npmrc');
  for (const file of new Set([user, global])) {
    if (!file || file === project) continue;
    levels.push(...readShared(file, env));
  }
  return levels;
}

function readLevel(from: string, text: string, env: Io['env']): NpmrcLevel {
  return {
    from,
    keys: parseNpmrc(text, env, from),
    lines: linesOf(text),
    variables: credentialVariables(text, env),
    sections: sectionsOf(text),
  };
}

/** The user's or the global file. Like npm, goes on without one that cannot be read. */
function readShared(file: string, env: Io['env']): NpmrcLevel[] {
  try {
    return [readLevel(file, readFileSync(file, 'utf8'), env)];
  } catch (error) {
    const code = systemCode(error);
    if (code === 'NPMRC_INVALID')
      return [{ from: file, keys: {}, problem: `${file} is no text file, and does not count` }];
    if (error instanceof SettingError) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    return [
      { from: file, keys: {}, problem: `${file} cannot be read (${code}), and does not count` },
    ];
  }
}

/**
 * The first level that has the key.
 * @returns its value, and its place for a failure: `.npmrc, line 3`
 */
export function lookUp(
  levels: readonly NpmrcLevel[],
  key: string,
): { value: string; from: string; place: string } | undefined {
  for (const { keys, from, lines } of levels) {
    const value = keys[key];
    // npm's own words for an unset key.
    if (value !== undefined && !['', 'null', 'undefined'].includes(value)) {
      const line = lines?.[key];
      return { value, from, place: line ? `${from}, line ${line}` : from };
    }
  }
  return undefined;
}

/** As npm: the account's home where no variable names one. */
function homeOfUser(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

function variable(env: Io['env'], name: string): string | undefined {
  return env[`npm_config_${name}`] || env[`NPM_CONFIG_${name.toUpperCase()}`] || undefined;
}

/** npm's own reading of its variables: case does not matter, `_` stands for `-` save at the start. */
function keysOfEnvironment(env: Io['env']): NpmrcKeys {
  const keys: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(env)) {
    const match = /^npm_config_(.+)$/i.exec(name);
    if (!match?.[1] || value === undefined || value === '') continue;
    const key = /^(\/\/|@)/.test(match[1])
      ? match[1]
      : match[1].toLowerCase().replace(/(?!^)_/g, '-');
    keys[key] = value;
  }
  return keys;
}
