import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';

/** A process that was asked to report, and each kind of process that it makes. */
const family = `
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const about = { maps: process.sourceMapsEnabled, quiet: process.noDeprecation === true, preload: globalThis.loaded ?? null };
if (process.send) { process.send(about); process.disconnect?.(); }
else {
  const answer = child => new Promise(resolve => child.once('message', resolve));
  cluster.setupPrimary({});
  Promise.all([answer(fork(__filename)), answer(cluster.fork())]).then(children => console.log(JSON.stringify([about, ...children])));
}`;

test('what a backend forks has the flags of scripts.start as well', async t => {
  const files = { 'lib/main.js': family, 'pre.js': 'globalThis.loaded = "pre"' };
  const start = 'node --enable-source-maps --no-deprecation -r ./pre.js lib/main.js';
  for (const { major, file: node } of availableNodes()) {
    const dir = temporaryFolder(t);
    writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    for (const BACKEND_MEMORY of ['off', '512']) {
      const run = await runNode(join(dir, 'server.js'), [], {
        cwd: dir,
        env: { BACKEND_MEMORY },
        node,
      });
      const one = { maps: true, quiet: true, preload: 'pre' };
      assert.deepEqual(JSON.parse(run.stdout), [one, one, one], `Node ${major}: ${run.stderr}`);
    }
  }
});

test('preloads run in the order of Node: requires, then imports, each to its end', async t => {
  const files = {
    'a.mjs': 'await new Promise(resolve => setTimeout(resolve, 50)); console.log("a")',
    'b.mjs': 'console.log("b")',
    'c.cjs': 'console.log("c", process.env.FROM)',
    'x.env': 'FROM=file',
    'main.js': 'console.log("main")',
  };
  const start = 'node --import ./a.mjs --import ./b.mjs -r ./c.cjs --env-file=x.env main.js';
  for (const { major, file: node } of availableNodes()) {
    const dir = temporaryFolder(t);
    const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    const [, first = '', ...words] = start.split(' ');
    const plain = await runNode(first, words, { cwd: backend, node });
    const ours = await runNode(join(dir, 'server.js'), [], { cwd: dir, node });
    assert.equal(ours.stdout, plain.stdout, `Node ${major}: ${ours.stderr}`);
    assert.equal(plain.stdout, 'c file\na\nb\nmain\n');
  }
});

for (const more of ['', ' --max-http-header-size=20000'])
  test(`--env-file: the last one wins, under the environment and over .env${more}`, async t => {
    const files = {
      'a.env': 'ONE=a\nTWO=a\nTHREE=a\nFOUR=a\nNPM_TOKEN=a',
      'b.env': 'TWO=b',
      'main.js':
        'const { ONE, TWO, THREE, FOUR, NPM_TOKEN = null } = process.env; console.log(JSON.stringify({ ONE, TWO, THREE, FOUR, NPM_TOKEN }))',
    };
    const dir = temporaryFolder(t);
    const start = `FOUR=script node --env-file=a.env --env-file=b.env${more} main.js`;
    writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    const cwd = join(dir, 'elsewhere');
    mkdirSync(cwd);
    writeFileSync(join(cwd, '.env'), 'ONE=dotenv');
    const env = { THREE: 'real' };
    const { stdout, stderr } = await runNode(join(dir, 'server.js'), [], { cwd, env });
    const expected = { ONE: 'a', TWO: 'b', THREE: 'real', FOUR: 'script', NPM_TOKEN: null };
    assert.deepEqual(JSON.parse(stdout || '{}'), expected, stderr);
  });

test('an --env-file that is not there ends the start before it says that it starts', async t => {
  const dir = temporaryFolder(t);
  const start = 'node --env-file=gone.env main.js';
  writeInstalled(dir, { packageJson: { scripts: { start } }, files: { 'main.js': '' } });
  const { code, stderr } = await runNode(join(dir, 'server.js'), [], { cwd: dir });
  assert.equal(code, 3);
  assert.match(stderr, /^bootlace: ENV_FILE_MISSING: [\s\S]*fix: write gone\.env/);
});

test('what Node was given already, and an import that is none for require', async t => {
  const start = 'STAGE=prod node --no-deprecation --import hooks/on --env-file=x.env main.js';
  const files = {
    'x.env': 'DB_URL="a"',
    'main.js':
      'console.log(globalThis.loaded, process.env.DB_URL, process.env.STAGE, process.noDeprecation)',
    'node_modules/hooks/package.json': JSON.stringify({
      name: 'hooks',
      exports: { './on': { import: './i.mjs', require: './r.cjs' } },
    }),
    'node_modules/hooks/i.mjs': 'globalThis.loaded = "import"',
    'node_modules/hooks/r.cjs': 'globalThis.loaded = "require"',
  };
  for (const { major, file: node } of availableNodes())
    for (const more of ['', ' --max-http-header-size=20000']) {
      const dir = temporaryFolder(t);
      const packageJson = { scripts: { start: start.replace(' main', `${more} main`) } };
      writeInstalled(dir, { packageJson, files, start: { requires: ['DB_URL', 'STAGE'] } });
      const env = { NODE_OPTIONS: '--no-deprecation' };
      const run = await runNode(join(dir, 'server.js'), [], { cwd: dir, env, node });
      const of = `Node ${major}${more}: ${run.stderr}`;
      assert.deepEqual([run.code, run.stdout], [0, 'import a prod true\n'], of);
    }
});

test('NODE_OPTIONS of a file counts, as what Node reads when it begins', async t => {
  const source =
    'console.log(process.noDeprecation === true, require("v8").getHeapStatistics().heap_size_limit < 900e6)';
  const options = 'NODE_OPTIONS="--no-deprecation --max-old-space-size=300"';
  for (const [start, file] of [
    ['node --env-file=x.env main.js', 'x.env'],
    ['node main.js', '.env'],
  ] as const) {
    const dir = temporaryFolder(t);
    const files = { 'main.js': source, 'x.env': options };
    writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    if (file === '.env') writeFileSync(join(dir, file), options);
    const run = await runNode(join(dir, 'server.js'), [], { cwd: dir });
    assert.equal(run.stdout, 'true true\n', run.stderr);
    assert.equal(run.stderr.split('starting').length, 2, 'says it once');
  }
});

for (const [what, code, start, files] of [
  [
    'an entry that awaits for ever',
    13,
    'node main.mjs',
    { 'main.mjs': 'await new Promise(() => {})' },
  ],
  [
    'a code that an exit listener sets',
    7,
    'node main.js',
    { 'main.js': 'process.on("exit", () => { process.exitCode = 7 })' },
  ],
] as const)
  test(`${what} ends as Node ends it: ${code}`, async t => {
    for (const { major, file: node } of availableNodes()) {
      const dir = temporaryFolder(t);
      const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
      const plain = await runNode(start.split(' ')[1] as string, [], {
        cwd: backend,
        node,
      });
      const ours = await runNode(join(dir, 'server.js'), [], { cwd: dir, node });
      assert.deepEqual([plain.code, plain.stdout], [code, '']);
      assert.deepEqual([ours.code, ours.stdout], [code, ''], `Node ${major}: ${ours.stderr}`);
    }
  });
