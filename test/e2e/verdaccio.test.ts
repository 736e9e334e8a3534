// End to end against a real registry with authentication, on 127.0.0.1; reaches no other network.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  bootlace,
  cleanEnv,
  freePort,
  root,
  runNode,
  startNode,
  temporaryFolder,
  waitForAnswer,
} from '../support/run';

async function startVerdaccio(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  const port = await freePort();
  writeFileSync(
    join(folder, 'config.yaml'),
    `storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
uplinks: {}
packages:
  '**':
    access: $authenticated
    publish: $authenticated
log: { type: stdout, format: pretty, level: fatal }
`,
  );
  const script = join(root, 'node_modules/verdaccio/bin/verdaccio');
  const child: ChildProcess = spawn(
    process.execPath,
    [script, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`],
    {
      cwd: folder,
      env: cleanEnv({ HOME: folder }),
      stdio: 'ignore',
    },
  );
  t.after(
    () =>
      new Promise<void>(resolve => {
        child.once('close', () => resolve());
        child.kill();
      }),
  );
  await waitForAnswer(`http://127.0.0.1:${port}/-/ping`, 60);
  return `http://127.0.0.1:${port}/`;
}

async function addUser(url: string): Promise<string> {
  const response = await fetch(`${url}-/user/org.couchdb.user:ci`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ci', password: 'a-long-password' }),
  });
  return ((await response.json()) as { token: string }).token;
}

test('Verdaccio: publish two versions, latest follows, the pin stays, start answers', async t => {
  const url = await startVerdaccio(t);
  const token = await addUser(url);
  const source = temporaryFolder(t);
  const publish = async (version: string) => {
    mkdirSync(join(source, 'dist'), { recursive: true });
    writeFileSync(
      join(source, 'package.json'),
      JSON.stringify({ name: '@acme/backend', version, main: 'dist/main.js', files: ['dist'] }),
    );
    writeFileSync(
      join(source, 'dist/main.js'),
      `require('node:http').createServer((_, response) => response.end('${version}')).listen(process.env.PORT, '127.0.0.1')`,
    );
    writeFileSync(
      join(source, '.npmrc'),
      `@acme:registry=${url}\n${url.replace('http:', '')}:_authToken=\${NPM_TOKEN}\n`,
    );
    const { findNpm } = await import('../../src/npm/find');
    const ended = await runNode(
      findNpm({ env: process.env, execPath: process.execPath }),
      ['publish'],
      { cwd: source, env: { NPM_TOKEN: token, HOME: source } },
    );
    assert.equal(ended.code, 0, ended.stderr);
  };
  const dir = temporaryFolder(t);
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: url,
    NPM_TOKEN: token,
    npm_config_registry: url,
  };
  const setup = async (extra: Record<string, string> = {}) => {
    const ended = await bootlace(['setup', '--json'], { cwd: dir, env: { ...env, ...extra } });
    assert.equal(ended.code, 0, ended.stdout);
    return JSON.parse(ended.stdout).version;
  };
  const answer = async () => {
    const port = await freePort();
    const running = startNode(t, join(dir, 'server.js'), [], {
      cwd: dir,
      env: { ...env, PORT: String(port) },
    });
    const { body } = await waitForAnswer(`http://127.0.0.1:${port}/`);
    assert.deepEqual(await running.stop(), { code: null, signal: 'SIGTERM' });
    return body;
  };

  await publish('1.0.0');
  assert.equal(await setup(), '1.0.0');
  assert.equal(await answer(), '1.0.0');
  await publish('1.1.0');
  assert.equal(await answer(), '1.0.0', 'a restart changes nothing');
  assert.equal(await setup(), '1.1.0', 'latest follows');
  assert.equal(await setup({ BACKEND_VERSION: '1.0.0' }), '1.0.0');
  assert.equal(await answer(), '1.0.0', 'the pin stays');
  assert.equal(readFileSync(join(dir, '.npmrc'), 'utf8').includes(token), false);

  const refused = await bootlace(['setup', '--json'], {
    cwd: temporaryFolder(t),
    env: { ...env, NPM_TOKEN: 'wrong-token-wrong' },
  });
  assert.equal(refused.code, 4);
});
