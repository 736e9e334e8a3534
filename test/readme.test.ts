import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import * as errors from '../src/errors';
import { type Definition, definitions } from '../src/settings/definitions';
import { bootlace, root, temporaryFolder } from './support/run';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
test('what the README and the pages after it link to is packed', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isPacked = (path: string) =>
    files.some((each: string) => new RegExp(`^${each.replace('*', '[^/]*')}$`).test(path));
  const follow = (page: string, seen: Set<string>): Set<string> => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      const path = posix.join(posix.dirname(page), link);
      if (seen.has(path)) continue;
      seen.add(path);
      if (path.endsWith('.md')) follow(path, seen);
      assert(existsSync(join(root, path)), `${page} links to ${path}, which is not there`);
    }
    return seen;
  };
  const linked = [...follow('README.md', new Set())];
  assert(linked.includes('docs/starting.md'));
  assert.deepEqual(
    linked.filter(path => !isPacked(path)),
    [],
  );
});

const says = (pattern: RegExp) => assert.ok(pattern.test(readme), `the README lacks ${pattern}`);

test('the README names every setting, command and exit code', async t => {
  for (const [key, { env, flag }] of Object.entries(definitions as Record<string, Definition>))
    says(new RegExp(`^\\| \`${env}\` \\| \`--${flag}\` \\| \`${key}\` \\|`, 'm'));
  const { stdout } = await bootlace(['--help'], { cwd: temporaryFolder(t) });
  const commands = [...stdout.matchAll(/^ {2}(\w+) /gm)].map(match => match[1] as string);
  assert(commands.length >= 6);
  for (const command of commands) says(new RegExp(`\`bootlace ${command}\\b`));
  const families = Object.values(errors).filter(
    value =>
      typeof value === 'function' && value.name.endsWith('Error') && value.name !== 'BootlaceError',
  );
  for (const Family of families as (new (
    ...args: unknown[]
  ) => errors.BootlaceError)[])
    says(new RegExp(`^\\| ${new Family('X', 'x', { fix: 'x' }).exitCode} \\| `, 'm'));
});
