import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { cleanEnv, type Ended } from '../support/run';

/** Keeps what it makes, at some MB in each turn of the event loop. */
const grows = `
const kept = [];
(function grow() {
  for (let i = 0; i < 2000; i++) kept.push({ i, list: [i, i, i, i, i, i, i, i, i, i], text: 'x' + i });
  setImmediate(grow);
})();
`;

const hierarchy = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find(folder =>
  ['memory.limit_in_bytes', 'cgroup.controllers'].some(file => existsSync(join(folder, file))),
);

/** A cgroup of our own, or undefined where the machine allows none. */
function makeGroup(name: string, megabytes: number): string | undefined {
  if (!hierarchy) return undefined;
  const folder = join(hierarchy, name);
  try {
    mkdirSync(folder);
    const v1 = join(folder, 'memory.limit_in_bytes');
    writeFileSync(existsSync(v1) ? v1 : join(folder, 'memory.max'), String(megabytes * 2 ** 20));
    return folder;
  } catch {
    if (existsSync(folder)) rmdirSync(folder);
    return undefined;
  }
}

suite('under real limits a growing heap ends with a heap message of its own', () => {
  let cwd: string;
  before(async () => {
    cwd = await launchable(wholeFile, { 'dist/main.js': grows });
  });

  for (const { major, file } of availableNodes())
    for (const megabytes of [64, 128, 256, 512])
      test(`${megabytes} MB, Node ${major}`, { timeout: 60_000 }, async t => {
        const group = makeGroup(`bootlace-test-${process.pid}-${major}-${megabytes}`, megabytes);
        if (!group) return t.skip('this machine lets us make no memory cgroup');
        t.after(() => rmdirSync(group));
        const { signal, code, stderr } = await runIn(group, file, cwd);
        const oom = ['memory.oom_control', 'memory.events']
          .map(name => join(group, name))
          .find(existsSync);
        assert.doesNotMatch(readFileSync(oom as string, 'utf8'), /oom_kill [1-9]/, 'by the kernel');
        assert.ok(signal === 'SIGABRT' || code === 134, `ended with ${code ?? signal}`);
        assert.match(stderr, /JavaScript heap out of memory/);
        assert.match(stderr, new RegExp(`^bootlace: memory: limit ${megabytes} MB`, 'm'));
      });
});

function runIn(group: string, node: string, cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // The shell joins the group and becomes Node, so that nothing runs outside the limit.
    const script = `echo $$ > '${group}/cgroup.procs' && exec "$0" "$@"`;
    const child = spawn('sh', ['-c', script, node, join(cwd, 'server.js')], {
      cwd,
      env: cleanEnv(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout: '', stderr }));
  });
}
