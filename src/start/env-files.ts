import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SettingError } from '../errors';

interface EnvFile {
  file: string;
  /** False for --env-file-if-exists. */
  must: boolean;
}

/**
 * Takes `--env-file` out of flags: the launcher reads these files itself, since Node would read the
 * token of one again in a new process.
 */
export function takeEnvFiles(flags: readonly string[]): { flags: string[]; envFiles: EnvFile[] } {
  const rest: string[] = [];
  const envFiles: EnvFile[] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] as string;
    const match = /^--env-file(-if-exists)?(?:=(.*))?$/s.exec(flag);
    if (!match) rest.push(flag);
    else envFiles.push({ file: match[2] ?? flags[++i] ?? '', must: match[1] === undefined });
  }
  return { flags: rest, envFiles };
}

/**
 * Reads what --env-file names, with Node's own parser; a later file wins.
 * @param folders where a file is looked for, in this order
 * @throws SettingError ENV_FILE_MISSING
 */
export function readEnvFiles(
  envFiles: readonly EnvFile[],
  folders: readonly string[],
): Record<string, string> {
  return Object.assign({}, ...envFiles.map(each => readEnvFile(each, folders)));
}

function readEnvFile({ file, must }: EnvFile, folders: readonly string[]): object {
  for (const folder of folders) {
    try {
      const { parseEnv } = process.getBuiltinModule('node:util');
      return parseEnv(readFileSync(resolve(folder, file), 'utf8'));
    } catch {}
  }
  if (!must) return {};
  throw new SettingError(
    'ENV_FILE_MISSING',
    `scripts.start asks for --env-file=${file}, which is not there`,
    { fix: `write ${file}, or set BACKEND_ENTRY to start another way` },
  );
}
