import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SettingError, UsageError } from '../errors';
import { type ComparedFile, compareFiles, diffOf, writeFiles } from '../files/init/apply';
import { readHead } from '../files/init/head';
import {
  type InitOptions,
  mergeOptions,
  optionFlags,
  readOptions,
  readWords,
  wordsOf,
} from '../files/init/options';
import { planInit } from '../files/init/plan';
import { openRepository, type Repository } from '../files/repository';
import { loadSources } from '../settings/load';
import { collectSettings } from '../settings/settings';
import { shellWord } from '../settings/words';
import { table } from '../ui/text';
import type { Command, Context } from './command';

export const command: Command = {
  usage: 'bootlace init [--recipe node|python|docker] [--docker]',
  help: [
    ['--recipe NAME', 'node: a private npm backend (default); python; docker'],
    ['--docker', 'add Dockerfile, .dockerignore and compose.yaml'],
    ['--package NAME', 'the backend package, or the name of a service of another recipe'],
    ['--ask NAME', 'a variable that Render asks for in place of generating or linking it'],
    ['--server-file NAME', 'what setup writes when server.js is taken'],
    ['--check', 'say which files are missing or out of date; write nothing'],
    ['--dry-run', 'print what would be written; write nothing'],
    ['--force FILE', 'replace this file although it is yours'],
  ],
  options: {
    ...optionFlags,
    check: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    force: { type: 'string', multiple: true },
  },
  positionals: 0,
  run(context) {
    const { dir, dist, flags, report } = context;
    refuseBelowTop(dir);
    const repository = openRepository(dir);
    const options = optionsOf(context, repository);
    const templates = join(dist, '..', 'templates');
    const plan = planInit(repository, basename(dir), options, name =>
      readFileSync(join(templates, name), 'utf8'),
    );
    const files = compareFiles(dir, plan.files);
    const forced = forcedOf(flags.force, files);
    for (const note of plan.notes) report.warn(note);
    if (flags.check) return check(files, context);
    const writable = files.filter(
      file => file.state === 'missing' || file.state === 'outdated' || forced.includes(file.path),
    );
    const isDry = flags['dry-run'] === true;
    if (!isDry) writeFiles(dir, writable);
    const rows = files.map(file => [wordFor(file, writable.includes(file), isDry), file.path]);
    report.line(`${plan.subject}, recipe ${options.recipe}`);
    for (const line of table(rows)) report.line(line);
    const theirs = files.filter(
      file => file.state === 'yours' && !writable.includes(file) && diffOf(file) !== '',
    );
    if (theirs.length && files.every(({ state }) => state === 'yours') && writable.length === 0)
      throw nothingWritten(theirs);
    if (theirs.length)
      report.line(`${saysYours(theirs)}; to see what differs: npx bootlace init --check`);
    if (flags.json)
      report.json({
        ok: true,
        subject: plan.subject,
        recipe: options.recipe,
        files: files.map(file => ({
          path: file.path,
          state: file.state,
          written: !isDry && writable.includes(file),
          ...(isDry && { text: file.text }),
        })),
        warnings: report.warnings,
      });
    return 0;
  },
};

/**
 * Flags that are typed, over those that the files were written with: a flag that is not typed again
 * would create a database beside the one in use. Another recipe begins anew.
 */
function optionsOf({ dir, flags, io, report }: Context, repository: Repository): InitOptions {
  const typed = Object.fromEntries(
    Object.keys(optionFlags).flatMap(name =>
      flags[name] === undefined ? [] : [[name, flags[name]]],
    ),
  );
  const paths = ['render.yaml', '.github/workflows/deploy.yml', '.env.example', 'compose.yaml'];
  const options = readOptions(typed);
  const heads = paths.flatMap(path => {
    const head = readHead(repository.text(path) ?? '');
    return head ? { path, ...head } : [];
  });
  // A file of the user's does not get the flags of later runs.
  const head = heads.find(({ isIntact }) => isIntact) ?? heads[0];
  const kept = head && readWords(head.flags, head.path);
  if (kept && (typed.recipe === undefined || options.recipe === kept.recipe)) {
    const words = wordsOf(kept).join(' ');
    if (words && Object.keys(typed).length)
      report.line(`kept from line 1 of ${head.path}: ${words} (take a flag out there to drop it)`);
    return mergeOptions(options, kept);
  }
  if (options.recipe !== 'node') return options;
  const named = collectSettings(loadSources(dir, flags, io.env)).package?.value;
  return named === undefined
    ? options
    : { ...options, package: readOptions({ package: named }).package };
}

/** render.yaml and workflows count at the repository's top only. */
function refuseBelowTop(dir: string): void {
  if (existsSync(join(dir, '.git'))) return;
  for (let at = dirname(dir); at !== dirname(at); at = dirname(at))
    if (existsSync(join(at, '.git')))
      throw new UsageError('INIT_NOT_AT_TOP', `${dir} is not the top of its repository`, {
        fix: `run: npx bootlace init --dir ${shellWord(at)}`,
      });
}

function forcedOf(flag: unknown, files: readonly ComparedFile[]): string[] {
  const forced =
    flag === undefined ? [] : [flag].flat().map(name => String(name).replace(/^\.\//, ''));
  const unknown = forced.find(name => !files.some(({ path }) => path === name));
  if (unknown === undefined) return forced;
  throw new UsageError('FORCE_UNKNOWN', `init writes no file ${JSON.stringify(unknown)}`, {
    fix: `pass --force with one of: ${files.map(({ path }) => path).join(', ')}`,
  });
}

function wordFor({ state }: ComparedFile, isWritten: boolean, isDry: boolean): string {
  if (isWritten) return isDry ? 'would write' : 'wrote';
  return state === 'current' ? 'in order' : 'yours, left as it is';
}

function saysYours(theirs: readonly ComparedFile[]): string {
  return `${theirs.map(({ path }) => path).join(', ')} ${theirs.length === 1 ? 'is' : 'are'} yours`;
}

/** Ends with 3 when no file at all is init's. Where some are in order, a second run is no failure. */
function nothingWritten(theirs: readonly ComparedFile[]): SettingError {
  const names = theirs.map(({ path }) => path);
  const what = `nothing was written: ${saysYours(theirs)}`;
  return new SettingError('INIT_NOTHING_WRITTEN', what, {
    fix: `see what differs: npx bootlace init --check; to replace one: npx bootlace init --force ${names[0]}`,
    facts: { files: names },
  });
}

function check(files: readonly ComparedFile[], { flags, report }: Context): number {
  const words = {
    missing: 'missing',
    outdated: 'out of date',
    yours: 'yours',
    current: 'in order',
  };
  const rows = files.map(file => ({ path: file.path, state: file.state, diff: diffOf(file) }));
  for (const line of table(rows.map(({ state, path }) => [words[state], path]))) report.line(line);
  for (const { state, diff } of rows) if (state !== 'current' && diff) report.line(`\n${diff}`);
  const wrong = rows.filter(({ state }) => state === 'missing' || state === 'outdated');
  if (wrong.length) {
    const what = `missing or out of date: ${wrong.map(({ path }) => path).join(', ')}`;
    const fix = 'run: npx bootlace init';
    throw new SettingError('INIT_OUTDATED', what, { fix, facts: { files: rows } });
  }
  if (flags.json) report.json({ ok: true, files: rows, warnings: report.warnings });
  return 0;
}
