import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { realIo } from '../../src/io';
import { boot } from '../../src/publish/preflight/boot';
import { FakeRegistry } from '../support/fake-registry';
import { sourceOf } from '../support/launched';
import { bootlace, cleanEnv, type RunOptions, temporaryFolder } from '../support/run';
import { packageTarball } from '../support/tarball';

type Test = { after(fn: () => unknown): void };

const server = `
const { createServer } = require('node:http');
const server = createServer((request, response) => {
  response.statusCode = request.url === '/health' ? 200 : request.url === '/' ? 404 : 503;
  response.end();
}).listen(process.env.PORT);
process.on('SIGTERM', () => server.close());
`;

/** Runs it with a temporary folder of its own. @returns what ended, and what it left there */
async function run(t: Test, args: readonly string[], options: RunOptions) {
  const TMPDIR = temporaryFolder(t);
  const ended = await bootlace(['check', ...args], {
    ...options,
    env: { TMPDIR, ...options.env },
  });
  return { ...ended, left: readdirSync(TMPDIR) };
}

test('a folder: file, line and column in it, and 3', async t => {
  const cwd = temporaryFolder(t);
  mkdirSync(join(cwd, 'packages/api/dist'), { recursive: true });
  const json = {
    name: '@acme/backend',
    version: '1.0.0',
    main: 'dist/main.js',
    files: ['lib'],
    dependencies: { b: '1.0.0', a: 'workspace:*' },
  };
  writeFileSync(join(cwd, 'packages/api/package.json'), JSON.stringify(json, null, 2));
  writeFileSync(join(cwd, 'packages/api/dist/main.js'), server);
  const { code, stdout, left } = await run(t, ['packages/api'], { cwd });
  assert.match(stdout, /packages\/api\/package.json:10:10: error DEPENDENCY_LOCAL dependencies\.a/);
  // npm packs main whatever "files" says.
  assert.doesNotMatch(stdout, /FILE_NOT_PACKED/);
  assert.deepEqual([code, left], [3, []]);
});

test('what npm would leave out is missing', async t => {
  const files = { 'dist/main.js': 'require("./app")', 'dist/worker.js': '' };
  const cwd = sourceOf(t, files, {
    files: ['lib'],
    bin: { worker: 'dist/worker.js' },
    bootlace: { roles: { worker: 'dist/other.js' } },
  });
  const { code, stdout } = await run(t, [], { cwd });
  assert.equal(code, 3);
  assert.match(stdout, /ENTRY_NOT_FOUND bootlace.roles.worker: the role worker names/);
});

suite('the fix for a file that is packed, typed as printed, works', () => {
  const files = {
    'dist/main.js': server,
    'dist/main.js.map': 'm'.repeat(60_000),
    'dist/.env.production': 'A=b',
  };
  const found = (stdout: string) =>
    (JSON.parse(stdout).findings as { code: string; fix: string }[]).map(({ code, fix }) => {
      return [code, fix.split(/ to the end of | to \.npmignore/)[0]];
    });
  test('with a list of files', async t => {
    const cwd = sourceOf(t, files, { files: ['dist'] });
    const before = await run(t, ['--json'], { cwd });
    assert.deepEqual(found(before.stdout), [
      ['SECRET_FILE', 'add "!dist/.env.production"'],
      ['SIZE_SOURCES', 'add "!**/*.map" and "!**/*.ts"'],
    ]);
    const list = ['dist', '!dist/.env.production', '!**/*.map', '!**/*.ts'];
    const json = { name: '@acme/backend', version: '1.0.0', main: 'dist/main.js', files: list };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(json));
    assert.deepEqual(found((await run(t, ['--json'], { cwd })).stdout), []);
  });
  test('without one', async t => {
    const cwd = sourceOf(t, files);
    const before = await run(t, ['--json'], { cwd });
    assert.deepEqual(found(before.stdout), [
      ['SECRET_FILE', 'add dist/.env.production'],
      ['SIZE_SOURCES', 'add **/*.map and **/*.ts'],
    ]);
    writeFileSync(join(cwd, '.npmignore'), 'dist/.env.production\n**/*.map\n**/*.ts\n');
    assert.deepEqual(found((await run(t, ['--json'], { cwd })).stdout), []);
  });
});

test('what bootlace lock wrote has nothing to say, also with --strict', async t => {
  const registry = await FakeRegistry.start({ redirectTarballs: false });
  t.after(() => registry.close());
  registry.publish({ name: 'a', version: '1.0.0' });
  const env = { npm_config_registry: registry.url };
  const cwd = sourceOf(
    t,
    { 'dist/main.js': server },
    { files: ['dist'], dependencies: { a: '^1.0.0' } },
  );
  const before = await run(t, ['--strict', '--json'], { cwd, env });
  const { ok, findings } = JSON.parse(before.stdout) as { ok: boolean; findings: object[] };
  assert.deepEqual([before.code, ok, findings.length], [3, false, 1], before.stderr);
  assert.equal((await run(t, [], { cwd, env })).code, 0);
  assert.equal((await bootlace(['lock'], { cwd, env })).code, 0);
  const after = await run(t, ['--strict', '--json'], { cwd, env });
  assert.deepEqual(JSON.parse(after.stdout).findings, []);
  assert.equal(after.code, 0);
});

suite('a version of a registry', () => {
  const world = async (t: Test) => {
    const registry = await FakeRegistry.start({ tokens: { 'secret-token': {} } });
    t.after(() => registry.close());
    const manifest = { name: '@acme/backend', main: 'dist/main.js' };
    registry.publish({ ...manifest, version: '1.0.0' }, { 'dist/main.js': server });
    registry.publish({ ...manifest, version: '1.1.0' }, { '.env': 'A=b' });
    const env = { BACKEND_REGISTRY: registry.url, NPM_TOKEN: 'secret-token' };
    return { cwd: temporaryFolder(t), env };
  };
  test('the tag latest, with its own credentials', async t => {
    const { code, stdout, left } = await run(t, ['@acme/backend'], await world(t));
    assert.match(stdout, /^@acme\/backend@1\.1\.0\/package\.json: error FILE_NOT_PACKED main/m);
    assert.match(stdout, /^@acme\/backend@1\.1\.0\/\.env: error SECRET_FILE/m);
    assert.deepEqual([code, left], [3, []]);
  });
  test('a version, started', async t => {
    const spec = '@acme/backend@1.0.0';
    const { code, stdout, stderr, left } = await run(t, [spec, '--boot'], await world(t));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^dist\/main\.js: \/ answered 404 after \d/m);
    assert.deepEqual(left, []);
  });
  test('a version that is not there', async t => {
    const { code, stderr, left } = await run(t, ['@acme/backend@9.0.0'], await world(t));
    assert.match(stderr, /VERSION_NOT_FOUND/);
    assert.deepEqual([code, left], [5, []]);
  });
  test('without the token', async t => {
    const { cwd, env } = await world(t);
    const { code } = await run(t, ['@acme/backend'], { cwd, env: { ...env, NPM_TOKEN: '' } });
    assert.equal(code, 4);
  });
});

suite('what is no package', () => {
  const rows: [word: string, code: number, says: RegExp][] = [
    ['./gone', 5, /CHECK_NOT_FOUND: there is no \.\/gone/],
    ['packages/gone', 5, /CHECK_NOT_FOUND/],
    ['gone.tgz', 5, /CHECK_NOT_FOUND/],
    ['empty', 3, /LOCK_NO_PACKAGE: [\s\S]*npx bootlace check packages\/backend/],
    ['text.tgz', 3, /CHECK_INVALID: text\.tgz is no package's tarball/],
    ['no-version', 3, /VERSION_MISSING: .*has no version/],
    ['Not A Name', 3, /PACKAGE_NAME_INVALID/],
    ['@acme/backend@file:x', 3, /VERSION_IS_PATH/],
  ];
  for (const [word, wanted, says] of rows)
    test(word, async t => {
      const cwd = temporaryFolder(t);
      mkdirSync(join(cwd, 'empty'));
      mkdirSync(join(cwd, 'no-version'));
      writeFileSync(join(cwd, 'no-version/package.json'), '{"name":"x"}');
      writeFileSync(join(cwd, 'text.tgz'), 'this is text');
      const { code, stderr, left } = await run(t, [word], { cwd });
      assert.match(stderr, says);
      assert.deepEqual([code, left], [wanted, []]);
    });
  for (const flags of [
    ['--health', '/x'],
    ['--boot', '--health', 'x y'],
  ])
    test(flags.join(' '), async t => {
      const { code, stderr } = await run(t, flags, { cwd: temporaryFolder(t) });
      assert.match(stderr, /FLAG_INVALID: --health/);
      assert.equal(code, 2);
    });
});

suite('--boot', () => {
  const roles = { web: 'dist/main.js', 'api-v2': 'node dist/main.js --v2', worker: 'dist/work.js' };

  test('starts what serves, with no secret, and says how it went', async t => {
    const cwd = temporaryFolder(t);
    const secretFree = `
      const { NPM_TOKEN, RENDER_API_KEY, OTHER } = process.env;
      if (NPM_TOKEN || RENDER_API_KEY || OTHER !== 'seen') process.exit(9);
      ${server}`;
    const tarball = packageTarball({
      'package.json': JSON.stringify({
        name: '@acme/backend',
        version: '1.0.0',
        bootlace: { roles },
      }),
      'dist/main.js': secretFree,
      'dist/work.js': 'require("node:fs").writeFileSync(process.env.MARK, "")',
    });
    writeFileSync(join(cwd, 'b.tgz'), tarball);
    const MARK = join(cwd, 'worked');
    const env = { NPM_TOKEN: 'secret-token', RENDER_API_KEY: 'rnd_secret', OTHER: 'seen', MARK };
    const args = ['b.tgz', '--boot', '--health', '/health', '--registry', 'http://127.0.0.1:9/'];
    const { code, stdout, stderr, left } = await run(t, args, { cwd, env });
    assert.equal(code, 0, stdout + stderr);
    const memory = process.platform === 'linux' ? String.raw`\d+ MB of memory` : 'memory.*';
    for (const name of ['web', 'api-v2'])
      assert.match(
        stdout,
        new RegExp(
          String.raw`^${name}: /health answered 200 after [\d.]+ s, ${memory}, ended [\d.]+ s after SIGTERM$`,
          'm',
        ),
      );
    assert.match(stdout, /^not started, .*: worker$/m);
    assert.deepEqual([readdirSync(cwd), left], [['b.tgz'], []]);
  });

  const failures: [name: string, text: string, says: RegExp][] = [
    [
      'ends',
      'console.error("no database"); process.exit(1)',
      /ended with 1 before it answered: no database$/m,
    ],
    ['throws', 'throw new Error("broken")', /ended with 1 before it answered: .*Error: broken$/m],
  ];
  for (const [name, text, says] of failures)
    test(`a backend that ${name} is an error`, async t => {
      const cwd = sourceOf(t, { 'dist/main.js': text });
      const { code, stdout, left } = await run(t, ['--boot'], { cwd });
      assert.match(stdout, /error BOOT_FAILED/);
      assert.match(stdout, says);
      assert.deepEqual([code, left], [3, []]);
    });

  test('what cannot be installed fails as in setup, and the log that it names is there', async t => {
    const registry = await FakeRegistry.start();
    t.after(() => registry.close());
    const env = { npm_config_registry: registry.url };
    const cwd = sourceOf(t, { 'dist/main.js': server }, { dependencies: { gone: '1.0.0' } });
    const TMPDIR = temporaryFolder(t);
    const args = ['check', '--boot', '--json'];
    const { code, stdout } = await bootlace(args, { cwd, env: { ...env, TMPDIR } });
    const { error } = JSON.parse(stdout) as { error: { facts: { log: string } } };
    assert.equal(code, 5, stdout);
    assert.match(readFileSync(error.facts.log, 'utf8'), /gone/);
    const files = readdirSync(TMPDIR, { recursive: true, withFileTypes: true });
    assert.deepEqual(
      files.filter(file => file.isFile()).map(({ name }) => name),
      [basename(error.facts.log)],
    );
  });

  test('a required variable that is not set is named', async t => {
    const bootlaceObject = { requires: ['DATABASE_URL'] };
    const cwd = sourceOf(t, { 'dist/main.js': server }, { bootlace: bootlaceObject });
    const missing = await run(t, ['--boot'], { cwd });
    assert.match(missing.stdout, /BOOT_FAILED.*VARIABLE_MISSING: the backend needs DATABASE_URL/);
    const set = await run(t, ['--boot'], { cwd, env: { DATABASE_URL: 'd' } });
    assert.equal(set.code, 0, set.stdout);
  });

  test('with other errors nothing is started', async t => {
    const cwd = sourceOf(t, { 'dist/main.js': server }, { bin: { x: 'dist/gone.js' } });
    const { code, stderr } = await run(t, ['--boot'], { cwd });
    assert.match(stderr, /not started: correct the errors first/);
    assert.equal(code, 3);
  });

  test('a backend that ignores SIGTERM is killed, with a warning', async t => {
    const deaf = `${server} process.removeAllListeners('SIGTERM').on('SIGTERM', () => {})`;
    const cwd = sourceOf(t, { 'dist/main.js': deaf });
    const { code, stdout, left } = await run(t, ['--boot'], { cwd });
    assert.match(stdout, /warning BOOT_STOP.*still there 10 s after SIGTERM/);
    assert.deepEqual([code, left], [0, []]);
  });

  test('an answer of 500 and above is none', async t => {
    const dir = temporaryFolder(t);
    writeFileSync(join(dir, 'server.js'), server);
    let now = 0;
    const booted = await boot({
      dir,
      serverFile: join(dir, 'server.js'),
      role: undefined,
      healthPath: '/busy',
      env: cleanEnv(),
      // Enough tries for a slow machine, in little time.
      io: { ...realIo(), now: () => (now += 1000) },
      signal: new AbortController().signal,
    });
    assert.equal(booted.failure, 'still answered 503 at /busy on PORT after 60 s');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal} leaves no process and no file`, { timeout: 60_000 }, async t => {
      const mark = join(temporaryFolder(t), 'pid');
      // Never answers, and has a child of its own.
      const silent = `
        const { spawn } = require('node:child_process');
        const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
        require('node:fs').writeFileSync(process.env.MARK, process.pid + ' ' + child.pid);
        process.on('SIGTERM', () => {}); process.on('SIGINT', () => {});
        setInterval(() => {}, 1000)`;
      const cwd = sourceOf(t, { 'dist/main.js': silent });
      const { code, left } = await run(t, ['--boot'], {
        cwd,
        env: { MARK: mark },
        onSpawn: child => {
          const watch = setInterval(() => {
            if (pidsIn(mark).length < 2) return;
            clearInterval(watch);
            child.kill(signal);
          }, 50);
          child.once('exit', () => clearInterval(watch));
        },
      });
      assert.deepEqual([code, left], [signal === 'SIGINT' ? 130 : 143, []]);
      for (const pid of pidsIn(mark)) assert.equal(isRunning(pid), false, String(pid));
    });
});

function pidsIn(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').split(' ').map(Number);
  } catch {
    return [];
  }
}

/** A zombie that nobody has waited for yet runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}
