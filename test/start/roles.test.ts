import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { launchable, sourceOf, wholeFile } from '../support/launched';
import { bootlace, runNode, temporaryFolder } from '../support/run';

const says = (name: string) =>
  `console.log(${JSON.stringify(name)}, process.argv.slice(2).join('|'), process.env.NPM_TOKEN)`;
const files = {
  'dist/main.js': says('web'),
  'dist/worker.js': says('worker'),
  'dist/other.js': says('other'),
  'dist/migrate.js': `${says('migrate')}; process.exitCode = Number(process.env.FAIL ?? 0)`,
};
const roles = { web: 'dist/main.js', worker: 'dist/worker.js --queue mail', cron: 'tidy' };

suite('roles', () => {
  let cwd: string;
  before(async () => {
    cwd = await launchable(wholeFile, files, {
      main: 'dist/other.js',
      bin: { tidy: 'dist/other.js', migrate: 'dist/migrate.js' },
      bootlace: { roles, requires: ['DATABASE_URL', 'MAIL_URL'], migrate: 'migrate deploy' },
    });
  });
  const env = { DATABASE_URL: 'd', MAIL_URL: 'm', NPM_TOKEN: 'secret-token' };

  const starts: [string[], string][] = [
    [[], 'web '],
    [['worker'], 'worker --queue|mail'],
    [['worker', 'a'], 'worker --queue|mail|a'],
    [['worker', '--', 'b'], 'worker --queue|mail|b'],
    [['cron'], 'other '],
    [['--port=1', 'x'], 'web --port=1|x'],
    [['--', 'worker'], 'web worker'],
    [['./file'], 'web ./file'],
  ];
  for (const [words, wanted] of starts)
    test(`node server.js ${words.join(' ')}`, async () => {
      const { stdout, stderr, code } = await runNode(join(cwd, 'server.js'), words, { cwd, env });
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `${wanted} undefined\n`);
    });

  test('bootlace start worker -- b', async () => {
    const { stdout } = await bootlace(['start', 'worker', '--', 'b'], { cwd, env });
    assert.equal(stdout, 'worker --queue|mail|b undefined\n');
  });

  test('BACKEND_ENTRY names a role as well', async () => {
    const more = { ...env, BACKEND_ENTRY: 'worker' };
    const { stdout } = await runNode(join(cwd, 'server.js'), [], { cwd, env: more });
    assert.equal(stdout, 'worker --queue|mail undefined\n');
  });

  test('BACKEND_ENTRY with a typing error lists the roles, too', async () => {
    const more = { ...env, BACKEND_ENTRY: 'wroker' };
    const { stderr, code } = await runNode(join(cwd, 'server.js'), [], { cwd, env: more });
    assert.equal(code, 5);
    assert.match(stderr, /ENTRY_NOT_FOUND[\s\S]*candidates: web, worker, cron, /);
  });

  for (const run of [
    () => runNode(join(cwd, 'server.js'), ['wroker'], { cwd, env }),
    () => bootlace(['start', 'wroker'], { cwd, env }),
  ])
    test('an unknown role lists the known ones', async () => {
      const { stderr, stdout, code } = await run();
      assert.equal(code, 5);
      assert.equal(stdout, '');
      assert.match(stderr, /ROLE_UNKNOWN: .*"wroker"/);
      assert.match(stderr, /fix: use one of web, worker, cron/);
    });

  test('what is missing is named at once, before anything starts', async () => {
    const { stderr, stdout, code } = await runNode(join(cwd, 'server.js'), [], {
      cwd,
      env: { MAIL_URL: ' ' },
    });
    assert.equal(code, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /VARIABLE_MISSING: the backend needs DATABASE_URL, MAIL_URL/);
    assert.match(
      stderr,
      /fix: set DATABASE_URL, MAIL_URL in the service's environment or in \.env/,
    );
    const render = await runNode(join(cwd, 'server.js'), [], { cwd, env: { RENDER: 'true' } });
    assert.equal(render.code, 3);
    assert.match(
      render.stderr.replace(/\n */g, ' '),
      /fix: set DATABASE_URL, MAIL_URL on the service's page under Environment *$/,
    );
  });

  test('.env can hold what is required', async t => {
    const file = join(cwd, '.env');
    writeFileSync(file, 'DATABASE_URL=d\nMAIL_URL=m\n');
    t.after(() => writeFileSync(file, ''));
    assert.equal((await runNode(join(cwd, 'server.js'), [], { cwd })).code, 0);
  });

  test('migrate runs the migrate command, by its old name too, and its failure is the failure', async () => {
    const done = await bootlace(['migrate'], { cwd, env });
    assert.deepEqual([done.code, done.stdout], [0, 'migrate deploy undefined\n']);
    const failed = await bootlace(['release', '--', 'x'], { cwd, env: { ...env, FAIL: '9' } });
    assert.deepEqual([failed.code, failed.stdout], [9, 'migrate deploy|x undefined\n']);
    const missing = await bootlace(['migrate'], { cwd, env: {} });
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /VARIABLE_MISSING/);
  });
});

suite('a package without roles', () => {
  let cwd: string;
  before(async () => {
    cwd = await launchable(wholeFile, files);
  });

  for (const words of [['worker'], ['--', 'x'], []])
    test(`all words are the backend's: ${words.join(' ')}`, async () => {
      const { stdout } = await runNode(join(cwd, 'server.js'), words, { cwd });
      assert.equal(stdout, `web ${words.join('|')} undefined\n`);
    });

  test('start ROLE says that there are none', async () => {
    const { code, stderr } = await bootlace(['start', 'worker'], { cwd });
    assert.equal(code, 5);
    assert.match(stderr, /ROLE_UNKNOWN.*\n.*names no roles/);
  });

  test('migrate has nothing to do', async () => {
    const { code, stdout } = await bootlace(['migrate'], { cwd });
    assert.deepEqual([code, stdout], [0, 'the backend names no migrate command: nothing to do\n']);
  });
});

suite('a wrong bootlace object of the publisher is refused at setup', () => {
  for (const [name, value] of Object.entries({
    'no object': 'x',
    'a role without a file': { roles: { web: '' } },
    'a role like a flag': { roles: { '--x': 'dist/main.js' } },
    'no list': { requires: 'A' },
    'no variable': { requires: ['A B'] },
    'no command': { migrate: 7 },
    'no command under its old name': { release: 7 },
  }))
    test(name, async () => {
      await assert.rejects(
        launchable(wholeFile, files, { bootlace: value }),
        /PACKAGE_CONFIG_INVALID/,
      );
    });
  test('a role whose file is missing', async () => {
    const bootlace = { roles: { worker: 'dist/gone.js' } };
    await assert.rejects(launchable(wholeFile, files, { bootlace }), /ENTRY_NOT_FOUND/);
  });
});

test('a key that nobody reads is named where it is packed and where it is set up', async t => {
  const source = sourceOf(t, files, {
    bootlace: { role: {}, requires: [], entry: 'dist/main.js' },
  });
  const sentence =
    /warning: the "bootlace" object of @acme\/backend's .* holds "role", which nobody reads; it may hold roles, requires, migrate, schedules, health\n/;
  const cwd = temporaryFolder(t);
  const installed = await bootlace(['setup', '--from', source], { cwd });
  assert.equal(installed.code, 0);
  assert.match(installed.stderr, sentence);
  assert.match((await bootlace(['lock', '--check'], { cwd: source })).stderr, sentence);
});

test('lock refuses what a host would refuse', async t => {
  const cwd = sourceOf(t, files, { bootlace: { requires: 'DATABASE_URL' } });
  const { code, stderr } = await bootlace(['lock'], { cwd });
  assert.equal(code, 3);
  assert.match(stderr, /PACKAGE_CONFIG_INVALID.*"requires" is no list/);
});

suite('flags and settings of a start that needs a new process', () => {
  test('everything else of the start stays the same', async () => {
    const cwd = await launchable(
      wholeFile,
      {
        'dist/main.js':
          'console.log(JSON.stringify([process.argv.slice(2), process.execArgv, process.env.A, process.env.BOOTLACE_AGAIN, require.main === module]))',
      },
      { scripts: { start: 'A=${A}x node --stack-size=900 dist/main.js one' } },
    );
    const { stdout, stderr } = await runNode(join(cwd, 'server.js'), ['two'], {
      cwd,
      env: { A: 'a' },
    });
    const wanted = [['one', 'two'], ['--stack-size=900'], 'ax', undefined, true];
    assert.deepEqual(JSON.parse(stdout), JSON.parse(JSON.stringify(wanted)));
    assert.equal(stderr.match(/bootlace: starting/g)?.length, 1);
  });
});
