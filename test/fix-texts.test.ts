import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from './support/run';

/** What is no sentence to a user: a comment, a usage line, a line that is written into a file. */
const isOther = (line: string) =>
  /^\s*(\*|\/\/|\/\*)|\busage:|# bootlace begin|^\s*'\/\/ /.test(line);

test('what is to be typed can be typed where bootlace is not installed: npx bootlace', () => {
  const words = readFileSync(join(root, 'src/cli.ts'), 'utf8').matchAll(/^ {2}(\w+): \[/gm);
  const commands = [...words].map(([, name]) => name).join('|');
  const bare = new RegExp(`(?<!npx )bootlace (${commands}|\\$\\{)`);
  assert.match('run: bootlace setup', bare);
  const found = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .flatMap(name =>
      readFileSync(join(root, 'src', name), 'utf8')
        .split('\n')
        .filter(line => bare.test(line) && !isOther(line))
        .map(line => `${name}: ${line.trim()}`),
    );
  assert.deepEqual(found, []);
});
