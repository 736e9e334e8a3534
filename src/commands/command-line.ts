import { parseArgs } from 'node:util';
import { UsageError } from '../errors';
import { type Definition, definitions } from '../settings/definitions';
import { shellWord } from '../settings/words';
import { nearest } from '../ui/nearest';
import { table } from '../ui/text';
import type { Command, Flags } from './command';

const common: Command['options'] = {
  dir: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
  help: { type: 'boolean', short: 'h' },
};

/**
 * Reads the words after a command's name.
 * @throws UsageError WORD_UNEXPECTED or FLAG_INVALID, with what to type
 */
export function parseWords(
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
    const { values, positionals } = parseArgs({ args: [...ours], options, allowPositionals: true });
    const rest = theirs[0] === '--' ? theirs.slice(1) : theirs;
    if (command.stopAtFirst) return { flags: values, positionals: rest, rest: [] };
    const unexpected = command.positionals < 0 ? undefined : positionals[command.positionals];
    if (unexpected !== undefined)
      throw new UsageError('WORD_UNEXPECTED', `${name} takes no ${JSON.stringify(unexpected)}`, {
        fix: unexpectedFix(command, name, unexpected),
      });
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
    const what = (message.split('. ')[0] ?? message).replaceAll('\n', ' ');
    throw new UsageError('FLAG_INVALID', what, {
      fix: isVersion
        ? `the backend's version is --backend-version: ${withVersion(name, ours, options)}`
        : ((flag && didYouMean(flag, known)) ?? `see: npx bootlace ${name} --help`),
    });
  }
}

/** @returns undefined where no word is near */
export function didYouMean(word: string, words: readonly string[]): string | undefined {
  const near = nearest(word, words);
  return near && `did you mean ${near}?`;
}

/** The command and its words, with `--backend-version` for `--version`. */
function withVersion(name: string, args: readonly string[], options: Command['options']): string {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...options, version: { type: 'string' } },
    allowPositionals: true,
    strict: false,
  });
  const { version } = values;
  const text = typeof version === 'string' ? version : '1.2.3';
  return [
    'npx bootlace',
    name,
    ...positionals.map(shellWord),
    `--backend-version ${shellWord(text)}`,
  ].join(' ');
}

/** The variables of the settings that were typed as flags, and the flags. */
export function typedFlags(flags: Flags): Record<string, string> {
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
export function ownWords(argv: readonly string[]): readonly string[] {
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

/** What --help prints. */
export function help(command: Command, summary: string): string {
  return [
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    '',
    'usage:',
    `  ${command.usage}`,
    '',
    ...table([...command.help, ...commonHelp]).map(line => `  ${line}`),
    '',
  ].join('\n');
}

/** @param rows each command and what it does */
export function overview(rows: readonly (readonly [string, string])[]): string {
  return [
    'usage: bootlace COMMAND',
    '',
    ...table(rows).map(line => `  ${line}`),
    '',
    'bootlace COMMAND --help says more; bootlace --version',
    '',
  ].join('\n');
}
