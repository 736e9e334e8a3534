import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FakeRegistry } from './support/fake-registry';
import {
  anchorsOf,
  brokenLinks,
  pages,
  readPage,
  shellBlocks,
  typedCommands,
} from './support/pages';
import { bin, bootlace, cleanEnv, root, temporaryFolder } from './support/run';

for (const page of pages)
  test(`${page}: links and images lead somewhere`, () => {
    assert.deepEqual(brokenLinks(page, readPage(page)), []);
  });

const links: [text: string, broken: string[]][] = [
  ['[a](docs/starting.md) [b](https://example.com/x) ![c](docs/bench/start.svg)', []],
  ['[a](docs/nowhere.md) ![b](nowhere.svg)', ['docs/nowhere.md', 'nowhere.svg']],
  ['[a](docs/starting.md#memory) [b](docs/starting.md#nowhere)', ['docs/starting.md#nowhere']],
  ['# One `two` (3)\n[a](#one-two-3) [b](#one)', ['#one']],
  ['```\n[a](nowhere.md)\n# b\n```\n`[c](nowhere.md)` [d](#b)', ['#b']],
];
for (const [text, broken] of links)
  test(`broken links of ${JSON.stringify(text)}`, () => {
    assert.deepEqual(brokenLinks('README.md', text), broken);
  });

test('the anchors of headings are those of GitHub', () => {
  assert.deepEqual(anchorsOf("# What the backend's package.json can say\n## A\n## A"), [
    'what-the-backends-packagejson-can-say',
    'a',
    'a-1',
  ]);
});

test('every command in a page exists, with its flags', async t => {
  const cwd = temporaryFolder(t);
  const typed = pages.flatMap(page =>
    typedCommands(readPage(page)).map(each => ({ page, ...each })),
  );
  assert(typed.length > 50);
  const names = [...new Set(typed.map(({ command }) => command))];
  const helps = new Map<string, string>();
  for (const name of names) {
    const { code, stdout } = await bootlace([name, '--help'], { cwd });
    if (code === 0) helps.set(name, `${stdout} --help`);
  }
  const unknown = typed.flatMap(({ page, command, flags }) => {
    const help = helps.get(command);
    if (help === undefined) return [`${page}: ${command}`];
    return flags
      .filter(flag => !new RegExp(`${flag}(?![a-z-])`).test(help))
      .map(flag => `${page}: ${command} ${flag}`);
  });
  assert.deepEqual(unknown, []);
});

test('typedCommands finds blocks and inline code', () => {
  assert.deepEqual(
    typedCommands(
      'Run `npx bootlace use previous`, not `bootlace@0`.\n```sh\nnpx --yes bootlace@0 setup --lock a # --no\nbootlace exec x -- --no\n```\n',
    ),
    [
      { command: 'use', flags: [] },
      { command: 'setup', flags: ['--lock'] },
      { command: 'exec', flags: [] },
    ],
  );
});

test('every npm script in a page exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const named = pages
    .filter(page => page !== 'CHANGELOG.md')
    .flatMap(page => [...readPage(page).matchAll(/\bnpm run ([\w:]+)/g)])
    .map(match => match[1] as string);
  assert(named.length > 5);
  const ofBackends = ['build', 'lint', 'test'];
  assert.deepEqual(
    named.filter(name => !(name in scripts) && !ofBackends.includes(name)),
    [],
  );
});

/** Their shell blocks run here, or say what they need that no test has. */
const tried = ['README.md', 'docs/starting.md', 'docs/publishing.md'];
for (const page of tried)
  for (const { mark = '', text } of shellBlocks(readPage(page))) {
    if (/^needs (Render|GitHub)$/.test(mark)) continue;
    test(`${page}: ${text.trim().split('\n').join('; ')}`, async t => {
      const found = /^run( [a-z ]+)?: (.+)$/.exec(mark);
      assert(found, `no comment says how to run it: ${JSON.stringify(mark)}`);
      const [, place = '', expected = ''] = found;
      const { stdout } = await runBlock(t, place.trim(), text);
      assert(stdout.includes(expected), stdout);
    });
  }

test('the output of setup in the README is that of setup', async t => {
  const { stdout } = await runBlock(t, '', 'npx bootlace setup', backend(true));
  const plain = (text: string) =>
    text.replace(/https?:[^)]*/g, 'URL').replace(/[\d.]+ k?B/g, 'SIZE');
  const seen = plain(stdout).replace(/[\d.]+ s$/m, 'TIME');
  const shown = /^```\n(@acme\/backend 1[\s\S]*?)```/m.exec(readPage('README.md'))?.[1] ?? '';
  assert.equal(plain(shown).replace(/[\d.]+ s$/m, 'TIME'), seen);
});

const main = `const { PORT } = process.env;
if (PORT) require('node:http').createServer((_, answer) => answer.end('ok')).listen(PORT);
else console.log('the backend runs', process.argv.slice(2).join());
`;

/** A backend as the pages describe one: its files by path. */
function backend(isLocked: boolean): Record<string, string> {
  const manifest = {
    name: '@acme/backend',
    version: '1.4.2',
    files: ['dist', ...(isLocked ? ['bootlace-lock.json'] : [])],
    scripts: { start: 'node dist/main.js' },
  };
  const lock = {
    ...{ name: manifest.name, lockfileVersion: 3, requires: true },
    packages: { '': { name: manifest.name } },
  };
  return {
    'package.json': JSON.stringify(manifest),
    'dist/main.js': main,
    ...(isLocked && { 'bootlace-lock.json': JSON.stringify(lock) }),
  };
}

/** Runs a block with sh in the place that its mark names, where `npx bootlace` is this bootlace. */
async function runBlock(
  t: { after(fn: () => void | Promise<void>): void },
  place: string,
  block: string,
  published = backend(false),
) {
  const token = 'a-token-for-the-docs';
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  const { 'package.json': manifest = '', ...files } = published;
  const withRoles = { bootlace: { roles: { web: 'dist/main.js', worker: 'dist/main.js worker' } } };
  const more = place === 'after setup' ? withRoles : {};
  registry.publish({ ...JSON.parse(manifest), ...more }, files);
  const path = join(temporaryFolder(t), 'bin');
  mkdirSync(path);
  const npx = `#!/bin/sh\n[ "$1" = --yes ] && shift\nshift\nexec "${process.execPath}" "${bin}" "$@"\n`;
  writeFileSync(join(path, 'npx'), npx, { mode: 0o755 });
  const env = cleanEnv({
    PATH: [path, process.env.PATH].join(delimiter),
    PORT: undefined,
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
  });
  const dir = temporaryFolder(t);
  const own = place === 'beside a backend' ? join(dir, 'backend') : dir;
  if (/backend|lock/.test(place))
    for (const [name, text] of Object.entries({ ...backend(false), '.gitignore': '.env\n' })) {
      mkdirSync(dirname(join(own, name)), { recursive: true });
      writeFileSync(join(own, name), text);
    }
  const before = { 'after lock': 'npx bootlace lock; ', 'after setup': 'npx bootlace setup; ' }[
    place
  ];
  return promisify(execFile)('sh', ['-euc', `${before ?? ''}${block}`], { cwd: dir, env });
}
