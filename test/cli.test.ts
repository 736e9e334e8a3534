import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootlace, root, runNode, temporaryFolder } from './support/run';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};

const words: [args: string[], code: number, out: RegExp, err: RegExp][] = [
  [['--version'], 0, new RegExp(`^${version}\n$`), /^$/],
  [[], 0, /^usage: bootlace COMMAND/, /^$/],
  [['--help'], 0, /^usage: bootlace COMMAND/, /^$/],
  [['help', 'setup'], 0, /--dry-run/, /^$/],
  [['setup', '--help'], 0, /BACKEND_VERSION/, /^$/],
  [['exec', '--help'], 0, /bootlace exec BIN/, /^$/],
  [['instal'], 2, /^$/, /COMMAND_UNKNOWN[\s\S]*fix: see: npx bootlace --help/],
  [['constructor'], 2, /^$/, /COMMAND_UNKNOWN/],
  [['status', '--nonsense'], 2, /^$/, /FLAG_INVALID[\s\S]*bootlace status --help/],
  [['setup', '--registry'], 2, /^$/, /FLAG_INVALID/],
];
for (const [args, code, out, err] of words)
  test(`bootlace ${args.join(' ')}`, async t => {
    const ended = await bootlace(args, { cwd: temporaryFolder(t) });
    assert.equal(ended.code, code);
    assert.match(ended.stdout, out);
    assert.match(ended.stderr, err);
  });

test('what does not talk to a registry loads no network code', async t => {
  const file = join(temporaryFolder(t), 'loaded.js');
  writeFileSync(
    file,
    `process.on('exit', () => console.error(JSON.stringify(Object.keys(require.cache).concat(process.moduleLoadList).filter(name => /NativeModule (http|https|tls|undici|internal\\/deps\\/undici)/.test(name)))));
     process.argv.splice(1, 1); require(process.argv[1]);`,
  );
  for (const args of [['--version'], ['--help'], ['status']]) {
    const { stderr } = await runNode(file, [join(root, 'bin/bootlace.js'), ...args], {
      cwd: temporaryFolder(t),
    });
    assert.equal(stderr.trim().split('\n').at(-1), '[]', `${args}: ${stderr}`);
  }
});

test('a command whose work never ends is no success', async t => {
  const file = join(temporaryFolder(t), 'never.js');
  writeFileSync(
    file,
    `const { EventEmitter } = require('node:events');
     const nothing = () => {};
     require('node:net').connect = () => Object.assign(new EventEmitter(),
       { setTimeout: nothing, ref: nothing, unref: nothing, write: nothing, destroy: nothing });
     const real = setTimeout;
     globalThis.setTimeout = (...args) => real(...args).unref();
     const timers = require('node:timers/promises');
     const wait = timers.setTimeout;
     timers.setTimeout = (ms, value, options) => wait(ms, value, { ...options, ref: false });
     process.argv.splice(1, 1); require(process.argv[1]);`,
  );
  const { code, stderr } = await runNode(
    file,
    [join(root, 'bin/bootlace.js'), 'setup', '--dry-run', '--package=left'],
    { cwd: temporaryFolder(t), env: { BACKEND_REGISTRY: 'http://127.0.0.1:9/' } },
  );
  assert.equal(code, 1);
  assert.match(stderr, /ended before its work was done/);
});
