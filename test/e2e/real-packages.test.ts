// End to end on real server packages from the npm registry; skipped, with the reason, without it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withoutRegistry } from '../support/live-registry';
import { postgresFolder, startPostgres } from '../support/postgres';
import { bootlace, freePort, startNode, temporaryFolder, waitForAnswer } from '../support/run';

const skip = withoutRegistry();
const major = Number(process.versions.node.split('.')[0]);

/** The processes below one, itself included. */
function processesOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '),
  );
  return [pid, ...children.filter(Boolean).flatMap(child => processesOf(Number(child)))];
}

interface Server {
  name: string;
  version: string;
  starts: RegExp;
  args?: (port: number) => string[];
  env?: (port: number) => Promise<Record<string, string>>;
  files?: Record<string, string>;
  path: string;
  answer: (body: string) => boolean;
}

const servers: Server[] = [
  {
    name: 'node-red',
    version: '4.1.8',
    starts: /red\.js \(scripts\.start\)/,
    args: port => ['-p', String(port), '-u', './data'],
    path: '/',
    answer: body => body.includes('Node-RED'),
  },
  {
    name: 'json-server',
    version: '0.17.4',
    starts: /lib\/cli\/bin\.js \(bin json-server\)/,
    args: port => ['--port', String(port), 'db.json'],
    files: { 'db.json': '{"posts":[{"id":1,"title":"first"}]}' },
    path: '/posts/1',
    answer: body => JSON.parse(body).title === 'first',
  },
];

for (const server of servers)
  test(`${server.name}@${server.version} is set up and serves, as one process`, async t => {
    const reason = await skip;
    if (reason) return t.skip(reason);
    const dir = temporaryFolder(t);
    for (const [name, text] of Object.entries(server.files ?? {}))
      writeFileSync(join(dir, name), text);
    const env = { BACKEND_PACKAGE: server.name, BACKEND_VERSION: server.version };
    const setup = await bootlace(['setup'], { cwd: dir, env });
    assert.equal(setup.code, 0, setup.stderr);
    assert.match(setup.stdout, server.starts);
    const port = await freePort();
    const running = startNode(t, join(dir, 'server.js'), server.args?.(port) ?? [], { cwd: dir });
    const { status, body } = await waitForAnswer(`http://127.0.0.1:${port}${server.path}`, 60);
    assert.equal(status, 200);
    assert(server.answer(body), body.slice(0, 200));
    assert.deepEqual(processesOf(running.child.pid as number), [running.child.pid]);
    await running.stop();
  });

test('unleash-server@6.4.1 on PostgreSQL answers at /health', async t => {
  const reason = await skip;
  if (reason) return t.skip(reason);
  const bin = postgresFolder();
  if (!bin) return t.skip('PostgreSQL is not installed (Debian: apt-get install postgresql)');
  const postgres = await startPostgres(bin);
  t.after(() => postgres.stop());
  const dir = temporaryFolder(t);
  const env = { BACKEND_PACKAGE: 'unleash-server', BACKEND_VERSION: '6.4.1' };
  // Its engines say >=18 <21; on a newer Node the user says so.
  const setup = await bootlace(['setup', ...(major > 20 ? ['--ignore-engines'] : [])], {
    cwd: dir,
    env,
  });
  assert.equal(setup.code, 0, setup.stderr);
  assert.match(setup.stdout, /starts dist\/server\.js \(scripts\.start\)/);
  const port = await freePort();
  const running = startNode(t, join(dir, 'server.js'), [], {
    cwd: dir,
    env: {
      DATABASE_URL: postgres.createDatabase('unleash'),
      DATABASE_SSL: 'false',
      HTTP_PORT: String(port),
      PORT: String(port),
      CHECK_VERSION: 'false',
    },
  });
  const { status, body } = await waitForAnswer(`http://127.0.0.1:${port}/health`, 90);
  assert.deepEqual([status, JSON.parse(body).health], [200, 'GOOD'], running.output());
  await running.stop();
});
