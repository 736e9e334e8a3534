import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { cleanEnv, runNode, temporaryFolder } from '../support/run';

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
    const words = ['--import', './a.mjs', '--import', './b.mjs', '-r', './c.cjs'];
    const plain = await runPlain(node, [...words, '--env-file=x.env', 'main.js'], backend);
    const ours = await runNode(join(dir, 'server.js'), [], { cwd: dir, node });
    assert.equal(ours.stdout, plain, `Node ${major}: ${ours.stderr}`);
    assert.equal(plain, 'c file\na\nb\nmain\n');
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

test('a start that needs a new process keeps the channel to whoever forked it', async t => {
  const files = {
    'main.js': `process.on('message', text => { if (text === 'end') process.disconnect(); else process.send({ text, gc: typeof gc, pid: process.pid }); });
process.on('disconnect', () => process.exit(7));`,
  };
  for (const { major, file: node } of availableNodes()) {
    const dir = temporaryFolder(t);
    const start = 'node --expose-gc main.js';
    writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    const options = { cwd: dir, env: cleanEnv(), execPath: node, execArgv: [], silent: true };
    const child = fork(join(dir, 'server.js'), [], options);
    t.after(() => child.kill('SIGKILL'));
    const answer = new Promise(resolve => child.once('message', resolve));
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.send('hello');
    const { text, gc } = (await answer) as { text: string; gc: string };
    assert.deepEqual([text, gc], ['hello', 'function'], `Node ${major}`);
    child.send('end');
    assert.equal(await ended, 7, `Node ${major}`);
  }
});

/** What plain Node prints. */
async function runPlain(node: string, words: readonly string[], cwd: string): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) =>
    execFile(node, words, { cwd, env: cleanEnv() }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    ),
  );
}
