import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { cleanEnv, runNode, temporaryFolder } from '../support/run';

const cases: { name: string; source: string; stdout: string; stderr?: RegExp }[] = [
  {
    name: 'an error that no text can be made of',
    source: `process.on('uncaughtException', () => console.log('handled'));
setTimeout(() => { const error = new Error(); error.message = Object.create(null); throw error; }, 10);
setTimeout(() => console.log('alive'), 50);`,
    stdout: 'handled\nalive\n',
  },
  {
    name: 'a setTimeout of its own',
    source: `const real = setTimeout;
globalThis.setTimeout = (run, ms) => { real(run, ms); return 1; };
setTimeout(() => console.log('alive'), 2500);`,
    stdout: 'alive\n',
  },
  {
    name: 'ten listeners for the end',
    source: `for (let i = 0; i < 10; i++) process.on('exit', () => {});
setTimeout(() => console.log('alive'), 50);`,
    stdout: 'alive\n',
    stderr: /^(bootlace: (starting|memory|warning: no memory flags).*\n( {2}fix: .*\n)?)*$/,
  },
];

for (const { name, source, stdout, stderr } of cases)
  test(`${name} is the backend's own affair`, async t => {
    const dir = temporaryFolder(t);
    writeInstalled(dir, { packageJson: { main: 'main.js' }, files: { 'main.js': source } });
    for (const { major, file: node } of availableNodes())
      for (const BACKEND_MEMORY of ['off', '512']) {
        const options = { cwd: dir, env: { BACKEND_MEMORY }, node };
        const run = await runNode(join(dir, 'server.js'), [], options);
        const of = `Node ${major}, BACKEND_MEMORY=${BACKEND_MEMORY}: ${run.stderr}`;
        assert.deepEqual([run.code, run.stdout], [0, stdout], of);
        if (stderr) assert.match(run.stderr, stderr, of);
      }
  });

test('a stderr that takes nothing keeps no backend from starting', {
  skip: !existsSync('/dev/full') && 'no /dev/full here',
}, t => {
  const dir = temporaryFolder(t);
  const files = { 'main.js': 'console.log("alive")' };
  writeInstalled(dir, { packageJson: { main: 'main.js' }, files });
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const { status, stdout } = spawnSync(process.execPath, [join(dir, 'server.js')], {
    cwd: dir,
    env: cleanEnv({ BACKEND_MEMORY: '512' }),
    stdio: ['ignore', 'pipe', full],
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [0, 'alive\n']);
});
