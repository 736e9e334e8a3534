import { expandWord, literal, splitWords, type Word } from '../../settings/words';

/** A `scripts.start` that can be run without a shell: `[VAR=value] [exec] node [flags] file [args]`. */
export interface StartScript {
  env: readonly (readonly [name: string, value: Word])[];
  flags: readonly Word[];
  file: string;
  args: readonly Word[];
}

/** Flags of node whose value may be the next word: those of `node --help` of 20 to 26 with `=...`. */
const valued = new Set([
  '-r',
  '-C',
  ...(
    'require import loader experimental-loader conditions env-file env-file-if-exists title ' +
    'allow-fs-read allow-fs-write cpu-prof-dir cpu-prof-interval cpu-prof-name diagnostic-dir ' +
    'disable-proto disable-warning dns-result-order experimental-config-file ' +
    'experimental-default-type heap-prof-dir heap-prof-interval heap-prof-name ' +
    'heapsnapshot-near-heap-limit heapsnapshot-signal icu-data-dir input-type inspect-port ' +
    'inspect-publish-uid localstorage-file max-http-header-size max-old-space-size-percentage ' +
    'network-family-autoselection-attempt-timeout openssl-config redirect-warnings report-dir ' +
    'report-directory report-filename report-signal secure-heap secure-heap-min snapshot-blob ' +
    'tls-cipher-list tls-keylog trace-event-categories ' +
    'trace-event-file-pattern unhandled-rejections use-largepages v8-pool-size'
  )
    .split(' ')
    .map(name => `--${name}`),
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
  if (literal(words[i]) === 'exec') i++;
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
