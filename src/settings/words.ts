/** A variable's place in a word: its value, or the fallback when it is unset or empty. */
export interface Variable {
  name: string;
  fallback: string;
  /** `${NAME-fallback}`: an empty value stays. */
  mayBeEmpty?: true;
  /** In double quotes: its value stays one word, empty or not. */
  quoted?: true;
}
/** One shell word: literal text and variables, joined without blanks. */
export type Word = readonly (string | Variable)[];

/**
 * Splits a plain command line into words, as a POSIX shell would: quotes, backslashes, `$NAME`,
 * `${NAME}`, `${NAME:-default}` and `${NAME-default}`.
 * @returns the words, or undefined when the text needs a real shell (pipes, lists, substitution,
 *   redirection, patterns) or a quote is left open
 */
export function splitWords(text: string): Word[] | undefined {
  const words: Word[] = [];
  let word: (string | Variable)[] | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quote === "'") {
      if (c === "'") quote = '';
      else add(c);
    } else if (c === '$') {
      const match = variable.exec(text.slice(i));
      if (!match) return undefined;
      word = [
        ...(word ?? []),
        {
          name: (match[1] ?? match[4]) as string,
          fallback: match[3] ?? '',
          ...(match[2] === '-' && { mayBeEmpty: true as const }),
          ...(quote && { quoted: true as const }),
        },
      ];
      i += match[0].length - 1;
    } else if (c === '\\' && i + 1 < text.length) {
      const next = text[++i] as string;
      if (quote && !'"\\$`'.includes(next)) add('\\');
      add(next);
    } else if (c === quote) {
      quote = '';
    } else if (quote) {
      if (c === '`') return undefined;
      add(c);
    } else if (c === '"' || c === "'") {
      quote = c;
      add('');
    } else if (/\s/.test(c)) {
      if (word) words.push(word);
      word = undefined;
    } else if ('|&;<>()`*?[]{}~!#\\'.includes(c)) {
      return undefined;
    } else {
      add(c);
    }
  }
  if (quote) return undefined;
  if (word) words.push(word);
  return words;

  function add(s: string): void {
    word ??= [];
    const last = word.at(-1);
    if (typeof last === 'string') word[word.length - 1] = last + s;
    else word.push(s);
  }
}

const variable = /^\$(?:\{([A-Za-z_]\w*)(?:(:?-)([^}$`"'\\]*))?\}|([A-Za-z_]\w*))/;

/** The word's text in an environment. */
export function expandWord(word: Word, env: Readonly<Record<string, string | undefined>>): string {
  return word
    .map(part => {
      if (typeof part === 'string') return part;
      const value = env[part.name];
      return (part.mayBeEmpty ? value : value || undefined) ?? part.fallback;
    })
    .join('');
}

/**
 * The words' texts in an environment, as a shell gives them to a program: an unquoted variable is
 * split at its blanks, and gives no word at all when it is empty.
 */
export function expandWords(
  words: readonly Word[],
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  return words.flatMap(word => {
    const fields: string[] = [];
    let isOpen = false;
    for (const part of word) {
      const isPlain = typeof part === 'string' || part.quoted === true;
      const text = expandWord([part], env);
      const pieces = isPlain ? [text] : text.split(/[ \t\n]+/);
      for (const [i, piece] of pieces.entries()) {
        if (i > 0) isOpen = false;
        if (piece === '' && !isPlain) continue;
        if (isOpen) fields[fields.length - 1] += piece;
        else fields.push(piece);
        isOpen = true;
      }
    }
    return fields;
  });
}

/** The word's text when it holds no variable, else undefined. */
export function literal(word: Word | undefined): string | undefined {
  if (!word) return undefined;
  return word.every(part => typeof part === 'string') ? word.join('') : undefined;
}

/** A text as one word for a POSIX shell, in quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./^-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
