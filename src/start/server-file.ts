import { createHash } from 'node:crypto';

const mark = '// bootlace launcher';

/**
 * The text of server.js: a head that says what it is and carries the body's hash, then the bundled
 * launcher.
 * @param body the launcher's bundle
 */
export function renderServerFile(body: string, version: string): string {
  return [
    `${mark} ${version} sha256:${hashOf(body)}`,
    '// Starts the backend that `bootlace setup` installed: node server.js [ARGS]',
    '// Written by bootlace setup, which replaces it only while it is unchanged.',
    body,
  ].join('\n');
}

/** True for a file that bootlace wrote and nobody changed since. */
export function isServerFile(text: string): boolean {
  const head = /^\/\/ bootlace launcher \S+ sha256:([0-9a-f]{64})\r?\n.*\n.*\n/.exec(text);
  return head !== null && hashOf(text.slice(head[0].length)) === head[1];
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
