import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Command, Context, Flags, Outcome } from './commands/command';
import { BootlaceError, UsageError } from './errors';
import { type Io, realIo, secretOf } from './io';
import { type Definition, definitions } from './settings/definitions';
import { interruptible } from './signals';
import { nearestWord } from './ui/nearest-word';
import { Redactor } from './ui/redact';
import { Reporter } from './ui/reporter';

declare const BOOTLACE_VERSION: string | undefined;
const version = typeof BOOTLACE_VERSION === 'string' ? BOOTLACE_VERSION : '0.0.0-source';

const commands: Record<
  string,
  readonly [summary: string, load: () => Promise<{ command: Command }>]
> = {
  setup: ['resolve, install and activate the backend', () => import('./commands/setup')],
  start: ['start what setup activated', () => import('./commands/start')],
  up: ['set up if needed, then become the backend', () => import('./commands/up')],
  migrate: ["run the backend's migrate command", () => import('./commands/migrate')],
  exec: ['run a program that the backend ships', () => import('./commands/exec')],
  status: ['what is active, why, and which releases are kept', () => import('./commands/status')],
  init: ['write the deployment files of a repository', () => import('./commands/init')],
  lock: ['write the lock that the backend package carries', () => import('./commands/lock')],
  check: ['check a Blueprint or a backend package', () => import('./commands/check')],
  deploy: ['pin, deploy and prove services on Render', () => import('./commands/deploy')],
  rollback: ['back to the last proven version', () => import('./commands/rollback')],
  verify: ['is it healthy, and the expected version?', () => import('./commands/verify')],
  services: ['pinned and live versions, last deploys', () => import('./commands/services')],
  releases: ['the deploys of a service, and who made them', () => import('./commands/releases')],
  job: ['run a command of a service once, such as migrations', () => import('./commands/job')],
  use: ['switch to a release that is on disk', () => import('./commands/use')],
  doctor: ['check token, registry, package, host and settings', () => import('./commands/doctor')],
};

const common: Command['options'] = {
  dir: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
};

/**
 * Runs one command line.
 * @param argv the words after the program's name
 * @param dist the folder of the bundles
 * @returns the exit code, or the last act of a command that becomes another program
 */
export async function main(argv: readonly string[], io: Io, dist: string): Promise<Outcome> {
  const redactor = new Redactor();
  for (const name of [
    'NPM_TOKEN',
    'NODE_AUTH_TOKEN',
    'RENDER_API_KEY',
    'RENDER_DEPLOY_HOOK',
    'RENDER_DEPLOY_HOOK_URL',
    'GITHUB_TOKEN',
    io.env.BACKEND_TOKEN_ENV?.trim(),
  ])
    if (name) redactor.add(secretOf(io.env, name));
  const own = ownWords(argv);
  const report = new Reporter(io, {
    json: own.includes('--json'),
    quiet: own.includes('--quiet') || own.includes('-q'),
    redactor,
  });
  try {
    return await run(argv, io, report, redactor, dist);
  } catch (error) {
    if (error instanceof BootlaceError) {
      report.fail(error);
      return error.exitCode;
    }
    report.bug(error);
    return 1;
  } finally {
    report.done();
  }
}

async function run(
  argv: readonly string[],
  io: Io,
  report: Reporter,
  redactor: Redactor,
  dist: string,
): Promise<Outcome> {
  const [name = '--help', ...words] = argv;
  if (name === '--version' || name === '-v' || name === '-V') {
    io.out(`${version}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const [asked] = words;
    if (asked && !asked.startsWith('-')) return run([asked, '--help'], io, report, redactor, dist);
    io.out(overview());
    return 0;
  }
  // The name that it had in 0.1.
  if (name === 'release') return run(['migrate', ...words], io, report, redactor, dist);
  const known = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!known)
    throw new UsageError(
      'COMMAND_UNKNOWN',
      `there is no command ${JSON.stringify(name.slice(0, 40))}`,
      { fix: didYouMean(name, Object.keys(commands)) ?? 'see: npx bootlace --help' },
    );
  const { command } = await known[1]();
  const { flags, positionals, rest } = parse(command, name, words);
  if (flags.help) {
    io.out(help(command, known[0]));
    return 0;
  }
  report.nameFlags(typedFlags(flags), typeof flags.dir === 'string' ? flags.dir : undefined);
  const dir = resolve(io.cwd, typeof flags.dir === 'string' ? flags.dir : '.');
  const context: Omit<Context, 'signal'> = {
    io,
    report,
    redactor,
    flags,
    positionals,
    rest,
    dir,
    version,
    dist,
  };
  return interruptible(signal => command.run({ ...context, signal }));
}

function parse(
  command: Command,
  name: string,
  words: readonly string[],
): { flags: Flags; positionals: string[]; rest: string[] } {
  const options = { ...common, ...command.options };
  // exec: what follows the program's name is the program's.
  const stop = command.stopAtFirst ? firstWord(words, options) : words.indexOf('--');
  const ours = stop < 0 ? words : words.slice(0, stop);
  const theirs = stop < 0 ? [] : words.slice(stop);
  try {
    const { values, positionals } = parseArgs({
      args: [...ours],
      options,
      allowPositionals: true,
      strict: true,
    });
    if (command.stopAtFirst)
      return {
        flags: values,
        positionals: theirs.filter((word, i) => i > 0 || word !== '--'),
        rest: [],
      };
    if (command.positionals >= 0 && positionals.length > command.positionals)
      throw new UsageError(
        'WORD_UNEXPECTED',
        `${name} takes no ${JSON.stringify(positionals[command.positionals])}`,
        {
          fix: unexpectedFix(command, name, positionals[command.positionals] as string),
        },
      );
    const rest = theirs.slice(1);
    if (rest.length && !command.takesRest)
      throw new UsageError('WORD_UNEXPECTED', `${name} starts nothing that takes words after --`, {
        fix: 'leave them out; the backend gets its words from: node server.js WORDS, or from BACKEND_ARGS',
      });
    return { flags: values, positionals, rest };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    const flag = /Unknown option '(-[^']*)'/.exec(message)?.[1];
    const known = Object.keys(options).map(each => `--${each}`);
    const isVersion = flag === '--version' && options['backend-version'];
    throw new UsageError(
      'FLAG_INVALID',
      (message.split('. ')[0] ?? message).replaceAll('\n', ' '),
      {
        fix: isVersion
          ? `the backend's version is --backend-version: npx bootlace ${name} --backend-version ${valueAfter(ours, '--version') ?? '1.2.3'}`
          : ((flag && didYouMean(flag, known)) ?? `see: npx bootlace ${name} --help`),
      },
    );
  }
}

/** @returns undefined where no word is near */
function didYouMean(word: string, words: readonly string[]): string | undefined {
  const near = nearestWord(word, words);
  return near && `did you mean ${near}?`;
}

function valueAfter(words: readonly string[], flag: string): string | undefined {
  const inline = words.find(word => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
  return inline ?? words[words.indexOf(flag) + 1];
}

/** The variables of the settings that were typed as flags. */
function typedFlags(flags: Flags): Record<string, string> {
  const all = Object.values(definitions) as Definition[];
  return Object.fromEntries(
    all.filter(({ flag }) => flags[flag] !== undefined).map(({ env, flag }) => [env, `--${flag}`]),
  );
}

function unexpectedFix({ usage, options, takesRest }: Command, name: string, word: string): string {
  const [, alone] = /^(v?\d[^@/]*)$/.exec(word) ?? [];
  const [, named, version = alone] =
    (!alone && /^((?:@[^@/]+\/)?[a-z][^@/]*)(?:@(.+))?$/.exec(word)) || [];
  if (options.package && ((named && word.startsWith('@')) || version)) {
    const words = [named && `--package ${named}`, version && `--backend-version ${version}`];
    return `type: npx bootlace ${name} ${words.filter(Boolean).join(' ')}`;
  }
  return `type: npx ${usage.replace(/ \[.*?\]/g, '')}${takesRest ? '; words for the backend follow --' : ''}`;
}

/** The words that are bootlace's own: not the backend's after --, not those of exec's program. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end =
    argv[0] === 'exec'
      ? argv.findIndex((word, i) => i > 0 && !word.startsWith('-'))
      : argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

function firstWord(words: readonly string[], options: Command['options']): number {
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '--' || !word.startsWith('-')) return i;
    if (!word.includes('=') && options[word.replace(/^--/, '')]?.type === 'string') i++;
  }
  return -1;
}

const commonHelp: Command['help'] = [
  ['--dir DIR', 'work in this folder'],
  ['--json', 'one JSON document on stdout, the rest on stderr'],
  ['--quiet', 'only warnings and failures'],
];

function help(command: Command, summary: string): string {
  return [
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    '',
    'usage:',
    `  ${command.usage}`,
    '',
    ...pad([...command.help, ...commonHelp]),
    '',
  ].join('\n');
}

function overview(): string {
  const rows = Object.entries(commands).map(([name, [summary]]) => [name, summary] as const);
  return [
    'usage: bootlace COMMAND',
    '',
    ...pad(rows),
    '',
    'bootlace COMMAND --help says more; bootlace --version',
    '',
  ].join('\n');
}

function pad(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** Node ends with 0 when nothing is left to wait for, although a promise never settled. */
function endedEarly(): void {
  process.stderr.write('bootlace: this is a bug in bootlace: it ended before its work was done\n');
  process.exitCode = 1;
}

/** The program: the only place that sets the exit code. */
export async function start(dist: string): Promise<void> {
  // A reader that has gone, such as `bootlace status | head -1`, is no failure.
  const ignore = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  };
  const streams = [process.stdout, process.stderr];
  for (const stream of streams) stream.on('error', ignore);
  process.once('beforeExit', endedEarly);
  const outcome = await main(process.argv.slice(2), realIo(), dist);
  process.removeListener('beforeExit', endedEarly);
  if (typeof outcome === 'number') {
    process.exitCode = outcome;
    return;
  }
  for (const stream of streams) stream.removeListener('error', ignore);
  // Out of the promise, so that what the backend throws is Node's to handle.
  setImmediate(outcome.finally);
}
