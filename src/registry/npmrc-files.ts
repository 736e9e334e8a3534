import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Io } from '../io';
import { readText } from '../settings/read-text';
import {
  credentialVariables,
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
  /** The variables that its credentials are written with, by key. */
  readonly variables?: NpmrcKeys;
  /** What hides lines in the file. */
  readonly sections?: readonly string[];
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
      from: '.npmrc',
      keys: parseNpmrc(text, env),
      variables: credentialVariables(text),
      sections: sectionsOf(text),
      ownKeys: parseNpmrc(withoutManagedLines(text), env),
    });
  const home = env.HOME ?? env.USERPROFILE ?? homeOfUser();
  const user = variable(env, 'userconfig') ?? (home && join(home, '.npmrc'));
  const global = variable(env, 'globalconfig') ?? join(dirname(dirname(execPath)), 'etc', 'npmrc');
  for (const file of new Set([user, global])) {
    if (!file || file === project) continue;
    const content = readText(file);
    if (content !== undefined)
      levels.push({
        from: file,
        keys: parseNpmrc(content, env, file),
        variables: credentialVariables(content),
        sections: sectionsOf(content),
      });
  }
  return levels;
}

/** The first level that has the key. */
export function lookUp(
  levels: readonly NpmrcLevel[],
  key: string,
): { value: string; from: string } | undefined {
  for (const { keys, from } of levels) {
    const value = keys[key];
    // npm's own words for an unset key.
    if (value !== undefined && !['', 'null', 'undefined'].includes(value)) return { value, from };
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
