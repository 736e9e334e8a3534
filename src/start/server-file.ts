import { createHash } from 'node:crypto';

const mark = '// bootlace launcher';

/** `require` in CommonJS, `import()` in an ES module, which the folder's "type" decides. */
const body = `typeof require === 'function' ? require('./.bootlace/launcher.cjs') : import('./.bootlace/launcher.cjs');
`;

/**
 * The text of server.js: a head that says what it is and carries the body's hash, then one statement
 * that loads the launcher.
 */
export function renderServerFile(version: string): string {
  return [
    `${mark} ${version} sha256:${hashOf(body)}`,
    '// Starts the backend that `bootlace setup` installed: node server.js [ROLE] [ARGS]',
    '// Setup replaces this file only while it is unchanged. If .bootlace is gone, run: npx bootlace setup',
    body,
  ].join('\n');
}

/** True for a file that bootlace wrote and that was not changed since. */
export function isServerFile(text: string): boolean {
  const head = /^\/\/ bootlace launcher \S+ sha256:([0-9a-f]{64})\r?\n.*\n.*\n/.exec(text);
  return head !== null && hashOf(text.slice(head[0].length)) === head[1];
}

/** The names that the file gets, the first that is free. */
export const serverFileNames = ['server.js', 'start.js', 'launch.js'];

/** @param read the text of a file; undefined when it is not there */
export function findFreeServerFile(
  read: (name: string) => string | undefined,
  names = serverFileNames,
): string | undefined {
  return names.find(name => {
    const text = read(name);
    return text === undefined || isServerFile(text);
  });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
