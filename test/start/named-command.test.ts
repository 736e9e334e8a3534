import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { migrateCommand, publisherProblems, roleEntry } from '../../src/start/plan/named-command';
import { FakeRegistry } from '../support/fake-registry';
import { writeInstalled } from '../support/installed';
import { launchable, sourceOf, wholeFile } from '../support/launched';
import { bootlace, runNode, temporaryFolder } from '../support/run';

const json = { name: '@acme/backend', bin: { tidy: 'dist/tidy.js', gone: 'dist/gone.js' } };
const files = ['dist/main.js', 'dist/tidy.js', 'dist/index.js', 'migrate.js'];
const find = (path: string) =>
  [path, `${path}.js`, `${path}/index.js`].find(each => files.includes(each));

suite('a role', () => {
  const rows: [text: string, file: string, args: string[], flags?: string[]][] = [
    ['dist/main.js', 'dist/main.js', []],
    ['dist/main --queue mail', 'dist/main.js', ['--queue', 'mail']],
    ['tidy --all', 'dist/tidy.js', ['--all']],
    ['node dist/main.js a', 'dist/main.js', ['a']],
    ['node --enable-source-maps dist', 'dist/index.js', [], ['--enable-source-maps']],
  ];
  for (const [text, file, args, flags = []] of rows)
    test(text, () => {
      const entry = roleEntry(json, 'worker', text, find);
      assert.deepEqual(entry, {
        file,
        why: 'role worker',
        env: [],
        flags: flags.map(flag => [flag]),
        args: args.map(arg => [arg]),
        unused: [],
      });
    });
  for (const [text, message] of [
    ['dist/nope.js', /^the role worker names "dist\/nope.js", and @acme\/backend holds no such/],
    ['node dist/nope.js', /^the role worker names "dist\/nope.js"/],
    ['gone', /^the role worker names "gone"/],
    ['dist/main.js && tidy', /^the role worker needs a shell/],
    ['$ENTRY', /^the role worker needs a shell/],
  ] as const)
    test(`${text} is refused`, () => {
      assert.throws(
        () => roleEntry(json, 'worker', text, find),
        (error: { code: string; message: string; facts: { path: string }; fix: string }) => {
          assert.equal(error.code, 'ENTRY_NOT_FOUND');
          assert.match(error.message, message);
          assert.equal(error.facts.path, 'bootlace.roles.worker');
          assert.match(error.fix, /publish/);
          return true;
        },
      );
    });
});

suite('a migrate command', () => {
  const hasBin = (name: string) => name === 'prisma';
  const rows: [text: string, command: object][] = [
    ['migrate.js', { file: 'migrate.js', args: [] }],
    ['migrate', { file: 'migrate.js', args: [] }],
    ['node migrate.js up', { file: 'migrate.js', args: [['up']] }],
    ['prisma migrate deploy', { bin: 'prisma', args: [['migrate'], ['deploy']] }],
    ['tidy --all', { bin: 'tidy', args: [['--all']] }],
  ];
  for (const [text, command] of rows)
    test(text, () => assert.deepEqual(migrateCommand(json, text, find, hasBin), command));
  for (const [text, code] of [
    ['knex migrate:latest', 'BIN_NOT_FOUND'],
    ['node dist/nope.js', 'BIN_NOT_FOUND'],
    ['../migrate.js', 'BIN_NOT_FOUND'],
    ['prisma migrate deploy && node migrate.js', 'MIGRATE_COMMAND_INVALID'],
    ['NODE_ENV=production node migrate.js', 'MIGRATE_COMMAND_INVALID'],
    ['node -e 1', 'MIGRATE_COMMAND_INVALID'],
  ] as const)
    test(`${text} is refused`, () =>
      assert.throws(() => migrateCommand(json, text, find, hasBin), { code }));
  test('a bin is accepted where nothing says which bins there are', () =>
    assert.deepEqual(
      migrateCommand(json, 'knex', find, () => undefined),
      { bin: 'knex', args: [] },
    ));
});

test('every problem is named, not the first alone', () => {
  const bootlace = { roles: { a: 'x.js', b: 'y.js', c: 'migrate.js' }, migrate: 'node z.js' };
  const paths = publisherProblems({ ...json, bootlace }, find, () => false).map(
    ({ facts }) => facts.path,
  );
  assert.deepEqual(paths, ['bootlace.roles.a', 'bootlace.roles.b', 'bootlace.migrate']);
});

const built = {
  'dist/main.js': 'console.log("web")',
  'dist/worker.js': 'console.log("worker", process.argv.slice(2).join())',
  'dist/migrate.js': 'console.log("migrated", process.argv.slice(2).join())',
};

for (const migrate of ['dist/migrate.js up', 'node dist/migrate.js up'])
  test(`bootlace migrate runs ${migrate}`, async () => {
    const cwd = await launchable(wholeFile, built, { bootlace: { migrate } });
    const { stdout, stderr } = await bootlace(['migrate', '--', 'x'], { cwd });
    assert.equal(stdout, 'migrated up,x\n', stderr);
  });

test('a role with node FILE', async () => {
  const bootlace = { roles: { web: 'dist/main.js', worker: 'node dist/worker.js --queue' } };
  const cwd = await launchable(wholeFile, built, { bootlace });
  const { stdout } = await runNode(join(cwd, 'server.js'), ['worker'], { cwd });
  assert.equal(stdout, 'worker --queue\n');
});

suite('what cannot be started is refused before the moment of the migration', () => {
  const cases: [bootlace: object, shape: boolean, says: RegExp][] = [
    [{ migrate: 'a | b' }, true, /MIGRATE_COMMAND_INVALID: the migrate command "a \| b" needs/],
    [{ roles: { worker: '$X' } }, true, /ENTRY_NOT_FOUND: the role worker needs a shell/],
    [{ migrate: 'node dist/gone.js' }, false, /BIN_NOT_FOUND: .*"dist\/gone.js"/],
    [{ roles: { worker: 'dist/gone.js' } }, false, /ENTRY_NOT_FOUND: the role worker names/],
  ];
  for (const [object, isShape, says] of cases)
    test(JSON.stringify(object), async t => {
      const source = sourceOf(t, built, { bootlace: object });
      const lock = await bootlace(['lock'], { cwd: source });
      if (isShape) assert.match(lock.stderr, says);
      else assert.equal(lock.code, 0, lock.stderr);
      const checked = await bootlace(['lock', '--check'], { cwd: source });
      assert.match(checked.stderr, says);
      const cwd = temporaryFolder(t);
      const setup = await bootlace(['setup', '--from', source], { cwd });
      assert.match(setup.stderr, says);
      assert.notEqual(setup.code, 0);
    });

  test('doctor finds it in what is installed', async t => {
    const registry = await FakeRegistry.start();
    t.after(() => registry.close());
    const env = { npm_config_registry: registry.url };
    const dir = temporaryFolder(t);
    const packageJson = { main: 'dist/main.js', bootlace: { roles: { worker: 'dist/worker.js' } } };
    writeInstalled(dir, { packageJson, files: built });
    const doctor = () => bootlace(['doctor', '--package', 'backend'], { cwd: dir, env });
    assert.match((await doctor()).stdout, /ok +release/);
    const broken = { ...packageJson, bootlace: { migrate: 'node dist/gone.js' } };
    writeInstalled(dir, { packageJson: broken, files: built });
    assert.match((await doctor()).stdout, /fail +release +BIN_NOT_FOUND.*"dist\/gone.js"/);
  });
});
