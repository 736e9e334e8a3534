import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { launchable, sourceOf } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { bin, runNode, startNode, temporaryFolder } from '../support/run';

const node = availableNodes().find(({ major }) => major >= 22)?.file;
const skip = !node && 'needs a Node with a compile cache: npm run bench:nodes';
const token = 'token-that-must-not-leak';

const lib = 'exports.answer = () => 42;';
const server = `
const { answer } = require('./lib');
require('node:http').createServer((q, r) => r.end('' + answer())).listen(process.env.PORT);
console.log('token', process.env.NPM_TOKEN, 'mark', process.env.BOOTLACE_WARM);
`;

function setUp(cwd: string, source: string, ...flags: string[]) {
  return runNode(bin, ['setup', '--from', source, '--warm', '--json', ...flags], {
    cwd,
    node,
    env: { NPM_TOKEN: token },
  });
}

async function lastCache(cwd: string): Promise<string> {
  const { stdout } = await runNode(bin, ['status', '--json'], { cwd, node });
  return JSON.parse(stdout).releases[0].runs.last.cache;
}

suite('setup --warm', { skip }, () => {
  test('boots once, keeps compiled code, and the next start uses it', async t => {
    const files = {
      'dist/main.js': `${server} setTimeout(() => process.exit(0), 3000)`,
      'dist/lib.js': lib,
    };
    const cwd = temporaryFolder(t);
    const begun = Date.now();
    const { code, stdout, stderr } = await setUp(cwd, sourceOf(t, files));
    assert.equal(code, 0, stderr);
    const { warmed } = JSON.parse(stdout);
    assert(Date.now() - begun - warmed.ms < 8000, 'setup ends when the warming has ended');
    assert.equal(warmed.booted, true);
    assert.equal(warmed.kept, 2);
    assert.equal(readFileSync(warmed.log, 'utf8').includes('token undefined mark undefined'), true);
    assert.equal(existsSync(join(cwd, '.bootlace', 'starts.log')), false, 'a warming is no start');
    const start = await runNode(join(cwd, 'server.js'), [], { cwd, node, env: { PORT: '0' } });
    assert.equal(start.code, 0, start.stderr);
    assert.equal(await lastCache(cwd), 'warm');
    const others = availableNodes().filter(({ major }) => major >= 22 && major !== 24);
    for (const { file } of others.filter(({ file }) => file !== node)) {
      await runNode(join(cwd, 'server.js'), [], { cwd, node: file, env: { PORT: '0' } });
      assert.equal(await lastCache(cwd), 'cold', "another Node's code is not used");
    }
  });

  test('a backend that fails for want of a database leaves what it compiled', async t => {
    const files = {
      'dist/main.js': `require('./lib'); throw new Error('no database');`,
      'dist/lib.js': lib,
    };
    const cwd = temporaryFolder(t);
    const begun = Date.now();
    const { code, stdout } = await setUp(
      cwd,
      sourceOf(t, files, { bootlace: { requires: ['DATABASE_URL'] } }),
    );
    assert.equal(code, 0);
    const { warmed } = JSON.parse(stdout);
    assert(Date.now() - begun - warmed.ms < 8000, 'nobody waits for a backend that has ended');
    assert.deepEqual([warmed.booted, warmed.how, warmed.kept], [false, 'ended with 1', 2]);
    assert.match(readFileSync(warmed.log, 'utf8'), /no database/);
  });

  test('a backend that waits for its database is ended at the limit', async t => {
    const files = {
      'dist/main.js': `require('./lib'); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`,
      'dist/lib.js': lib,
    };
    const cwd = temporaryFolder(t);
    const { code, stdout } = await setUp(cwd, sourceOf(t, files), '--warm-seconds', '1');
    assert.equal(code, 0);
    const { warmed } = JSON.parse(stdout);
    assert.deepEqual(
      [warmed.booted, warmed.how, warmed.kept],
      [false, 'did not listen on PORT within 1 s', 2],
    );
  });

  test('the cache works from a disk that cannot be written, and so does the start', async t => {
    const files = { 'dist/main.js': `console.log(require('./lib').answer())`, 'dist/lib.js': lib };
    const cwd = temporaryFolder(t);
    assert.equal((await setUp(cwd, sourceOf(t, files))).code, 0);
    const script = `mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$1" && exec "$2" -e 'process.argv[1] = process.cwd() + "/server.js"; require("module").runMain(); process.on("exit", () => console.log(require("module").getCompileCacheDir()))'`;
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', cwd, node as string],
      { encoding: 'utf8' },
    );
    if (/unshare|mount:/.test(stderr)) return t.skip('this machine allows no mounts');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^42\n.*\.bootlace\/cache\/compile\//);
  });

  test('a cache that is damaged or gone never fails a start', async t => {
    const cwd = await launchable(t, { 'dist/main.js': 'console.log(1)' });
    rmSync(join(cwd, '.bootlace', 'starts.log'), { force: true });
    const start = await runNode(join(cwd, 'server.js'), [], { cwd, node });
    assert.deepEqual([start.code, start.stdout], [0, '1\n']);
    assert.equal(await lastCache(cwd), 'off');
  });
});

suite('a backend that was begun again for its flags', () => {
  /** Writes its number down; on Node 20 it is a child of what setup started. */
  const world = (t: Parameters<typeof temporaryFolder>[0], body: string) => {
    const cwd = temporaryFolder(t);
    const file = join(cwd, 'pid');
    const source = sourceOf(
      t,
      { 'dist/main.js': `require('fs').writeFileSync('pid', String(process.pid)); ${body}` },
      { scripts: { start: 'node --stack-size=900 dist/main.js' } },
    );
    const isAlive = () => {
      try {
        return process.kill(Number(readFileSync(file, 'utf8')), 0);
      } catch {
        return false;
      }
    };
    const until = async (wanted: boolean) => {
      for (let i = 0; i < 100 && isAlive() !== wanted; i++)
        await new Promise(resolve => setTimeout(resolve, 50));
      return isAlive();
    };
    return { cwd, args: ['setup', '--from', source, '--warm', '--json'], until };
  };
  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    test(`ends with setup, by ${signal}`, async t => {
      const { cwd, args, until } = world(t, 'setInterval(() => {}, 1000)');
      const { stop } = startNode(t, bin, args, { cwd });
      assert.equal(await until(true), true);
      await stop(signal);
      assert.equal(await until(false), false);
    });

  test('is ended when it is too busy to end itself', async t => {
    const busy = `require('http').createServer().listen(process.env.PORT, () => setTimeout(() => { for (;;); }, 300))`;
    const { cwd, args, until } = world(t, busy);
    const { code, stderr } = await runNode(bin, args, { cwd });
    assert.equal(code, 0, stderr);
    assert.equal(await until(false), false);
  });
});
