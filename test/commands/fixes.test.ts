import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { FakeRegistry } from '../support/fake-registry';
import { sourceOf } from '../support/launched';
import { bin, bootlace, cleanEnv, runNode, temporaryFolder } from '../support/run';

type Context = { after(fn: () => unknown): void };

/** Versions 1.2.1 and 1.3.0 of a backend; 1.2.1 was set up by flags, and without sources. */
async function world(t: Context) {
  const registry = await FakeRegistry.start();
  t.after(() => registry.close());
  for (const version of ['1.2.1', '1.3.0'])
    registry.publish(
      { name: '@acme/backend', version, main: 'main.js' },
      { 'main.js': `console.log('${version}')`, 'lib/a.js': '', 'lib/b.js': '', 'a.d.ts': '' },
    );
  const cwd = temporaryFolder(t);
  const env = { BACKEND_REGISTRY: registry.url, npm_config_registry: registry.url };
  const typed = ['--package', '@acme/backend', '--slim'];
  const run = (...words: string[]) => bootlace(words, { cwd, env });
  const setup = await run('setup', ...typed, '--backend-version', '1.2.1');
  assert.equal(setup.code, 0, setup.stderr);
  const status = async () => JSON.parse((await run('status', '--json')).stdout);
  const { releases } = await status();
  const release = join(cwd, '.bootlace', 'releases', releases[0].name);
  return { cwd, env, run, status, release, backend: join(release, 'node_modules/@acme/backend') };
}

/** Types a fix as it is printed, with `npx bootlace` standing for this build. */
function type(fix: string, cwd: string, env: Record<string, string>): Promise<unknown> {
  const shim = `npx() { shift; '${process.execPath}' '${bin}' "$@"; }; `;
  return promisify(execFile)('sh', ['-c', shim + fix], { cwd, env: cleanEnv(env) });
}

const again = 'npx bootlace setup --package @acme/backend --slim --backend-version 1.2.1';

suite('a fix installs again what is installed', () => {
  for (const [what, damage, command, fix] of [
    [
      'status --verify after a change',
      (backend: string) => appendFileSync(join(backend, 'lib/a.js'), '// changed'),
      ['status', '--verify'],
      /fix: (rm -r \.bootlace\/releases\/\S+ && .*)\n/,
    ],
    [
      'a start without its entry',
      (backend: string) => rmSync(join(backend, 'main.js')),
      ['start'],
      /fix: run: (.*)\n/,
    ],
    [
      'a start without the receipt',
      (backend: string) => rmSync(join(backend, '../../../release.json')),
      ['start'],
      /fix: run: (.*)\n/,
    ],
    [
      'doctor',
      (backend: string) => rmSync(join(backend, 'package.json')),
      ['doctor', '--package', '@acme/backend'],
      /fix: run: (npx .* 1\.2\.1)\n/,
    ],
  ] as const)
    test(what, async t => {
      const { cwd, env, run, status, backend } = await world(t);
      damage(backend);
      const failed = await run(...command);
      assert.notEqual(failed.code, 0);
      const printed = fix.exec(failed.stderr + failed.stdout)?.[1] as string;
      assert(printed?.endsWith(again), failed.stderr + failed.stdout);
      await type(printed, cwd, env);
      assert.equal((await run('status', '--verify')).code, 0);
      const { version, slim } = await status();
      assert.deepEqual([version, slim], ['1.2.1', { files: 0, bytes: 0 }]);
    });

  for (const [words, begin, names, said] of [
    [['setup'], 'setup', ['server.js'], 'start'],
    [['up', '--', 'a b'], 'up', ['server.js'], 'start'],
    [['setup'], 'setup', ['server.js', 'start.js'], 'launch'],
    [['setup', '--server-file', 'api.js'], 'setup', ['api.js', 'server.js'], 'start'],
    [['doctor'], 'setup', ['server.js'], 'start'],
  ] as const)
    test(`${words.join(' ')} beside ${names.join(' and ')} of the user: a free name`, async t => {
      const { cwd, env, run, status } = await world(t);
      for (const name of names) writeFileSync(join(cwd, name), '// mine');
      const [command, ...more] = words;
      const pin = ['--package', '@acme/backend', '--slim', '--backend-version', '1.2.1'];
      const ended = await run(command, ...pin, ...more);
      assert.equal(ended.code, 3);
      const printed = /SERVER_FILE_TAKEN[\s\S]*fix: run: (npx .*(?:\n {7}.*)*)/.exec(
        ended.stderr + ended.stdout,
      )?.[1] as string;
      assert.match(printed, new RegExp(`^npx bootlace ${begin} .*--server-file ${said}\\.js`));
      await type(printed, cwd, env);
      const started = await runNode(join(cwd, `${said}.js`), [], { cwd });
      assert.equal(started.stdout, '1.2.1\n');
      assert.equal((await status()).version, '1.2.1');
      for (const name of names) assert.equal(readFileSync(join(cwd, name), 'utf8'), '// mine');
    });

  test('verify names what changed', async t => {
    const { run, backend, release } = await world(t);
    appendFileSync(join(backend, 'lib/b.js'), 'x');
    const { code, stderr } = await run('status', '--verify');
    assert.equal(code, 6);
    assert.match(stderr, /changed: node_modules\/@acme\/backend\/lib\/b\.js\n/);
    mkdirSync(join(release, 'node_modules/more'));
    writeFileSync(join(release, 'node_modules/more/index.js'), '');
    rmSync(join(backend, 'lib/b.js'));
    const more = await run('status', '--verify', '--json');
    assert.deepEqual(JSON.parse(more.stdout).error.facts.changes, [
      'node_modules/@acme/backend',
      'node_modules/more',
    ]);
  });
});

test('status says what is active, why and since when, in short lines', async t => {
  const { run, status } = await world(t);
  await run('setup', '--package', '@acme/backend');
  const { stdout } = await run('status');
  for (const line of stdout.split('\n')) assert(line.length <= 100, line);
  assert.match(stdout, /^package +@acme\/backend 1\.3\.0$/m);
  assert.match(stdout, /^because +latest \(default\): the tag latest$/m);
  assert.match(stdout, /^activated +just now$/m);
  assert.match(stdout, /^ {2}1\.3\.0-\w+ +active +installed just now\n {2}1\.2\.1-\w+ +kept /m);
  assert.match((await status()).activatedAt, /^\d{4}-\d\d-\d\dT/);
});

test('a dry run says what setup would do: a release that is on disk is on disk', async t => {
  const { cwd, env, run } = await world(t);
  const dry = async (...words: string[]) =>
    (await run('setup', '--dry-run', '--package', '@acme/backend', ...words)).stdout;
  const there = /would install nothing: already on disk, 1\.2\.1-/;
  assert.match(await dry('--slim', '--backend-version', '1.2.1'), there);
  assert.match(await dry('--slim', '--backend-version', '~1.2.0'), there);
  assert.doesNotMatch(await dry('--backend-version', '~1.2.0'), there);
  assert.doesNotMatch(await dry('--slim'), there);
  const before = readFileSync(join(cwd, '.bootlace/current.json'), 'utf8');
  await bootlace(['setup', '--package', '@acme/backend', '--slim'], { cwd, env });
  assert.match(await dry('--slim'), /already on disk, 1\.3\.0-/);
  assert.notEqual(readFileSync(join(cwd, '.bootlace/current.json'), 'utf8'), before);
});

suite('doctor looks at what would stop a start', () => {
  test('a required variable, a token in .env, another version', async t => {
    const cwd = temporaryFolder(t);
    const dotenv = sourceOf(t, { 'index.js': '' }, { name: 'dotenv', main: 'index.js' });
    const source = sourceOf(
      t,
      {
        'dist/main.js': '',
        'node_modules/dotenv/package.json': '{"name":"dotenv","version":"1.0.0"}',
      },
      {
        bootlace: { requires: ['DATABASE_URL'] },
        bundledDependencies: ['dotenv'],
        dependencies: { dotenv: '1.0.0' },
      },
    );
    assert(existsSync(dotenv));
    const setup = await bootlace(['setup', '--from', source], { cwd });
    assert.equal(setup.code, 0, setup.stderr);
    writeFileSync(join(cwd, '.env'), 'NPM_TOKEN=of-dotenv');
    const env = {
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_VERSION: '2.0.0',
      BACKEND_REGISTRY: 'http://127.0.0.1:1/',
    };
    const { code, stdout } = await bootlace(['doctor'], { cwd, env });
    assert.notEqual(code, 0);
    assert.match(
      stdout,
      /^fail +variables +VARIABLE_MISSING: the backend needs DATABASE_URL.*\n +fix: set DATABASE_URL/m,
    );
    assert.match(
      stdout,
      /^warn +token +\.env holds NPM_TOKEN, and \S*dotenv can read it .*\n +fix: take NPM_TOKEN out/m,
    );
    assert.match(
      stdout,
      /^warn +release +RELEASE_OTHER: 1\.0\.0 is set up, and 2\.0\.0 is wanted\n +fix: run: npx bootlace setup/m,
    );
    const set = await bootlace(['doctor'], { cwd, env: { ...env, DATABASE_URL: 'x' } });
    assert.match(set.stdout, /^ok +variables +DATABASE_URL: set$/m);
  });
});

const typing: [words: string[], code: number, text: RegExp][] = [
  [['setpu'], 2, /COMMAND_UNKNOWN: there is no command "setpu"\n {2}fix: did you mean setup\?/],
  [['statuss'], 2, /did you mean status\?/],
  [['frobnicate'], 2, /fix: see: npx bootlace --help/],
  [['setup', '--pakage', 'x'], 2, /Unknown option '--pakage'\n {2}fix: did you mean --package\?/],
  [['setup', '--dry'], 2, /fix: did you mean --dry-run\?/],
  [['status', '1'], 2, /fix: type: npx bootlace status\n/],
  [['up', 'worker'], 2, /fix: type: npx bootlace up; words for the backend follow --\n/],
  [
    ['setup', '--package', '@acme/backend@1.0.0'],
    3,
    /fix: pass --package @acme\/backend --backend-version 1\.0\.0\n/,
  ],
  [['status', '--dir', 'a b'], 5, /fix: run: npx bootlace setup --dir 'a b'\n/],
  [['use', 'previous', '--dir', 'x'], 5, /fix: run: npx bootlace setup --dir x\n/],
  [['doctor', '--dir', 'x', '--slim'], 3, /fix: run: npx bootlace setup --dir x --slim\n/],
  [['setup', '--zzz'], 2, /fix: see: npx bootlace setup --help/],
  [['setup', '1.0.0'], 2, /fix: type: npx bootlace setup --backend-version 1\.0\.0/],
  [['setup', 'v1.0.0'], 2, /fix: type: npx bootlace setup --backend-version v1\.0\.0/],
  [['setup', '@acme/backend'], 2, /fix: type: npx bootlace setup --package @acme\/backend\n/],
  [
    ['setup', '@acme/backend@1.0.0'],
    2,
    /fix: type: npx bootlace setup --package @acme\/backend --backend-version 1\.0\.0/,
  ],
  [['setup', 'backend@1.0.0'], 2, /setup --package backend --backend-version 1\.0\.0/],
  [['setup', '--version', '1.0.0'], 2, /fix: .*npx bootlace setup --backend-version 1\.0\.0/],
  [['setup', '--version=1.0.0'], 2, /fix: .*npx bootlace setup --backend-version 1\.0\.0/],
  [['setup', '--from', './nope'], 5, /FROM_NOT_FOUND: --from .*nope is not there/],
  [['up', '--from', './nope'], 5, /FROM_NOT_FOUND/],
  [['setup', '--package', 'a', '--memory', 'much'], 3, /fix: set --memory to auto, off/],
  [
    ['setup', '--help'],
    0,
    /^Resolve, install and activate the backend\.\n\nusage:\n {2}bootlace setup/,
  ],
  [['help', 'doctor'], 0, /^Check .*\.\n\nusage:/],
];
suite('what is typed wrong is answered with what to type', () => {
  for (const [words, code, text] of typing)
    test(words.join(' '), async t => {
      const run = await bootlace(words, { cwd: temporaryFolder(t) });
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stdout + run.stderr, text);
    });

  test('the variable is named where the variable was used, and the flag where the flag was', async t => {
    const registry = await FakeRegistry.start();
    t.after(() => registry.close());
    const cwd = temporaryFolder(t);
    const env = { BACKEND_REGISTRY: registry.url };
    const byFlag = await bootlace(['setup', '--package', 'gone'], { cwd, env });
    assert.match(byFlag.stderr, /PACKAGE_NOT_FOUND[\s\S]*fix: check --package/);
    const byVariable = await bootlace(['setup'], { cwd, env: { ...env, BACKEND_PACKAGE: 'gone' } });
    assert.match(byVariable.stderr, /PACKAGE_NOT_FOUND[\s\S]*fix: check BACKEND_PACKAGE/);
  });

  test('--from the root of a workspace lists its members', async t => {
    const root = sourceOf(
      t,
      {
        'packages/api/package.json': '{"name":"@acme/api"}',
        'packages/web/package.json': '{"name":"@acme/web"}',
      },
      { private: true, workspaces: ['packages/*'] },
    );
    const run = await bootlace(['setup', '--from', root], { cwd: temporaryFolder(t) });
    assert.equal(run.code, 3);
    assert.match(run.stderr, /FROM_WORKSPACE: --from .* is the root of a workspace/);
    assert.match(run.stderr, /candidates: \S+\/packages\/api, \S+\/packages\/web\n/);
  });
});

suite('colours', () => {
  const rows: [env: Record<string, string>, isColoured: boolean][] = [
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '0' }, false],
    [{ NO_COLOR: '1' }, false],
  ];
  for (const [env, isColoured] of rows)
    test(JSON.stringify(env), async t => {
      const { stdout } = await runNode(bin, ['doctor'], {
        cwd: temporaryFolder(t),
        env: { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'http://127.0.0.1:1/', ...env },
      });
      assert.equal(stdout.includes('\u001b[32mok  \u001b[39m'), isColoured, stdout);
      // Columns line up with colours as without them.
      const plain = stdout.replaceAll(/\u001b\[\d+m/g, '');
      assert.match(plain, /^ok +node +\d/m);
    });
});
