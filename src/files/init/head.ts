import { createHash } from 'node:crypto';

// Every generated file begins with two lines, below a #! line where there is one:
//   # Written by `npx bootlace init FLAGS`. …
//   # sha256:HASH of the lines below
const advice = 'Run it again to update this file; once edited, the file is yours and stays.';

export interface Head {
  /** The words after `init`: the flags that the file was written with. */
  flags: string[];
  /** False once somebody has changed a line below the head. */
  isIntact: boolean;
}

/**
 * Puts the head on a file's text.
 * @param flags the words after `npx bootlace init`
 */
export function withHead(text: string, flags: readonly string[]): string {
  const [shebang, body] = parts(text);
  const command = ['npx bootlace init', ...flags].join(' ');
  return `${shebang}# Written by \`${command}\`. ${advice}\n# sha256:${hashOf(body)}\n${body}`;
}

/** @returns undefined for a file that init did not write */
export function readHead(text: string): Head | undefined {
  const [, rest] = parts(text);
  const head = /^# Written by `npx bootlace init([^`\n]*)`.*\n# sha256:([0-9a-f]{64})\n/.exec(rest);
  if (!head) return undefined;
  return {
    flags: (head[1] as string).split(' ').filter(Boolean),
    isIntact: hashOf(rest.slice(head[0].length)) === head[2],
  };
}

/** The text below the head, or all of it where there is none. */
export function bodyOf(text: string): string {
  const [shebang, rest] = parts(text);
  return shebang + rest.replace(/^# Written by `npx bootlace init.*\n# sha256:.*\n/, '');
}

/** The #! line and the rest, with line ends as git keeps them: a checkout may have changed them. */
function parts(text: string): [shebang: string, rest: string] {
  const plain = text.replaceAll('\r\n', '\n');
  const shebang = /^#!.*\n/.exec(plain)?.[0] ?? '';
  return [shebang, plain.slice(shebang.length)];
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
