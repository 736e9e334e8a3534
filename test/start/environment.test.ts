import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { isReadAtStart } from '../../src/start/backend-env';
import { writeInstalled } from '../support/installed';
import { bootlace, runNode, temporaryFolder } from '../support/run';

const main = { 'main.js': 'console.log(process.env.DATABASE_URL, process.env.RENDER_API_KEY)' };
const requires = ['DATABASE_URL'];

interface Row {
  what: string;
  env?: Record<string, string>;
  /** A folder in the place of .env. */
  folder?: true;
  requires?: string[];
  code: number;
  stdout: string;
  stderr: RegExp;
}

const started = /^bootlace: starting .*\n$/;
const rows: Row[] = [
  {
    what: '.env is a folder and everything is set',
    folder: true,
    env: { DATABASE_URL: 'x' },
    code: 0,
    stdout: 'x undefined\n',
    stderr: /^bootlace: warning: cannot read .*\.env \(EISDIR\)\nbootlace: starting/,
  },
  {
    what: '.env is a folder and a variable is missing',
    folder: true,
    code: 3,
    stdout: '',
    stderr: /FILE_UNREADABLE: cannot read .*\.env[\s\S]*fix: .*is a folder: move it away/,
  },
  {
    what: 'a variable is missing',
    code: 3,
    stdout: '',
    stderr: /VARIABLE_MISSING: the backend needs DATABASE_URL/,
  },
  {
    what: 'a value in quotes',
    env: { DATABASE_URL: '"x"' },
    code: 0,
    stdout: '"x" undefined\n',
    stderr: /warning: the value of DATABASE_URL is in quotes, as docker's --env-file leaves it/,
  },
  {
    what: 'a value with quotes in it',
    env: { DATABASE_URL: 'a"b"' },
    code: 0,
    stdout: 'a"b" undefined\n',
    stderr: started,
  },
  {
    what: 'the API key',
    env: { DATABASE_URL: 'x', RENDER_API_KEY: 'rnd_secret' },
    code: 0,
    stdout: 'x undefined\n',
    stderr: /warning: RENDER_API_KEY belongs to the deployment; the backend does not get it/,
  },
  {
    what: 'the API key, required',
    env: { RENDER_API_KEY: 'rnd_secret' },
    requires: ['RENDER_API_KEY'],
    code: 3,
    stdout: '',
    stderr: /VARIABLE_REMOVED: the backend needs RENDER_API_KEY, which it never gets\n {2}fix: set/,
  },
];

suite('what the backend’s environment holds', () => {
  for (const { what, env, folder, code, stdout, stderr, ...row } of rows)
    test(what, async t => {
      const cwd = temporaryFolder(t);
      const start = { requires: row.requires ?? requires };
      writeInstalled(cwd, { packageJson: { main: 'main.js' }, files: main, start });
      if (folder) mkdirSync(join(cwd, '.env'));
      const run = await runNode(join(cwd, 'server.js'), [], { cwd, env });
      assert.deepEqual([run.code, run.stdout], [code, stdout], run.stderr);
      assert.match(run.stderr, stderr);
    });
});

suite('settings and an unreadable .env', () => {
  const setup = async (t: { after(fn: () => void): void }, env: Record<string, string>) => {
    const cwd = temporaryFolder(t);
    mkdirSync(join(cwd, '.env'));
    return bootlace(['setup', '--dry-run'], { cwd, env });
  };
  test('a warning where the package is named', async t => {
    const { stderr } = await setup(t, {
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_REGISTRY: 'http://127.0.0.1:1/',
      BACKEND_VERSION: '1.0.0 || 2',
      BACKEND_MEMORY: '"512"',
    });
    assert.match(
      stderr,
      /VALUE_QUOTED: the value of BACKEND_MEMORY is in quotes\n {2}fix: set BACK/,
    );
  });
  test('the failure where it is not', async t => {
    const { code, stderr } = await setup(t, {});
    assert.equal(code, 3);
    assert.match(stderr, /FILE_UNREADABLE/);
  });
  test("another user's .env", {
    skip: process.getuid?.() !== 0 && 'needs another user',
  }, async t => {
    const cwd = temporaryFolder(t);
    writeInstalled(cwd, { packageJson: { main: 'main.js' }, files: main });
    writeFileSync(join(cwd, '.env'), 'A=1', { mode: 0o600 });
    chmodSync(cwd, 0o755);
    const run = await runNode(join(cwd, 'server.js'), [], { cwd, uid: 65534 });
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stderr, /warning: cannot read .*\.env \(EACCES\)/);
  });
});

const variables: [name: string, env: Record<string, string>, isRead: boolean][] = [
  ['NODE_OPTIONS', {}, true],
  ['NODE_EXTRA_CA_CERTS', {}, true],
  ['NODE_USE_ENV_PROXY', {}, true],
  ['NODE_DEBUG', {}, true],
  ['HTTP_PROXY', { NODE_USE_ENV_PROXY: '1' }, true],
  ['https_proxy', { NODE_USE_ENV_PROXY: '1' }, true],
  ['NO_PROXY', { NODE_USE_ENV_PROXY: '1' }, true],
  ['HTTP_PROXY', {}, false],
  ['LC_ALL', {}, true],
  ['LD_PRELOAD', {}, true],
  ['NODE_ENV', {}, false],
  ['NODE_CONFIG_DIR', {}, false],
  ['NODE_TLS_REJECT_UNAUTHORIZED', {}, false],
  ['NODE_MY_SERVICE', {}, false],
  ['DATABASE_URL', {}, false],
];
for (const [name, env, isRead] of variables)
  test(`${name} ${Object.keys(env)} ${isRead ? 'needs' : 'needs no'} new process`, () =>
    assert.equal(isReadAtStart(name, env), isRead));
