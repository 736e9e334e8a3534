import { expandWord, literal, splitWords, type Word } from '../settings/words';

/** A `scripts.start` that can be run without a shell: `[VAR=value] node [flags] file [args]`. */
export interface StartScript {
  env: readonly (readonly [name: string, value: Word])[];
  flags: readonly Word[];
  file: string;
  args: readonly Word[];
}

/** Flags of node whose value is the next word. */
const valued = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
  '--env-file',
  '--env-file-if-exists',
  '--title',
  '--icu-data-dir',
  '--openssl-config',
  '--disable-warning',
  '--trace-event-categories',
  '--inspect-port',
  '--dns-result-order',
]);
/** With these, node runs something else than a file once. */
const notAFile =
  /^(-e|-p|-pe|-i|-c|-v|-h|--eval|--print|--check|--interactive|--test|--watch|--run|--version|--help|--build-snapshot)(=|-|$)/;

/** Parses `scripts.start`; undefined when it is anything else than a plain start of one file. */
export function parseStartScript(text: string): StartScript | undefined {
  const words = splitWords(text);
  if (!words) return undefined;
  const env: [string, Word][] = [];
  let i = 0;
  for (; i < words.length; i++) {
    const assignment = parseAssignment(words[i] as Word);
    if (!assignment) break;
    env.push(assignment);
  }
  if (!/^(node|nodejs)$/.test(literal(words[i++]) ?? '')) return undefined;
  const flags: Word[] = [];
  for (; i < words.length; i++) {
    const word = words[i] as Word;
    const flag = expandWord(word, {});
    if (!flag.startsWith('-')) break;
    if (flag === '--') {
      i++;
      break;
    }
    if (notAFile.test(flag)) return undefined;
    flags.push(word);
    if (valued.has(flag)) {
      const value = words[++i];
      if (!value) return undefined;
      flags.push(value);
    }
  }
  const file = literal(words[i++]);
  return file ? { env, flags, file, args: words.slice(i) } : undefined;
}

function parseAssignment(word: Word): [string, Word] | undefined {
  const [first, ...rest] = word;
  const match = typeof first === 'string' ? /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(first) : null;
  return match ? [match[1] as string, [match[2] as string, ...rest]] : undefined;
}
