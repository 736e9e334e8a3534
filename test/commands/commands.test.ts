import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bin, bootlace, freePort, startNode, temporaryFolder, waitForAnswer } from '../support/run';

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
const server = `const http = require('node:http');
http.createServer((request, response) => response.end(JSON.stringify({ version: require('../package.json').version, args: process.argv.slice(2), token: process.env.NPM_TOKEN ?? null, pid: process.pid })))
  .listen(process.env.PORT, '127.0.0.1');`;
const tool = `#!/usr/bin/env node
console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), token: process.env.NPM_TOKEN ?? null, url: process.env.DATABASE_URL }));
process.exit(Number(process.argv[2] ?? 0));`;

async function setUp(t: TestContext) {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  registry.publish(
    { name: 'tool', version: '1.0.0', bin: { migrate: 'migrate.js' } },
    { 'migrate.js': tool },
  );
  registry.publish(
    {
      name: '@acme/backend',
      version: '1.0.0',
      main: 'dist/main.js',
      dependencies: { tool: '1.0.0' },
    },
    { 'dist/main.js': server },
  );
  const dir = temporaryFolder(t);
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
  };
  const run = (...args: string[]) => bootlace(args, { cwd: dir, env });
  return { registry, dir, env, run };
}

test('up sets up, then is the backend: its arguments, no token, and its end by a signal', async t => {
  const { dir, env } = await setUp(t);
  const port = await freePort();
  const running = startNode(t, bin, ['up', '--', '--flag', 'word'], {
    cwd: dir,
    env: { ...env, PORT: String(port) },
  });
  const answer = JSON.parse((await waitForAnswer(`http://127.0.0.1:${port}/`)).body);
  assert.deepEqual(
    [answer.version, answer.args, answer.token],
    ['1.0.0', ['--flag', 'word'], null],
  );
  const { code, signal } = await running.stop('SIGTERM');
  // Where Node cannot become another program, the child's death is passed on as a code.
  assert(signal === 'SIGTERM' || code === 143, `${code} ${signal}`);
});

test('exec runs a shipped program in the folder as it is, without the token, and ends with its code', async t => {
  const { dir, run } = await setUp(t);
  await run('setup');
  appendFileSync(join(dir, '.env'), 'DATABASE_URL=postgres://localhost/test\n');
  const { code, stdout } = await run('exec', 'migrate', '7', '--json', '--dir', 'x');
  assert.equal(code, 7);
  assert.deepEqual(JSON.parse(stdout), {
    args: ['7', '--json', '--dir', 'x'],
    cwd: dir,
    token: null,
    url: 'postgres://localhost/test',
  });
  const missing = await run('exec', 'prisma');
  assert.equal(missing.code, 5);
  assert.match(missing.stderr, /BIN_NOT_FOUND[\s\S]*candidates: migrate/);
  const none = await run('exec');
  assert.deepEqual([none.code, /BIN_MISSING/.test(none.stderr)], [2, true]);
  const outside = await run('exec', '../../tool/migrate.js');
  assert.deepEqual([outside.code, /BIN_NOT_FOUND/.test(outside.stderr)], [5, true]);
});

test('status says what is active, why and from where; --verify sees one changed byte', async t => {
  const { registry, dir, run } = await setUp(t);
  const before = await run('status');
  assert.deepEqual(
    [before.code, /NOT_SET_UP[\s\S]*npx bootlace setup/.test(before.stderr)],
    [5, true],
  );
  await run('setup');
  const inside = join(dir, 'src', 'deep');
  mkdirSync(inside, { recursive: true });
  const { stderr } = await bootlace(['status'], { cwd: inside });
  const [, flag = '', above = ''] =
    /NOT_SET_UP[\s\S]*fix: pass (--dir) (\S+),\s+where one is; or run: npx/.exec(stderr) ?? [];
  assert.equal((await bootlace(['status', flag, above], { cwd: inside })).code, 0, stderr);
  const { stdout } = await run('status');
  assert.match(stdout, /^package +@acme\/backend 1\.0\.0$/m);
  assert.match(stdout, /^because +latest \(default\): the tag latest$/m);
  assert.match(stdout, /^starts +dist\/main\.js \(main\)$/m);
  const json = JSON.parse((await run('status', '--json')).stdout);
  assert.deepEqual([json.ok, json.version, json.source.registry], [true, '1.0.0', registry.url]);
  assert.match((await run('status', '--verify')).stdout, /verified/);
  const file = join(
    dir,
    '.bootlace/releases',
    json.releases[0].name,
    'node_modules/tool/migrate.js',
  );
  writeFileSync(file, readFileSync(file, 'utf8').replace('console', 'Console'));
  const changed = await run('status', '--verify', '--json');
  assert.deepEqual([changed.code, changed.stdout.includes('TREE_CHANGED')], [6, true]);
});

test('doctor: one line a check, all of them before and after setup', async t => {
  const { run } = await setUp(t);
  const fresh = await run('doctor');
  assert.equal(fresh.code, 0);
  const names = (text: string) =>
    text.split('\n').flatMap(line => /^(?:ok|warn|fail) +(\w+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(names(fresh.stdout), [
    'node',
    'settings',
    'token',
    'registry',
    'package',
    'version',
    'folder',
    'disk',
    'memory',
    'release',
  ]);
  assert.match(
    fresh.stdout,
    /^warn +release +nothing is set up yet\n +fix: run: npx bootlace setup$/m,
  );
  await run('setup');
  assert.match(
    (await run('doctor')).stdout,
    /^ok +release +@acme\/backend 1\.0\.0, starts dist\/main\.js\nok +server file +node server\.js starts it$/m,
  );
});

const illnesses: [
  name: string,
  env: Record<string, string | undefined>,
  exit: number,
  line: RegExp,
][] = [
  ['no package', { BACKEND_PACKAGE: undefined }, 3, /^fail +settings +PACKAGE_MISSING/m],
  [
    'no token',
    { NPM_TOKEN: undefined, BACKEND_REGISTRY: 'https://npm.pkg.github.com' },
    4,
    /^fail +token +TOKEN_MISSING/m,
  ],
  ['a bad token', { NPM_TOKEN: 'abcdefgh' }, 4, /^fail +token +TOKEN_INVALID/m],
  ['no such package', { BACKEND_PACKAGE: '@acme/other' }, 5, /^fail +package +PACKAGE_NOT_FOUND/m],
  ['no such version', { BACKEND_VERSION: '7.0.0' }, 5, /^fail +version +VERSION_NOT_FOUND/m],
  [
    'registry out of reach',
    { BACKEND_REGISTRY: 'http://127.0.0.1:9' },
    7,
    /^fail +registry +REGISTRY_UNREACHABLE/m,
  ],
];
for (const [name, extra, exit, line] of illnesses)
  test(`doctor finds: ${name}`, async t => {
    const { dir, env } = await setUp(t);
    const { code, stdout } = await bootlace(['doctor'], { cwd: dir, env: { ...env, ...extra } });
    assert.match(stdout, line);
    assert.match(stdout, /^ +fix: /m);
    assert.equal(code, exit);
  });

for (const [name, extra, line] of [
  ['set', {}, /^ok +token +set in NPM_TOKEN, not tried: the settings come first$/m],
  ['not set', { NPM_TOKEN: undefined }, /^warn +token +NPM_TOKEN is not set; a private package/m],
  ['malformed', { NPM_TOKEN: 'a b' }, /^fail +token +TOKEN_MALFORMED/m],
  [
    'in a variable of another name',
    { NPM_TOKEN: undefined, MINE: token, BACKEND_TOKEN_ENV: 'MINE' },
    /^ok +token +set in MINE/m,
  ],
] as const)
  test(`doctor without a package speaks of the token: ${name}`, async t => {
    const { dir, env } = await setUp(t);
    const without = { ...env, BACKEND_PACKAGE: undefined, ...extra };
    const { code, stdout } = await bootlace(['doctor'], { cwd: dir, env: without });
    assert.equal(code, 3);
    assert.match(stdout, /^ok +node .*\nfail +settings +PACKAGE_MISSING/m);
    assert.match(stdout, line);
    assert.doesNotMatch(stdout, /ghp_/);
  });

test('doctor: a failure of the token is one line', async t => {
  const { dir, env } = await setUp(t);
  const malformed = { ...env, NPM_TOKEN: 'a b' };
  const { stdout } = await bootlace(['doctor'], { cwd: dir, env: malformed });
  assert.equal(stdout.match(/TOKEN_MALFORMED/g)?.length, 1, stdout);
});

test('doctor: a token that is missing is no ok first, and another variable that holds one is named', async t => {
  const { dir, env } = await setUp(t);
  const without = { ...env, NPM_TOKEN: undefined, GITHUB_TOKEN: 'abcdefgh' };
  const { stdout } = await bootlace(['doctor'], { cwd: dir, env: without });
  assert.doesNotMatch(stdout, /^ok +token/m);
  assert.match(
    stdout,
    /^fail +token +TOKEN_MISSING.*\n +fix: .*\n? +.*set BACKEND_TOKEN_ENV=GITHUB_TOKEN$/m,
  );
});

test('doctor sees what would not start', async t => {
  const { dir, run } = await setUp(t);
  const { release } = JSON.parse((await run('setup', '--json')).stdout);
  const modules = join(dir, '.bootlace/releases', release, 'node_modules');
  const folder = (path: string) => {
    rmSync(path);
    mkdirSync(path);
  };
  const damages: [path: string, damage: (path: string) => void, line: RegExp, exit: number][] = [
    [
      join(dir, 'server.js'),
      path => writeFileSync(path, '// mine'),
      /^fail +server file +SERVER_F/m,
      3,
    ],
    [join(dir, 'server.js'), path => truncateSync(path, 900), /^fail +server file +SERVER_F/m, 3],
    [join(dir, 'server.js'), folder, /^fail +server file +SERVER_F/m, 3],
    [join(dir, 'server.js'), path => rmSync(path), /^warn +server file +there is none/m, 0],
    [
      join(dir, '.bootlace/current.json'),
      path => truncateSync(path, 90),
      /RELEASE_BROKEN.*current/,
      5,
    ],
    [join(dir, '.bootlace/current.json'), folder, /RELEASE_BROKEN.*current/, 5],
    [join(modules, '@acme/backend/dist/main.js'), path => rmSync(path), /RELEASE_BROKEN.*main/, 5],
    [join(modules, '@acme/backend/package.json'), folder, /RELEASE_BROKEN.*package/, 5],
    [
      join(modules, 'tool/package.json'),
      path => rmSync(path),
      /^fail +release +RELEASE_BROKEN/m,
      5,
    ],
  ];
  for (const [path, damage, line, exit] of damages) {
    const whole = readFileSync(path);
    damage(path);
    const { code, stdout } = await run('doctor');
    assert.match(stdout, line, path);
    assert.equal(code, exit, stdout);
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, whole);
  }
});

test('files that somebody edited are no bug: status, and a dry run of what is damaged', async t => {
  const { dir, run } = await setUp(t);
  const { release } = JSON.parse((await run('setup', '--json')).stdout);
  const edit = async (path: string, change: (value: Record<string, unknown>) => void) => {
    const file = join(dir, '.bootlace', path);
    const before = readFileSync(file, 'utf8');
    const value = JSON.parse(before);
    change(value);
    writeFileSync(file, JSON.stringify(value));
    for (const words of [['status'], ['start'], ['use', '1.0.0'], ['doctor']]) {
      const { code, stdout, stderr } = await run(...words);
      assert([5, 0].includes(code ?? 1), `${words}: ${stdout}${stderr}`);
    }
    writeFileSync(file, before);
  };
  await edit(`releases/${release}/release.json`, value => Object.assign(value, { source: {} }));
  for (const start of [
    { args: 5 },
    { args: [5] },
    { requires: 'x' },
    { secretEnv: {} },
    { asked: 5 },
  ])
    await edit('current.json', value => Object.assign(value.start as object, start));
  await edit('current.json', value => Object.assign(value, { start: 5 }));

  const backend = join(dir, '.bootlace/releases', release, 'node_modules/@acme/backend');
  rmSync(join(backend, 'package.json'));
  mkdirSync(join(backend, 'package.json'));
  const plan = await run('setup', '--dry-run', '--backend-version', '1.0.0');
  assert.deepEqual([plan.code, /installed again/.test(plan.stdout)], [0, true], plan.stderr);
});

test('status --verify of files that cannot be read is no bug', async t => {
  const { dir, run } = await setUp(t);
  const { release } = JSON.parse((await run('setup', '--json')).stdout);
  rmSync(join(dir, '.bootlace/releases', release, 'node_modules'), { recursive: true });
  const { code, stdout, stderr } = await run('status', '--verify');
  assert.equal(code, 6, stdout + stderr);
  assert.match(stdout + stderr, /TREE_UNREADABLE.*ENOENT/);
});
