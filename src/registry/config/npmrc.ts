import { decode } from 'ini';
import { SettingError } from '../../errors';
import type { Io } from '../../io';

/** The keys of one .npmrc, variables expanded; a list is one text. */
export type NpmrcKeys = Readonly<Record<string, string>>;

/** Keys that may be lists (`noproxy[]=a`), and what joins their values. Of others the last counts. */
const lists: Record<string, string | undefined> = {
  ca: '\n',
  noproxy: ',',
  omit: ',',
  include: ',',
};

const begin = '# bootlace begin (bootlace setup keeps these lines up to date)';
const end = '# bootlace end';

/**
 * Reads .npmrc text as npm does: ini, `${VAR}` from the environment, an unset variable stays
 * as it is written.
 * @throws SettingError NPMRC_INVALID when npm could not use it either
 */
export function parseNpmrc(text: string, env: Io['env'], file = '.npmrc'): NpmrcKeys {
  if (text.includes('\0'))
    throw new SettingError('NPMRC_INVALID', `${file} is not a text file`, {
      fix: `write key=value lines in ${file}`,
    });
  const keys: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(decode(text.replace(/^\uFEFF/, '')))) {
    // npm goes on past a section, and knows nothing of what is in it.
    if (isSection(value)) continue;
    const name = expand(key, env);
    const all: unknown[] = Array.isArray(value) ? value : [value];
    const joint = lists[name];
    keys[name] = expand(joint ? all.join(joint) : String(all.at(-1)), env);
  }
  for (const bare of ['_auth', '_authToken', '_password', 'username'])
    if (bare in keys)
      throw new SettingError(
        'NPMRC_BARE_AUTH',
        `${file}, line ${linesOf(text)[bare]}, holds ${bare} for no registry`,
        {
          fix: `write it as //npm.pkg.github.com/:${bare}=\${NPM_TOKEN} in ${file}`,
        },
      );
  return keys;
}

/** The line of each key, from 1; of a list the first. */
export function linesOf(text: string): Record<string, number> {
  const lines: Record<string, number> = Object.create(null);
  for (const [i, line] of text.split('\n').entries()) {
    const key =
      line
        .split('=', 1)[0]
        ?.trim()
        .replace(/^"|"$|\[\]$/g, '') ?? '';
    lines[key] ??= i + 1;
  }
  return lines;
}

/** The names of the sections that hide lines from npm. */
export function sectionsOf(text: string): string[] {
  return Object.entries(decode(text.replace(/^\uFEFF/, ''))).flatMap(([key, value]) =>
    isSection(value) ? [key] : [],
  );
}

function isSection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function expand(text: string, env: Io['env']): string {
  return text.replace(
    /(?<!\\)(\\*)\$\{([^${}?]+)(\?)?\}/g,
    (whole, slashes: string, name: string, optional: string | undefined) =>
      slashes.length % 2
        ? whole.slice((slashes.length + 1) / 2)
        : (env[name] ?? (optional ? '' : whole)),
  );
}

/** The variables that lines such as `//host/:_authToken=${NAME}` are written with, by the line's key. */
export function credentialVariables(
  text: string,
  env: Io['env'],
): Readonly<Record<string, readonly string[]>> {
  const lines = Object.entries(decode(text.replace(/^\uFEFF/, '')))
    .filter(([key, value]) => key.startsWith('//') && !isSection(value))
    .map(([key, value]) => {
      const names = [...String(value).matchAll(/\$\{([^${}?]+)\??\}/g)].map(match => match[1]);
      return [expand(key, env), names];
    });
  return Object.fromEntries(lines);
}

/** True for a value that still holds a variable, because that variable is unset. */
export function isUnexpanded(value: string): boolean {
  return /\$\{[^}]*\}/.test(value);
}

/** The user's own lines: everything outside the managed block. */
export function withoutManagedLines(text: string, file = '.npmrc'): string {
  return split(text, file).own;
}

/**
 * Puts the managed lines into .npmrc text, keeping every other line, comment, order and line end.
 * @param existing the present text, undefined when there is no file
 * @param lines the managed lines; none takes the block away
 * @returns the new text; the same text when nothing changes
 * @throws SettingError NPMRC_MARKERS when a marker stands alone or twice
 */
export function renderNpmrc(existing: string | undefined, lines: readonly string[]): string {
  const text = existing ?? '';
  const eol = /\r\n/.test(text) ? '\r\n' : '\n';
  const { before, after } = withoutSection(split(text, '.npmrc'));
  if (lines.length === 0) return before + after;
  const block = [begin, ...lines, end].join(eol) + eol;
  const separated = before === '' || before.endsWith('\n') ? before : before + eol;
  return separated + block + after;
}

/** Lines behind a section belong to it, so new ones go before it. */
function withoutSection({ before, after }: { before: string; after: string }) {
  const at = before.search(/^[^\S\n]*\[[^\]\n]*\][^\S\n]*$/m);
  if (at < 0) return { before, after };
  return { before: before.slice(0, at), after: before.slice(at) + after };
}

function split(text: string, file: string): { before: string; after: string; own: string } {
  const begins = [...text.matchAll(/^# bootlace begin[^\n]*\n?/gm)];
  const ends = [...text.matchAll(/^# bootlace end[^\n]*\n?/gm)];
  const [first] = begins;
  const [last] = ends;
  if (!first && !last) return { before: text, after: '', own: text };
  if (!first || !last || begins.length > 1 || ends.length > 1 || last.index < first.index)
    throw new SettingError(
      'NPMRC_MARKERS',
      `the marker comments of bootlace in ${file} do not pair up`,
      {
        fix: `remove the lines from "# bootlace begin" to "# bootlace end" in ${file} and run npx bootlace setup again`,
      },
    );
  const before = text.slice(0, first.index);
  const after = text.slice(last.index + last[0].length);
  return { before, after, own: before + after };
}
