import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { cleanEnv, runNode, temporaryFolder } from '../support/run';

const start = 'node --expose-gc main.js';

/** Forks the server.js of such a backend; ended with the test at the latest. */
function forked(
  t: { after(fn: () => void): void },
  execPath: string,
  files: Readonly<Record<string, string>>,
): ChildProcess {
  const cwd = temporaryFolder(t);
  writeInstalled(cwd, { packageJson: { scripts: { start } }, files });
  const options = { cwd, env: cleanEnv(), execPath, execArgv: [], silent: true };
  const child = fork(join(cwd, 'server.js'), [], options);
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('a start that needs a new process keeps the channel to whoever forked it', async t => {
  const files = {
    'main.js': `process.on('message', text => { if (text === 'end') process.disconnect(); else process.send({ text, gc: typeof gc, pid: process.pid }); });
process.on('disconnect', () => process.exit(7));`,
  };
  for (const { major, file: node } of availableNodes()) {
    const child = forked(t, node, files);
    const answer = new Promise(resolve => child.once('message', resolve));
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.send('hello');
    const { text, gc } = (await answer) as { text: string; gc: string };
    assert.deepEqual([text, gc], ['hello', 'function'], `Node ${major}`);
    child.send('end');
    assert.equal(await ended, 7, `Node ${major}`);
  }
});

test('its last message arrives, however large', async t => {
  const files = {
    'main.js': "process.send('x'.repeat(4e6), () => process.exit(3))",
  };
  for (const { major, file: node } of availableNodes()) {
    const child = forked(t, node, files);
    let length = 0;
    child.on('message', message => {
      length = String(message).length;
    });
    const code = await new Promise(resolve => child.once('exit', resolve));
    if (child.connected) await new Promise(resolve => child.once('disconnect', resolve));
    assert.deepEqual([code, length], [3, 4e6], `Node ${major}`);
  }
});

test('a worker of a cluster stays one, and says what it runs without', async t => {
  const files = {
    'main.js':
      "require('node:http').createServer((_, answer) => answer.end(String(process.pid))).listen(0, '127.0.0.1')",
  };
  const primary = `
const cluster = require('node:cluster');
cluster.setupPrimary({ exec: 'server.js' });
let ports = [];
cluster.on('listening', (worker, { port }) => {
  ports.push(port);
  if (ports.length < 2) return;
  console.log(ports[0] === ports[1], ports.length);
  for (const one of Object.values(cluster.workers)) one.process.kill('SIGKILL');
});
cluster.fork(); cluster.fork();`;
  for (const { major, file: node } of availableNodes()) {
    const dir = temporaryFolder(t);
    writeInstalled(dir, { packageJson: { scripts: { start } }, files });
    writeFileSync(join(dir, 'primary.js'), primary);
    const run = await runNode(join(dir, 'primary.js'), [], { cwd: dir, node });
    assert.equal(run.stdout, 'true 2\n', `Node ${major}: ${run.stderr}`);
    assert.match(run.stderr, /warning: this cluster worker runs without[\s\S]*fix: .*node_args/);
  }
});
