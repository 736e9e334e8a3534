import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { snapshot } from '../../support/snapshot';
import {
  createRepository,
  init,
  initEnds,
  monorepo,
  pythonRepository,
  read,
  sampleMonorepo,
} from './repositories';

const edit = (folder: string, path: string, change: (text: string) => string) =>
  writeFileSync(join(folder, path), change(read(folder, path)));
const newerNode = monorepo({ engines: { node: '^26' } })['packages/backend/package.json'] as object;
const raiseNode = (folder: string) =>
  createRepository({ after() {} }, { 'packages/backend/package.json': newerNode }, folder);
const other = { name: '@acme/other', scripts: { start: 'node a.js' } };

test('right after init, check finds nothing and a second init has nothing to do', async t => {
  const folder = createRepository(t, sampleMonorepo);
  assert.match(await initEnds(folder, '', 0), /^wrote +render\.yaml$/m);
  const before = snapshot(folder);
  assert.match(await initEnds(folder, '--check', 0), /^in order +render\.yaml$/m);
  assert.match(await initEnds(folder, '', 0), /^in order +render\.yaml$/m);
  assert.deepEqual(snapshot(folder), before);
});

test('a changed file is the user’s: it survives init, and check shows what differs', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '', 0);
  edit(folder, 'render.yaml', text => text.replace('region: oregon', 'region: frankfurt'));
  const mine = read(folder, 'render.yaml');
  const checked = await initEnds(folder, '--check', 0);
  assert.match(checked, /^yours +render\.yaml$/m);
  assert.match(checked, /^-\s+region: frankfurt\n\+\s+region: oregon$/m);
  raiseNode(folder);
  assert.match(await initEnds(folder, '', 0), /^yours, left as it is +render\.yaml$/m);
  assert.equal(read(folder, 'render.yaml'), mine);
  assert.match(read(folder, '.github/workflows/deploy.yml'), /node-version: 26\./);
  // Nothing else is left to write now, which is no failure.
  assert.match(
    await initEnds(folder, '', 0),
    /^render\.yaml is yours; to see what differs: npx bootlace init --check$/m,
  );
  assert.match(await initEnds(folder, '--force render.yaml', 0), /^wrote +render\.yaml$/m);
  assert.doesNotMatch(read(folder, 'render.yaml'), /frankfurt/);
  await initEnds(folder, '--check', 0);
});

test('a file that init did not write is the user’s', async t => {
  const own = 'services: []\n';
  const folder = createRepository(t, { ...sampleMonorepo, 'render.yaml': own });
  assert.match(await initEnds(folder, '', 0), /^yours, left as it is +render\.yaml$/m);
  assert.equal(read(folder, 'render.yaml'), own);
});

test('it ends with 3 when every file is the user’s', async t => {
  const names = ['render.yaml', '.env.example'];
  const workflows = ['publish-backend', 'deploy'].map(name => `.github/workflows/${name}.yml`);
  const own = Object.fromEntries([...names, ...workflows].map(name => [name, '# mine\n']));
  const folder = createRepository(t, { ...sampleMonorepo, ...own });
  assert.match(
    await initEnds(folder, '', 3),
    /INIT_NOTHING_WRITTEN: .*deploy\.yml, \.env\.example are yours[\s\S]*init --force render\.yaml/,
  );
});

test('a file of the user’s that says the same as the plan is no reason to fail', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '', 0);
  edit(folder, 'render.yaml', text => text.split('\n').slice(2).join('\n'));
  await initEnds(folder, '', 0);
  await initEnds(folder, '--check', 0);
});

test('check ends with 3 for what is missing or out of date, with the difference', async t => {
  const folder = createRepository(t, sampleMonorepo);
  const missing = await initEnds(folder, '--check', 3);
  assert.match(missing, /^missing +render\.yaml$/m);
  assert.match(missing, /^\+name: deploy production$/m);
  assert.equal(readdirSync(folder).includes('render.yaml'), false);
  await initEnds(folder, '', 0);
  raiseNode(folder);
  const outdated = await initEnds(folder, '--check', 3);
  assert.match(outdated, /^out of date +render\.yaml$/m);
  assert.match(outdated, /^-\s+value: 24\.\S+\n\+\s+value: 26\.\S+$/m);
  assert.match(outdated, /INIT_OUTDATED[\s\S]*fix: run: npx bootlace init$/m);
  const above = await initEnds(dirname(folder), `--check --dir ${basename(folder)}`, 3);
  assert.match(above, new RegExp(`fix: run: npx bootlace init --dir ${basename(folder)}$`, 'm'));
  await initEnds(folder, '', 0);
  await initEnds(folder, '--check', 0);
  rmSync(join(folder, '.env.example'));
  assert.match(await initEnds(folder, '--check', 3), /missing or out of date: \.env\.example/);
});

test('check reports as JSON', async t => {
  const folder = createRepository(t, sampleMonorepo);
  const { code, stdout } = await init(folder, '--check --json');
  const { ok, error } = JSON.parse(stdout);
  assert.deepEqual([code, ok, error.code], [3, false, 'INIT_OUTDATED']);
  assert.equal(error.facts.files[0].state, 'missing');
  await initEnds(folder, '', 0);
  const after = JSON.parse((await init(folder, '--check --json')).stdout);
  assert.deepEqual(
    [after.ok, after.files[0]],
    [true, { path: 'render.yaml', state: 'current', diff: '' }],
  );
});

test('a dry run writes nothing', async t => {
  const folder = createRepository(t, sampleMonorepo);
  const before = snapshot(folder);
  assert.match(await initEnds(folder, '--dry-run', 0), /^would write +render\.yaml$/m);
  const { files } = JSON.parse((await init(folder, '--dry-run --json')).stdout);
  assert.match(files[0].text, /acme-backend-smokebox/);
  assert.equal(files[0].written, false);
  assert.deepEqual(snapshot(folder), before);
});

test('the files remember the flags, and a flag taken out of the first line is gone', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '--docker --ask JWT_SECRET --server-file api.js', 0);
  assert.match(
    read(folder, 'render.yaml'),
    /^# Written by `npx bootlace init --docker --ask JWT_SECRET --server-file api\.js`\./,
  );
  assert.match(read(folder, 'render.yaml'), /- key: JWT_SECRET\n +sync: false/);
  assert.match(read(folder, 'Dockerfile'), /CMD \["node", "api\.js"\]/);
  await initEnds(folder, '--check', 0);
  await initEnds(folder, '', 0);
  edit(folder, 'render.yaml', text => text.replace(' --ask JWT_SECRET', ''));
  assert.match(await initEnds(folder, '--recipe node', 0), /^wrote +render\.yaml$/m);
  assert.match(
    read(folder, 'render.yaml'),
    /^# Written by `npx bootlace init --docker --server-file api\.js`\./,
  );
  assert.match(read(folder, 'render.yaml'), /- key: JWT_SECRET\n +generateValue: true/);
});

const added: [first: string, second: string, words: string][] = [
  [
    '--ask DATABASE_URL --ask JWT_SECRET',
    '--docker',
    '--docker --ask DATABASE_URL --ask JWT_SECRET',
  ],
  ['--ask DATABASE_URL', '--ask JWT_SECRET', '--ask DATABASE_URL --ask JWT_SECRET'],
  ['--server-file api.js', '--server-file start.js', '--server-file start.js'],
  ['--docker', '--package @acme/backend', '--package @acme/backend --docker'],
];
for (const [first, second, words] of added)
  test(`init ${first}, then init ${second}: both count`, async t => {
    const folder = createRepository(t, sampleMonorepo);
    await initEnds(folder, first, 0);
    assert.match(
      await initEnds(folder, second, 0),
      new RegExp(`^kept from line 1 of render\\.yaml: ${first} \\(`, 'm'),
    );
    assert.ok(
      read(folder, 'render.yaml').startsWith(`# Written by \`npx bootlace init ${words}\`.`),
    );
    if (words.includes('DATABASE_URL'))
      assert.doesNotMatch(read(folder, 'render.yaml'), /^databases:/m);
    await initEnds(folder, '--check', 0);
  });

test('flags that came after a file became the user’s count as well', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '--ask DATABASE_URL', 0);
  edit(folder, 'render.yaml', text => text.replace('acme-backend-prod', 'api'));
  await initEnds(folder, '--docker --ask JWT_SECRET', 0);
  assert.match(await initEnds(folder, '', 0), /^in order +Dockerfile$/m);
  assert.match(
    await initEnds(folder, '--server-file api.js', 0),
    /^kept from line 1 of \.github\/workflows\/deploy\.yml: --docker --ask DATABASE_URL --ask JWT_SECRET /m,
  );
});

test('other words in the first line stop init: it does not begin anew', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '--ask DATABASE_URL', 0);
  edit(folder, 'render.yaml', text => text.replace('--ask DATABASE_URL', '--aks DATABASE_URL'));
  const before = snapshot(folder);
  assert.match(await initEnds(folder, '', 3), /INIT_HEAD_INVALID[\s\S]*fix: correct that line/);
  assert.deepEqual(snapshot(folder), before);
});

test('a database that is asked for is none of the Blueprint', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '--ask DATABASE_URL --ask REDIS_URL', 0);
  assert.match(read(folder, 'render.yaml'), /- key: DATABASE_URL\n +sync: false/);
  assert.doesNotMatch(read(folder, 'render.yaml'), /databases:|keyvalue/);
});

test('BACKEND_PACKAGE names the backend, and the files remember it', async t => {
  const folder = createRepository(t, { ...sampleMonorepo, 'apps/other/package.json': other });
  const env = { BACKEND_PACKAGE: '@acme/other' };
  assert.equal((await init(folder, '', env)).code, 0);
  assert.match(
    read(folder, 'render.yaml'),
    /init --package @acme\/other`[\s\S]*name: acme-other-prod/,
  );
  await initEnds(folder, '--check', 0);
  assert.equal((await init(folder, '--check', { BACKEND_PACKAGE: '@acme/backend' })).code, 0);
});

test('a package.json in the output of a build is no package of the repository', async t => {
  const copy = {
    'packages/backend/dist/package.json': monorepo({})['packages/backend/package.json'] as object,
  };
  const folder = createRepository(t, monorepo({ publishConfig: { directory: 'dist' } }, copy));
  await initEnds(folder, '', 0);
  assert.match(
    read(folder, '.github/workflows/publish-backend.yml'),
    /- name: Publish\n +working-directory: packages\/backend\/dist\n/,
  );
});

test('line ends that a checkout changed are no change of the user', async t => {
  const folder = createRepository(t, sampleMonorepo);
  await initEnds(folder, '', 0);
  edit(folder, 'render.yaml', text => text.replaceAll('\n', '\r\n'));
  await initEnds(folder, '--check', 0);
});

test('build.sh is executable, and made so again', async t => {
  const folder = createRepository(t, pythonRepository);
  await initEnds(folder, '--recipe python', 0);
  const file = join(folder, 'backend/build.sh');
  assert.match(read(folder, 'backend/build.sh'), /^#!\/usr\/bin\/env bash\n# Written by /);
  assert.equal(statSync(file).mode & 0o777, 0o755);
  chmodSync(file, 0o644);
  assert.match(await initEnds(folder, '--check', 3), /out of date +backend\/build\.sh/);
  await initEnds(folder, '', 0);
  assert.equal(statSync(file).mode & 0o777, 0o755);
});

test('the variables of the user’s own .env.example are those of a Python service', async t => {
  const example = 'DATABASE_URL=\nexport API_TOKEN=x\n# DEBUG=1\nENVIRONMENT=dev\nPORT=1\n';
  const folder = createRepository(t, { ...pythonRepository, 'backend/.env.example': example });
  await initEnds(folder, '--recipe python', 0);
  const keys = [...read(folder, 'render.yaml').matchAll(/- key: (\w+)\n +(.*)/g)].map(
    ([, ...pair]) => pair,
  );
  assert.deepEqual(keys, [
    ['PYTHON_VERSION', "value: '3.13.5'"],
    ['MIGRATE_IN_BUILD', "value: 'true'"],
    ['DATABASE_URL', 'sync: false'],
    ['API_TOKEN', 'sync: false'],
    ['ENVIRONMENT', 'value: production'],
  ]);
});

test('nothing is written when one place cannot be read', async t => {
  const folder = createRepository(t, sampleMonorepo);
  mkdirSync(join(folder, '.env.example'));
  assert.match(await initEnds(folder, '', 3), /FILE_UNREADABLE[\s\S]*is a folder: move it away/);
  assert.equal(readdirSync(folder).includes('render.yaml'), false);
});

const notes = [
  ['.gitignore has no line .env', { '.gitignore': 'dist\n' }],
  ['@other, not @acme', { '.git/config': 'url = https://github.com/Other/repo.git\n' }],
  ["server.js is the repository's own: setup writes start.js", { 'server.js': 'mine' }],
] as const;
for (const [note, files] of notes)
  test(`says ${note}`, async t => {
    const folder = createRepository(t, { ...sampleMonorepo, ...files });
    assert.ok((await initEnds(folder, '', 0)).includes(note));
    assert.equal(
      read(folder, 'render.yaml').includes('setup --server-file start.js'),
      'server.js' in files,
    );
  });

const undeclared: [backend: object, note: RegExp | undefined][] = [
  [
    {},
    /names no variable and no migration, so that no database and no secret is asked for: write into it for example "bootlace": \{"requires":\["DATABASE_URL","JWT_SECRET"\],"migrate":"node dist\/migrate\.js"\}/,
  ],
  [
    { scripts: { start: 'node a.js', migrate: 'prisma migrate deploy' } },
    /names no variable and no migration.*"JWT_SECRET"\],"migrate":"prisma migrate deploy"\}/,
  ],
  [
    { scripts: { migrate: 'node m.js' }, bootlace: { requires: ['PORT'] } },
    /names no migration: write into it for example "bootlace": \{"migrate":"node m\.js"\}/,
  ],
  [{ bootlace: { requires: [] } }, undefined],
  [{ bootlace: { migrate: 'node m.js' } }, /names no variable, so/],
];
for (const [backend, note] of undeclared)
  test(`says what ${JSON.stringify(backend)} does not declare`, async t => {
    const start = { scripts: { start: 'node a.js' }, bootlace: undefined };
    const folder = createRepository(t, monorepo({ ...start, ...backend }));
    const said = await initEnds(folder, '', 0);
    if (note) assert.match(said, note);
    else assert.doesNotMatch(said, / names no /);
  });

const refusals = [
  ['--recipe rails', 2, 'RECIPE_UNKNOWN', {}],
  ['--ask A-B', 2, 'ASK_INVALID', {}],
  ['--server-file ../a.js', 2, 'SERVER_FILE_INVALID', {}],
  ['--server-file api.js', 3, 'INIT_SERVER_FILE_TAKEN', { 'api.js': 'mine' }],
  ['--force nothing.yaml', 2, 'FORCE_UNKNOWN', {}],
  ['--package @acme/none', 5, 'INIT_NO_BACKEND', {}],
  ['--package acme', 3, 'INIT_PRIVATE', {}],
  ['--dir packages', 2, 'INIT_NOT_AT_TOP', { '.git/config': '' }],
  ['--recipe python', 5, 'INIT_NO_PYTHON', {}],
  ['--recipe docker', 5, 'INIT_NO_SERVICES', {}],
  ['--dir ../empty', 5, 'INIT_NO_BACKEND: there is no package\\.json', { '../empty/a.txt': '' }],
  ['', 5, 'INIT_NO_BACKEND', { 'packages/backend/package.json': { name: 'x' } }],
  [
    '',
    3,
    'INIT_MANY_BACKENDS',
    monorepo({ bootlace: undefined, scripts: other.scripts }, { 'apps/other/package.json': other }),
  ],
  ['', 3, 'INIT_NAME_INVALID', monorepo({ name: "@acme/it's" })],
  ['', 3, 'INIT_NO_REGISTRY', monorepo({ name: 'backend' })],
  [
    '',
    3,
    'INIT_NAME_INVALID',
    {
      ...monorepo({ name: 'x' }),
      'packages/a b/package.json': { ...other, bootlace: { roles: {} } },
      'packages/backend/package.json': {},
    },
  ],
  [
    '',
    3,
    'PACKAGE_CONFIG_INVALID',
    monorepo({ bootlace: { roles: { a: 'a.js' }, schedules: { a: 'daily' } } }),
  ],
  ['', 3, 'PACKAGE_CONFIG_INVALID', monorepo({ bootlace: { schedules: { b: '* * * * *' } } })],
  ['', 3, 'PACKAGE_CONFIG_INVALID', monorepo({ bootlace: { health: 'x y' } })],
] as const;
for (const [line, code, error, files] of refusals)
  test(`refuses ${line || 'a repository'}: ${error}`, async t => {
    const folder = createRepository(t, { ...sampleMonorepo, ...files });
    const before = snapshot(folder);
    assert.match(await initEnds(folder, line, code), new RegExp(`${error}[\\s\\S]*fix: \\S`));
    assert.deepEqual(snapshot(folder), before);
  });
