import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Sample, writeInstalled } from '../support/installed';
import { bootlace, type Ended, runNode, startNode, temporaryFolder } from '../support/run';

const report = `console.log(JSON.stringify({
  main: typeof require === 'function' ? require.main === module : import.meta.main ?? true,
  argv: process.argv.slice(1), cwd: process.cwd(), token: process.env.NPM_TOKEN ?? null, leaks: Object.keys(process.env).filter(name => process.env[name].includes('tokentoken')),
  env: { A: process.env.A, B: process.env.B, TZ: process.env.TZ, ACME: process.env.ACME, KEY: process.env.RENDER_API_KEY },
  offset: new Date(0).getTimezoneOffset(), maps: process.sourceMapsEnabled, loaded: globalThis.loaded,
  listeners: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'].map(name => process.listenerCount(name)),
  children: process.execArgv,
}))`;
const reportEsm = report.replace(
  "typeof require === 'function' ? require.main === module : import.meta.main ?? true",
  'import.meta.main ?? true',
);

interface Case extends Sample {
  name: string;
  /** The package.json of the user's own folder. */
  folder?: object;
  dotenv?: string;
  args?: string[];
  env?: Record<string, string>;
  code?: number;
  expect?: Record<string, unknown>;
  stderr?: RegExp;
}

const main = { 'main.js': report };
const cases: Case[] = [
  {
    name: 'CommonJS',
    packageJson: { main: 'main.js' },
    files: main,
    args: ['-p', '1'],
    expect: { main: true, token: null, listeners: [0, 0, 0, 0] },
    stderr: /^bootlace: starting backend@1\.0\.0: main\.js \(main\)\n$/,
  },
  {
    name: 'ES module',
    packageJson: { type: 'module', main: 'main.js' },
    files: { 'main.js': reportEsm },
    expect: { main: true },
  },
  {
    name: 'CommonJS from a folder of ES modules',
    folder: { type: 'module' },
    packageJson: { main: 'main.js' },
    files: main,
    expect: { main: true },
  },
  {
    name: 'ES module from a folder of ES modules',
    folder: { type: 'module' },
    packageJson: { main: 'main.mjs' },
    files: { 'main.mjs': reportEsm },
    expect: { main: true },
  },
  {
    name: 'variables and flags of scripts.start',
    packageJson: {
      scripts: {
        start:
          'TZ=Asia/Tokyo A="x y" node --enable-source-maps -r ./pre.js main.js --port ${PORT:-8080}',
      },
    },
    files: { ...main, 'pre.js': 'globalThis.loaded = 1' },
    env: { TZ: 'UTC' },
    args: ['more'],
    expect: { offset: -540, maps: true, loaded: 1 },
  },
  {
    name: '--import of scripts.start',
    packageJson: { scripts: { start: 'node --import ./pre.mjs main.js' } },
    files: { ...main, 'pre.mjs': 'globalThis.loaded = 2' },
    expect: { main: true, loaded: 2 },
  },
  {
    name: '.env beneath the environment',
    packageJson: { main: 'main.js' },
    files: main,
    dotenv: 'A=dotenv\nB=dotenv\nNPM_TOKEN=tokentoken',
    env: { A: 'real' },
    expect: { token: null, env: { A: 'real', B: 'dotenv' } },
  },
  {
    name: 'the renamed token is gone as well',
    packageJson: { main: 'main.js' },
    files: main,
    start: { tokenEnv: 'ACME' },
    env: { ACME: 'tokentoken', NPM_TOKEN: 'tokentoken', RENDER_API_KEY: 'rnd_x' },
    expect: { token: null, env: {} },
  },
  {
    name: 'BACKEND_ARGS when none are given',
    packageJson: { main: 'main.js' },
    files: main,
    env: { BACKEND_ARGS: '--x "a b" $NOT_SET' },
    expect: { main: true },
  },
  {
    name: 'BACKEND_ENTRY of now',
    packageJson: { main: 'other.js' },
    files: { ...main, 'other.js': '' },
    env: { BACKEND_ENTRY: 'main.js' },
    expect: { main: true },
    stderr: /main\.js \(BACKEND_ENTRY\)/,
  },
  {
    name: 'a flag that only a new process takes',
    packageJson: { scripts: { start: 'node --max-http-header-size=1234 main.js' } },
    files: {
      'main.js':
        'console.log(JSON.stringify({ size: require("http").maxHeaderSize, main: require.main === module, token: process.env.NPM_TOKEN ?? null }))',
    },
    expect: { size: 1234, main: true, token: null },
  },
  {
    name: 'its own exit code',
    packageJson: { main: 'main.js' },
    files: { 'main.js': 'process.exitCode = 7' },
    code: 7,
  },
  {
    name: 'its own exit code from a new process',
    packageJson: { scripts: { start: 'node --max-http-header-size=1234 main.js' } },
    files: { 'main.js': 'process.exit(7)' },
    code: 7,
  },
  {
    name: 'its own error',
    packageJson: { main: 'main.js' },
    files: { 'main.js': 'throw new Error("mine")' },
    code: 1,
    stderr: /Error: mine\n/,
  },
  {
    name: 'a dependency that is missing',
    packageJson: { main: 'main.js' },
    files: { 'main.js': 'require("express")' },
    code: 1,
    stderr:
      /DEPENDENCY_MISSING: backend@1\.0\.0 needs express[\s\S]*fix: move express to "dependencies"/,
  },
  {
    name: 'a dependency that is missing in an ES module',
    packageJson: { main: 'main.mjs' },
    files: { 'main.mjs': 'import "express"' },
    code: 1,
    stderr: /DEPENDENCY_MISSING: backend@1\.0\.0 needs express/,
  },
  {
    name: 'a file that was not published',
    packageJson: { main: 'main.js' },
    files: { 'main.js': 'require("./dist/x")' },
    code: 1,
    stderr: /FILE_MISSING/,
  },
  {
    name: 'an entry that does not exist',
    packageJson: { main: 'main.js' },
    files: main,
    env: { BACKEND_ENTRY: 'nope' },
    code: 5,
    stderr: /ENTRY_NOT_FOUND[\s\S]*fix: set BACKEND_ENTRY/,
  },
];

for (const row of cases)
  test(`server.js: ${row.name}`, async t => {
    const dir = realpathSync(temporaryFolder(t));
    const { backend } = writeInstalled(dir, row);
    if (row.folder) writeFileSync(join(dir, 'package.json'), JSON.stringify(row.folder));
    const cwd = join(dir, 'elsewhere');
    mkdirSync(cwd);
    if (row.dotenv) writeFileSync(join(cwd, '.env'), row.dotenv);
    const env = { NPM_TOKEN: 'tokentoken', ...row.env };
    const ended = await runNode(join(dir, 'server.js'), row.args ?? [], { cwd, env });
    check(row, ended, backend, cwd);
    // The command does the same thing.
    const started = await bootlace(['start', '--dir', dir, '--', ...(row.args ?? [])], {
      cwd,
      env,
    });
    check(row, started, backend, cwd);
  });

function check(row: Case, { code, stdout, stderr }: Ended, backend: string, cwd: string): void {
  assert.equal(code, row.code ?? 0, stderr);
  if (row.stderr) assert.match(stderr, row.stderr);
  assert.equal(stderr.includes('tokentoken'), false);
  if (!row.expect) return;
  const said = JSON.parse(stdout) as { argv?: string[]; cwd?: string; leaks?: string[] };
  if (said.leaks) assert.deepEqual(said.leaks, []);
  const { env, ...rest } = row.expect;
  assert.deepEqual({ ...said, ...rest }, said);
  if (env) assert.deepEqual((said as { env?: object }).env, env);
  if (!said.argv) return;
  assert.equal(said.cwd, cwd);
  const words = row.env?.BACKEND_ARGS ? ['--x', 'a b'] : (row.args ?? []);
  const own = row.name.startsWith('variables') ? ['--port', '8080'] : [];
  const file = row.files['main.mjs'] ? 'main.mjs' : 'main.js';
  assert.deepEqual(said.argv, [join(backend, file), ...own, ...words]);
}

test('a release that is gone says what to type', async t => {
  const dir = temporaryFolder(t);
  const { release, backend } = writeInstalled(dir, {
    packageJson: { main: 'main.js' },
    files: main,
  });
  rmSync(join(backend, 'main.js'));
  const entryGone = await runNode(join(dir, 'server.js'), [], { cwd: dir });
  assert.deepEqual(
    [
      entryGone.code,
      /RELEASE_BROKEN: .* is gone[\s\S]*fix: run: npx bootlace setup/.test(entryGone.stderr),
    ],
    [5, true],
  );
  rmSync(release, { recursive: true });
  const broken = await runNode(join(dir, 'server.js'), [], { cwd: dir });
  assert.deepEqual([broken.code, /RELEASE_BROKEN/.test(broken.stderr)], [5, true]);
  writeFileSync(join(dir, '.bootlace', 'current.json'), '{"format":1,"active":"../../etc"}');
  const hostile = await runNode(join(dir, 'server.js'), [], { cwd: dir });
  assert.deepEqual([hostile.code, /RELEASE_BROKEN/.test(hostile.stderr)], [5, true]);
  rmSync(join(dir, '.bootlace'), { recursive: true });
  const none = await bootlace(['start'], { cwd: dir });
  assert.deepEqual([none.code, /NOT_SET_UP/.test(none.stderr)], [5, true]);
  const lost = await runNode(join(dir, 'server.js'), [], { cwd: dir });
  assert.match(lost.stderr, /Cannot find module '\.\/\.bootlace\/launcher\.cjs'/);
  assert.match(readFileSync(join(dir, 'server.js'), 'utf8'), /gone, run: npx bootlace setup/);
});

const endings: [
  signal: NodeJS.Signals,
  source: string,
  code: number | null,
  by: NodeJS.Signals | null,
][] = [
  ['SIGTERM', '', null, 'SIGTERM'],
  ['SIGINT', '', null, 'SIGINT'],
  ['SIGTERM', 'process.on("SIGTERM", () => process.exit(3));', 3, null],
];
for (const [signal, source, code, by] of endings)
  test(`${signal} ${source ? 'reaches the handler' : 'ends'} the backend as without us`, async t => {
    const dir = temporaryFolder(t);
    writeInstalled(dir, {
      packageJson: { main: 'main.js' },
      files: { 'main.js': `${source} setInterval(() => {}, 1000); console.log("up")` },
    });
    const running = startNode(t, join(dir, 'server.js'), [], { cwd: dir });
    while (!running.output().includes('up')) await new Promise(resolve => setTimeout(resolve, 10));
    assert.deepEqual(await running.stop(signal), { code, signal: by });
  });

test('a damaged package.json of the backend is a broken release to exec and migrate, too', async t => {
  const dir = temporaryFolder(t);
  const { backend } = writeInstalled(dir, { packageJson: {}, files: { 'index.js': '' } });
  const file = join(backend, 'package.json');
  for (const damage of [
    () => writeFileSync(file, 'null'),
    () => writeFileSync(file, '\0\0'),
    () => rmSync(join(backend, '..'), { recursive: true }),
  ]) {
    damage();
    for (const words of [['exec', 'tidy'], ['migrate']]) {
      const { code, stderr } = await bootlace(words, { cwd: dir });
      assert.equal(code, 5, stderr);
      assert.match(stderr, /RELEASE_BROKEN: .*package\.json is gone or damaged\n {2}fix: run: npx/);
    }
  }
});
