import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanEnv, root, temporaryFolder } from './support/run';

// Ending a demo ends what it started: registries, builds and backends, and removes their folders.

const codes = { SIGINT: 130, SIGTERM: 143 } as const;

for (const [name, signal, args, until] of [
  ['the demo', 'SIGINT', [], /listens on \d+/],
  ['the demo', 'SIGTERM', [], /listens on \d+/],
  ['the demo of deploys in its builds', 'SIGINT', ['--deploy'], /two environments/],
  ['the demo of deploys with backends', 'SIGTERM', ['--deploy'], /serving: smokebox 1\.1\.0/],
] as const)
  test(`${signal} ends ${name}`, { skip: !existsSync('/proc/self/cwd') }, async t => {
    const folder = temporaryFolder(t);
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', join('scripts', 'demo.ts'), ...args],
      { cwd: root, env: cleanEnv({ TMPDIR: folder }), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    let seen = 0;
    const poll = setInterval(() => {
      if (seen > 0 || !until.test(output)) return;
      // Until something runs there is nothing to end.
      seen = processesIn(folder).length;
      if (seen > 0) child.kill(signal);
    }, 20);
    const ended = await new Promise(resolve => child.once('close', resolve));
    clearInterval(poll);
    assert.equal(ended, codes[signal], output);
    assert.ok(seen > 0, output);
    // The kernel may need a moment to take a killed process away.
    for (let tries = 0; tries < 100 && processesIn(folder).length; tries++)
      await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(processesIn(folder), []);
    const left = readdirSync(folder).filter(entry => entry.startsWith('bootlace-'));
    assert.deepEqual(left, []);
  });

/** The processes that run in a folder. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}
