import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, posix } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as errors from '../src/errors';
import { type Definition, definitions } from '../src/settings/definitions';
import { FakeRegistry } from './support/fake-registry';
import { bin, bootlace, cleanEnv, root, temporaryFolder } from './support/run';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/<!-- run -->\n```sh\n([\s\S]*?)```/g)].map(
  match => match[1] as string,
);

test('the README has commands that this test runs', () => assert(blocks.length >= 2));

for (const block of blocks)
  test(`README: ${block.trim().split('\n').join('; ')}`, async t => {
    const token = 'a-token-for-the-readme';
    const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
    t.after(() => registry.close());
    registry.publish(
      { name: '@acme/backend', version: '1.4.2', main: 'main.js' },
      { 'main.js': 'console.log("the backend runs")' },
    );
    const dir = temporaryFolder(t);
    const path = join(temporaryFolder(t), 'bin');
    mkdirSync(path);
    // npx bootlace is this bootlace.
    writeFileSync(
      join(path, 'npx'),
      `#!/bin/sh\nshift\nexec "${process.execPath}" "${bin}" "$@"\n`,
      { mode: 0o755 },
    );
    const env = cleanEnv({
      PATH: [path, process.env.PATH].join(delimiter),
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_REGISTRY: registry.url,
      NPM_TOKEN: token,
      npm_config_registry: registry.url,
    });
    const { stdout } = await promisify(execFile)('sh', ['-euc', block], { cwd: dir, env });
    assert.match(
      stdout,
      block.includes('server.js') ? /the backend runs/ : /@acme\/backend 1\.4\.2/,
    );
  });

test('what the README and the pages after it link to is packed', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isPacked = (path: string) =>
    files.some((each: string) => new RegExp(`^${each.replace('*', '[^/]*')}$`).test(path));
  const follow = (page: string, seen: Set<string>): Set<string> => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)) {
      const path = posix.join(posix.dirname(page), link);
      if (seen.has(path)) continue;
      seen.add(path);
      if (path.endsWith('.md')) follow(path, seen);
      assert(existsSync(join(root, path)), `${page} links to ${path}, which is not there`);
    }
    return seen;
  };
  const linked = [...follow('README.md', new Set())];
  assert(linked.includes('docs/bench/start.md'));
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

test('the two set-up scripts: the test environment follows latest, production insists on a pin', async t => {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  for (const version of ['1.0.0', '1.1.0'])
    registry.publish({ name: '@acme/backend', version, main: 'main.js' }, { 'main.js': '' });
  const dir = temporaryFolder(t);
  const run = (script: string, extra: Record<string, string>) =>
    promisify(execFile)('sh', [join(root, 'scripts', script)], {
      cwd: dir,
      env: cleanEnv({
        BOOTLACE: `${process.execPath} ${bin}`,
        BACKEND_PACKAGE: '@acme/backend',
        BACKEND_REGISTRY: registry.url,
        ...extra,
      }),
    });
  assert.match(
    (await run('setup-smokebox.sh', { BACKEND_VERSION: '1.0.0' })).stdout,
    /^@acme\/backend 1\.1\.0 \(the tag latest/,
  );
  assert.match(
    (await run('setup-prod.sh', { BACKEND_VERSION: '1.0.0' })).stdout,
    /^@acme\/backend 1\.0\.0 \(pinned/,
  );
  for (const extra of <Record<string, string>[]>[
    {},
    { BACKEND_VERSION: '' },
    { BACKEND_VERSION: 'latest' },
    { BACKEND_VERSION: '^1.0.0' },
  ])
    await assert.rejects(
      run('setup-prod.sh', extra),
      (error: { code: number; stderr: string }) =>
        error.code !== 0 && /BACKEND_VERSION/.test(error.stderr),
    );
});
