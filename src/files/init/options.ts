import { parseArgs } from 'node:util';
import { SettingError, UsageError } from '../../errors';
import { parsePackageName } from '../../settings/package-name';

export type Recipe = 'node' | 'python' | 'docker';

/** What the command line decides; everything else is read from the repository. */
export interface InitOptions {
  recipe: Recipe;
  /** Add Dockerfile, .dockerignore and compose.yaml. */
  docker: boolean;
  /** Variables that Render asks for, in place of a generated secret or a database of its own. */
  ask: string[];
  package: string | undefined;
  serverFile: string | undefined;
}

export const optionFlags = {
  recipe: { type: 'string' },
  docker: { type: 'boolean' },
  ask: { type: 'string', multiple: true },
  package: { type: 'string' },
  'server-file': { type: 'string' },
} as const;

/**
 * Checks the flags.
 * @throws UsageError RECIPE_UNKNOWN, ASK_INVALID or SERVER_FILE_INVALID; SettingError for --package
 */
export function readOptions(flags: Readonly<Record<string, unknown>>): InitOptions {
  const { recipe = 'node', ask = [], package: name, 'server-file': serverFile } = flags;
  if (recipe !== 'node' && recipe !== 'python' && recipe !== 'docker')
    throw new UsageError('RECIPE_UNKNOWN', `there is no recipe ${JSON.stringify(recipe)}`, {
      fix: 'pass --recipe node, --recipe python or --recipe docker',
    });
  const asked = [ask].flat().map(String);
  const wrong = asked.find(each => !/^[A-Za-z_]\w*$/.test(each));
  if (wrong !== undefined)
    throw new UsageError('ASK_INVALID', `--ask ${JSON.stringify(wrong)} names no variable`, {
      fix: 'pass a name such as --ask JWT_SECRET',
    });
  if (serverFile !== undefined && !/^[\w.-]+\.(js|cjs|mjs)$/.test(String(serverFile)))
    throw new UsageError(
      'SERVER_FILE_INVALID',
      `--server-file ${JSON.stringify(serverFile)} is no file name at the top of the repository`,
      { fix: 'pass a name such as --server-file start.js' },
    );
  return {
    recipe,
    docker: flags.docker === true,
    ask: asked,
    package: name === undefined ? undefined : parsePackageName(String(name), '--package'),
    serverFile: serverFile === undefined ? undefined : String(serverFile),
  };
}

/** The options as words of a command line, which readWords reads again. */
export function wordsOf({ recipe, docker, ask, package: name, serverFile }: InitOptions): string[] {
  return [
    ...(recipe === 'node' ? [] : ['--recipe', recipe]),
    ...(name === undefined ? [] : ['--package', name]),
    ...(docker ? ['--docker'] : []),
    ...ask.flatMap(each => ['--ask', each]),
    ...(serverFile === undefined ? [] : ['--server-file', serverFile]),
  ];
}

/**
 * The options of a file's first line.
 * @param file its path, for the failure
 * @throws SettingError INIT_HEAD_INVALID: without them a database in use could be left out
 */
export function readWords(words: readonly string[], file: string): InitOptions {
  try {
    return readOptions(parseArgs({ args: [...words], options: optionFlags }).values);
  } catch (cause) {
    const what = `line 1 of ${file} has other words than flags of init: ${words.join(' ')}`;
    throw new SettingError('INIT_HEAD_INVALID', what, {
      fix: `correct that line, as in: # Written by \`npx bootlace init --ask DATABASE_URL\`.`,
      cause,
    });
  }
}

/** Options as they are typed, over those of an earlier run; variables to ask for add up. Pure. */
export function mergeOptions(typed: InitOptions, kept: InitOptions): InitOptions {
  return {
    recipe: kept.recipe,
    docker: kept.docker || typed.docker,
    ask: [...new Set([...kept.ask, ...typed.ask])],
    package: typed.package ?? kept.package,
    serverFile: typed.serverFile ?? kept.serverFile,
  };
}
