import { BootlaceError, NotFoundError, SettingError } from '../../errors';
import { literal, splitWords, type Word } from '../../settings/words';
import { binsOf, chooseEntry, type Entry, type FindFile, type PackageJson } from './entry';
import { readPublisher } from './publisher';
import { parseStartScript } from './start-script';

const shellFix =
  'write a file of the package, a bin, or node FILE, with plain arguments, and publish again';
const buildFix = 'build before you publish, and list the built folder in "files" of package.json';

/**
 * The entry that a role of a package's `bootlace` object names: a file, a bin, an export, or
 * `[VAR=value] node [flags] FILE`, with arguments. Pure save for `find`.
 * @throws NotFoundError ENTRY_NOT_FOUND that names the role
 */
export function roleEntry(json: PackageJson, role: string, text: string, find: FindFile): Entry {
  const facts = { path: `bootlace.roles.${role}` };
  const why = `role ${role}`;
  const { script, name, args } = parseCommand(text);
  const file = script && find(script.file);
  if (script && file) return { ...script, file, why, unused: [] };
  if (name === undefined)
    throw new NotFoundError('ENTRY_NOT_FOUND', `the role ${role} needs a shell: ${text}`, {
      fix: shellFix,
      facts,
    });
  const choice = script ? undefined : chooseEntry(json, name, find);
  if (choice && 'entry' in choice) return { ...choice.entry, why, args };
  const candidates = choice?.candidates.join(', ');
  throw new NotFoundError(
    'ENTRY_NOT_FOUND',
    `the role ${role} names ${JSON.stringify(name)}, and ${json.name} holds no such file, bin or export`,
    { fix: buildFix, facts: { ...facts, ...(candidates && { candidates }) } },
  );
}

/** @returns the first word, or node's file, undefined where only a shell knows it; and what follows */
function parseCommand(text: string) {
  const script = parseStartScript(text);
  const [first, ...args] = (script ? [[script.file], ...script.args] : splitWords(text)) ?? [];
  return { script, name: literal(first), args };
}

/** What `"migrate"` runs: a file of the package by Node, or a bin by its name. */
export type MigrateCommand = { args: readonly Word[] } & ({ file: string } | { bin: string });

/**
 * The program that the migrate command of a package's `bootlace` object names: a file, a bin, or
 * `node FILE`, with arguments. Pure save for `find` and `hasBin`.
 * @param hasBin tells whether a dependency brings a bin of this name; undefined for not known
 * @throws SettingError MIGRATE_COMMAND_INVALID or NotFoundError BIN_NOT_FOUND
 */
export function migrateCommand(
  json: PackageJson,
  text: string,
  find: FindFile,
  hasBin: (name: string) => boolean | undefined,
): MigrateCommand {
  const facts = { path: 'bootlace.migrate' };
  const { script, name, args } = parseCommand(text);
  // Without a file of its own, node runs what only a shell can quote, as in node -e.
  const isNode = !script && /^node(js)?$/.test(name ?? '');
  if (name === undefined || isNode || script?.env.length || script?.flags.length)
    throw new SettingError(
      'MIGRATE_COMMAND_INVALID',
      `the migrate command ${JSON.stringify(text)} needs a shell`,
      {
        fix: shellFix,
        facts,
      },
    );
  const isBin = !script && /^\w[\w.@+-]*$/.test(name);
  const known = isBin && (Object.hasOwn(binsOf(json), name) || hasBin(name));
  if (known) return { bin: name, args };
  const file = find(name);
  if (file) return { file, args };
  if (known === undefined) return { bin: name, args };
  throw new NotFoundError(
    'BIN_NOT_FOUND',
    `the migrate command names ${JSON.stringify(name)}, and the package brings no such ${script ? 'file' : 'file or bin'}`,
    {
      fix: isBin ? `add the package that has ${name} to "dependencies"` : buildFix,
      facts,
    },
  );
}

/**
 * Everything in a package's `bootlace` object that could not be started, with `path` in the facts.
 * For an installed package `find` and `hasBin` look at the disk; for a tarball at its list of files.
 * @returns the failures, none when all can be started
 */
export function publisherProblems(
  json: PackageJson,
  find: FindFile,
  hasBin: (name: string) => boolean | undefined,
): BootlaceError[] {
  const problems: BootlaceError[] = [];
  const attempt = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof BootlaceError)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  const publisher = attempt(() => readPublisher(json));
  for (const [role, text] of Object.entries(publisher?.roles ?? {}))
    attempt(() => roleEntry(json, role, text, find));
  const migrate = publisher?.migrate;
  if (migrate !== undefined) attempt(() => migrateCommand(json, migrate, find, hasBin));
  return problems;
}
