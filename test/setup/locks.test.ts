import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { hashTree } from '../../src/release/tree';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, cleanEnv, type Ended, temporaryFolder } from '../support/run';

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
type Test = { after(fn: () => unknown): void };

/** A registry with a backend that depends on a range, and a function to publish a newer one. */
async function world(t: Test) {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  registry.publish(
    { name: 'deep', version: '1.0.0', bin: { deep: 'cli.js' } },
    {
      'index.js': 'module.exports = "deep 1.0.0"',
      'cli.js': '#!/usr/bin/env node\n',
      'a.d.ts': 'x',
    },
  );
  registry.publish(
    { name: 'left', version: '1.0.0', dependencies: { deep: '^1.0.0' } },
    { 'index.js': 'module.exports = "left 1.0.0 " + require("deep")', 'README.md': 'long' },
  );
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_VERSION: '1.0.0',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
    [`npm_config_//${registry.url.replace('http://', '')}:_authToken`]: token,
  };
  const manifest = {
    name: '@acme/backend',
    version: '1.0.0',
    main: 'main.js',
    files: ['main.js'],
    dependencies: { left: '^1.0.0' },
  };
  const main = { 'main.js': 'console.log(require("left"))' };
  const newer = () => {
    registry.publish(
      { name: 'deep', version: '1.1.0' },
      { 'index.js': 'module.exports = "newer"' },
    );
    registry.publish(
      { name: 'left', version: '1.2.0', dependencies: { deep: '^1.0.0' } },
      { 'index.js': 'module.exports = "newer"' },
    );
  };
  /** What bootlace lock writes for the backend. */
  const lockOf = async (more: object = {}): Promise<string> => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, ...more }));
    writeFileSync(join(folder, 'main.js'), '');
    for (const name of (more as { bundleDependencies?: string[] }).bundleDependencies ?? []) {
      const inner = join(folder, 'node_modules', name);
      mkdirSync(inner, { recursive: true });
      writeFileSync(join(inner, 'package.json'), JSON.stringify({ name, version: '3.0.0' }));
    }
    const done = await bootlace(['lock'], { cwd: folder, env });
    assert.equal(done.code, 0, done.stderr);
    return readFileSync(join(folder, 'bootlace-lock.json'), 'utf8');
  };
  return { registry, env, manifest, main, newer, lockOf };
}

const ok = (ended: Ended): Ended => {
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  return ended;
};

/** The active release's folder and receipt. */
function active(dir: string) {
  const { active } = JSON.parse(readFileSync(join(dir, '.bootlace/current.json'), 'utf8'));
  const folder = join(dir, '.bootlace/releases', active);
  const receipt = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8'));
  return { folder, receipt, tree: hashTree(join(folder, 'node_modules')) };
}

test('the lock in the package decides, whatever is published in between', async t => {
  const { registry, env, manifest, main, newer, lockOf } = await world(t);
  registry.publish(manifest, { ...main, 'bootlace-lock.json': await lockOf() });
  const first = temporaryFolder(t);
  const said = ok(await bootlace(['setup'], { cwd: first, env }));
  assert.match(said.stdout, /tree: the lock that the package carries/);
  newer();
  const second = temporaryFolder(t);
  ok(await bootlace(['setup'], { cwd: second, env }));
  assert.equal(active(first).receipt.lock.kind, 'package');
  assert.deepEqual(active(second).tree, active(first).tree);
  assert.equal(active(first).receipt.tree.sha256, active(first).tree.sha256);
  const status = ok(await bootlace(['status', '--json', '--verify'], { cwd: second }));
  assert.equal(JSON.parse(status.stdout).lock.kind, 'package');
});

test('a lock that npm resolved is kept: for another Node, for --slim, for a broken release', async t => {
  const { registry, env, manifest, main, newer } = await world(t);
  registry.publish(manifest, main);
  const cwd = temporaryFolder(t);
  const said = ok(await bootlace(['setup'], { cwd, env }));
  const [warning = ''] = said.stderr.split('\n').filter(line => /README\.md#the-lock/.test(line));
  assert.match(warning, /their publisher locked none/);
  assert(warning.length <= 100, warning);
  const before = active(cwd);
  assert.equal(before.receipt.lock.kind, 'resolved');
  newer();
  // As another Node would have left it.
  const foreign = { ...before.receipt, host: { ...before.receipt.host, abi: '1' } };
  writeFileSync(join(before.folder, 'release.json'), JSON.stringify(foreign));
  renameSync(before.folder, join(cwd, '.bootlace/releases/1.0.0-0123456789'));
  ok(await bootlace(['setup'], { cwd, env }));
  assert.equal(active(cwd).receipt.lock.kind, 'kept');
  assert.equal(active(cwd).receipt.lock.sha256, before.receipt.lock.sha256);
  assert.deepEqual(active(cwd).tree, before.tree);
  const slim = ok(await bootlace(['setup', '--slim'], { cwd, env }));
  assert.match(slim.stdout, /slim: left out 2 files/);
  assert.equal(active(cwd).receipt.lock.sha256, before.receipt.lock.sha256);
  assert.deepEqual(active(cwd).receipt.slim, { files: 2, bytes: 5 });
  const status = ok(await bootlace(['status'], { cwd }));
  assert.match(status.stdout, /lock +the lock that an earlier setup kept/);
  assert.match(status.stdout, /slim +left out 2 files/);
  for (const name of readdirSync(join(cwd, '.bootlace/releases')))
    rmSync(join(cwd, '.bootlace/releases', name, 'node_modules/deep'), { recursive: true });
  ok(await bootlace(['setup'], { cwd, env }));
  assert.deepEqual(active(cwd).tree, before.tree);
  assert.equal(existsSync(join(active(cwd).folder, 'node_modules/deep/a.d.ts')), true);
});

test('a lock that npm resolved is not kept for other bytes of the same version', async t => {
  const { registry, env, manifest, main, newer } = await world(t);
  registry.publish(manifest, main);
  const cwd = temporaryFolder(t);
  ok(await bootlace(['setup'], { cwd, env: { ...env, BACKEND_VERSION: 'latest' } }));
  newer();
  registry.publish(manifest, { ...main, 'more.js': '' });
  ok(await bootlace(['setup'], { cwd, env: { ...env, BACKEND_VERSION: 'latest' } }));
  assert.equal(active(cwd).receipt.lock.kind, 'resolved');
  const { version } = JSON.parse(
    readFileSync(join(active(cwd).folder, 'node_modules/left/package.json'), 'utf8'),
  );
  assert.equal(version, '1.2.0');
});

test('a damaged release is installed again from its lock, and stays until then', async t => {
  const { registry, env, manifest, main, newer } = await world(t);
  registry.publish(manifest, main);
  const cwd = temporaryFolder(t);
  ok(await bootlace(['setup'], { cwd, env }));
  const before = active(cwd);
  newer();
  rmSync(join(before.folder, 'node_modules/@acme/backend/main.js'));
  const damaged = active(cwd);
  registry.misbehave({ match: /./, status: 401, body: '{}' });
  const refused = await bootlace(['setup'], { cwd, env });
  assert.equal(refused.code, 4, refused.stderr);
  assert.deepEqual(active(cwd), damaged);
  ok(await bootlace(['status'], { cwd }));
  registry.behave();
  const again = ok(await bootlace(['setup'], { cwd, env }));
  assert.match(again.stdout, /tree: the lock that an earlier setup kept/);
  assert.deepEqual(active(cwd).tree, before.tree);
});

test('--save-lock writes over a lock of its own, and over nothing else', async t => {
  const { registry, env, manifest, main, lockOf } = await world(t);
  registry.publish(manifest, main);
  registry.publish({ name: 'other', version: '1.0.0', main: 'main.js' }, main);
  const cwd = temporaryFolder(t);
  const save = (...words: string[]) => bootlace(['setup', '--save-lock', ...words], { cwd, env });
  ok(await save('l.json'));
  assert.match(ok(await save('l.json')).stdout, /l\.json holds that lock already/);
  const saved = readFileSync(join(cwd, 'l.json'), 'utf8');
  // npm's own, of an app that has the backend among its dependencies or as the only one.
  const others = [
    'notes',
    '',
    '{"lockfileVersion":3,"packages":{}}',
    await lockOf(),
    saved.replace('{', '{ "name": "app",'),
    saved.replaceAll('@acme/backend', 'other'),
  ];
  for (const text of others) {
    writeFileSync(join(cwd, 'package-lock.json'), text);
    const { code, stderr } = await save('package-lock.json');
    assert.equal(code, 3, stderr);
    assert.match(
      stderr,
      /SAVE_LOCK_TAKEN[\s\S]*fix: pass a free name, such as --save-lock backend-lock/,
    );
    assert.equal(readFileSync(join(cwd, 'package-lock.json'), 'utf8'), text);
  }
  // What the fix for a lock that does not fit says can be typed.
  writeFileSync(join(cwd, 'l.json'), saved.replace('"left": "^1.0.0"', '"x": "1"'));
  writeFileSync(
    join(cwd, 'package-lock.json'),
    (await lockOf()).replace('"left": "^1.0.0"', '"x": "1"'),
  );
  for (const file of ['l.json', 'package-lock.json']) {
    const refused = await bootlace(['setup', '--lock', file], { cwd, env });
    const [, words = ''] = /fix: make it again: npx bootlace (.*)/.exec(refused.stderr) ?? [];
    assert.match(words, /^setup --save-lock/, refused.stderr);
    ok(await bootlace(words.split(' '), { cwd, env }));
  }
});

test('--save-lock and --lock carry a tree from folder to folder', async t => {
  const { registry, env, manifest, main, newer } = await world(t);
  registry.publish(manifest, main);
  const first = temporaryFolder(t);
  const saving = ok(await bootlace(['setup', '--save-lock', 'b.lock.json'], { cwd: first, env }));
  assert.match(saving.stdout, /wrote that lock to .*b\.lock\.json/);
  const saved = readFileSync(join(first, 'b.lock.json'), 'utf8');
  newer();
  const second = temporaryFolder(t);
  writeFileSync(join(second, 'b.lock.json'), saved);
  const args = ['setup', '--lock', 'b.lock.json', '--save-lock', 'locks/again.json'];
  const said = ok(await bootlace(args, { cwd: second, env }));
  assert.match(said.stdout, /tree: the lock b\.lock\.json/);
  assert.deepEqual(active(second).tree, active(first).tree);
  assert.equal(readFileSync(join(second, 'locks', 'again.json'), 'utf8'), saved);
  // Pinned, on disk, the same lock: no request. Without the lock: not this tree.
  const before = registry.requests.length;
  const again = ok(await bootlace(args, { cwd: second, env }));
  assert.match(again.stdout, /already on disk/);
  assert.equal(registry.requests.length, before);
  ok(await bootlace(['setup'], { cwd: second, env }));
  assert.equal(active(second).receipt.lock.kind, 'resolved');
  assert.notDeepEqual(active(second).tree, active(first).tree);
});

test('--lock also takes the lock of the backend itself, and npm’s own of a project around it', async t => {
  const { registry, env, manifest, main, newer, lockOf } = await world(t);
  const bare = JSON.parse(await lockOf());
  registry.publish(manifest, main);
  newer();
  for (const more of [
    {},
    { version: '1.0.0', packages: { ...bare.packages, '': { ...manifest } } },
  ]) {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, 'l.json'), JSON.stringify({ ...bare, ...more }));
    ok(await bootlace(['setup', '--lock', 'l.json'], { cwd, env }));
    assert.equal(
      JSON.parse(readFileSync(join(active(cwd).folder, 'node_modules/left/package.json'), 'utf8'))
        .version,
      '1.0.0',
    );
  }
});

for (const installer of ['bootlace', 'npm'])
  test(`the overrides of the project whose npm lock is given count in it, by ${installer}`, async t => {
    const { registry, env, manifest, main } = await world(t);
    registry.publish(manifest, main);
    registry.publish({ name: 'deep', version: '2.0.0' }, { 'index.js': '' });
    const cwd = temporaryFolder(t);
    const project = { dependencies: { '@acme/backend': '1.0.0' }, overrides: { deep: '2.0.0' } };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(project));
    await promisify(execFile)('npm', ['install', '--package-lock-only', '--no-audit'], {
      cwd,
      env: cleanEnv({
        ...env,
        HOME: cwd,
        'npm_config_@acme:registry': registry.url,
      }),
    });
    const args = ['setup', '--installer', installer, '--lock', 'package-lock.json'];
    ok(await bootlace([...args, '--save-lock', 'saved.json'], { cwd, env }));
    const deep = join(active(cwd).folder, 'node_modules/deep/package.json');
    assert.equal(JSON.parse(readFileSync(deep, 'utf8')).version, '2.0.0');
    const other = temporaryFolder(t);
    const saved = join(cwd, 'saved.json');
    ok(await bootlace(['setup', '--installer', installer, '--lock', saved], { cwd: other, env }));
    assert.deepEqual(active(other).tree, active(cwd).tree);
  });

const shapes: [
  name: string,
  more: Record<string, unknown>,
  files: Record<string, string>,
  paths: string[],
][] = [
  ['one range', {}, {}, ['@acme/backend', 'deep', 'left']],
  [
    'an optional package that nobody has',
    { optionalDependencies: { gone: '1' } },
    {},
    ['@acme/backend', 'deep', 'left'],
  ],
  [
    'an older version of the backend in its own tree',
    { dependencies: { left: '^1.0.0', user: '1' } },
    {},
    ['@acme/backend', 'deep', 'left', 'user', 'user/node_modules/@acme/backend'],
  ],
  [
    'an older version of the backend as its own dependency',
    { dependencies: { left: '^1.0.0', '@acme/backend': '0.1.0' } },
    {},
    [
      '@acme/backend',
      '@acme/backend/node_modules/@acme/backend',
      '@acme/backend/node_modules/deep',
      '@acme/backend/node_modules/left',
    ],
  ],
  [
    'a package inside the tarball',
    { dependencies: { left: '^1.0.0', inner: '*' }, bundleDependencies: ['inner'] },
    {
      'node_modules/inner/package.json': '{"name":"inner","version":"3.0.0","bin":"i.js"}',
      'node_modules/inner/i.js': '#!/usr/bin/env node\n',
      'node_modules/inner/stays.md': 'it is the backend’s',
    },
    ['@acme/backend', '@acme/backend/node_modules/inner', 'deep', 'left'],
  ],
  [
    'an alias',
    { dependencies: { other: 'npm:left@^1.0.0' } },
    {},
    ['@acme/backend', 'deep', 'other'],
  ],
];

for (const [name, more, files, paths] of shapes)
  test(`both installers give the same tree: ${name}`, async t => {
    const { registry, env, manifest, main, newer, lockOf } = await world(t);
    registry.publish({ ...manifest, version: '0.1.0', dependencies: {} });
    registry.publish({
      name: 'user',
      version: '1.0.0',
      dependencies: { '@acme/backend': '0.1.0' },
    });
    const lock = await lockOf(more);
    const backend = { ...manifest, ...more };
    registry.publish(backend, { ...main, ...files, 'bootlace-lock.json': lock });
    newer();
    const trees = [];
    const slims = [];
    for (const installer of ['bootlace', 'npm']) {
      const cwd = temporaryFolder(t);
      ok(await bootlace(['setup', '--installer', installer, '--slim'], { cwd, env }));
      slims.push({ tree: active(cwd).tree, saved: active(cwd).receipt.slim });
      ok(await bootlace(['setup', '--installer', installer], { cwd, env }));
      const { tree, receipt, folder } = active(cwd);
      assert.equal(receipt.installer, installer);
      assert.equal(receipt.lock.kind, 'package');
      const project = ['package.json', 'package-lock.json'].map(name =>
        readFileSync(join(folder, name), 'utf8'),
      );
      const found = [...receipt.tree.paths].sort();
      assert.deepEqual(
        found,
        paths.map(path => `node_modules/${path}`),
      );
      trees.push({ tree, project });
    }
    assert.deepEqual(trees[0], trees[1]);
    assert.deepEqual(slims[0], slims[1]);
    assert.equal(slims[0]?.saved.files, 2);
  });

for (const installer of ['bootlace', 'npm'])
  test(`--from a folder with its lock, by ${installer}`, async t => {
    const { env, manifest, newer, lockOf } = await world(t);
    const lock = await lockOf();
    newer();
    const build = temporaryFolder(t);
    const all = { ...manifest, files: ['main.js', 'bootlace-lock.json'] };
    writeFileSync(join(build, 'package.json'), JSON.stringify(all));
    writeFileSync(join(build, 'main.js'), 'console.log(require("left"))');
    writeFileSync(join(build, 'bootlace-lock.json'), lock);
    const cwd = temporaryFolder(t);
    ok(await bootlace(['setup', '--from', build, '--installer', installer], { cwd, env }));
    const { receipt, folder } = active(cwd);
    assert.equal(receipt.lock.kind, 'package');
    assert.deepEqual(receipt.source, { path: build });
    assert.equal(existsSync(join(folder, 'backend.tgz')), false);
    const run = await bootlace(['start'], { cwd });
    assert.equal(run.stdout, 'left 1.0.0 deep 1.0.0\n');
  });

type Change = (
  lock: Record<string, never> & { packages: Record<string, Record<string, unknown>> },
) => unknown;
const set =
  (path: string, key: string, value: unknown): Change =>
  lock => {
    const entry = lock.packages[path];
    if (entry) entry[key] = value;
    return lock;
  };
const bad: [name: string, change: Change, code: string, exitCode: number, fix: RegExp][] = [
  ['not JSON', () => '{', 'LOCK_INVALID', 8, /bootlace lock/],
  ['no packages', () => ({ lockfileVersion: 3 }), 'LOCK_INVALID', 8, /bootlace lock/],
  [
    'an old version',
    lock => ({ ...lock, lockfileVersion: 1 }),
    'LOCK_VERSION',
    8,
    /npm 7 or later/,
  ],
  [
    'no checksum',
    set('node_modules/left', 'integrity', undefined),
    'LOCK_NO_INTEGRITY',
    8,
    /bootlace lock/,
  ],
  [
    'another checksum',
    set('node_modules/left', 'integrity', `sha512-${'A'.repeat(86)}==`),
    'INTEGRITY_MISMATCH',
    6,
    /./,
  ],
  ['a link', set('node_modules/left', 'link', true), 'LOCK_LINK', 8, /published version/],
  [
    'a git address',
    set('node_modules/left', 'resolved', 'git+ssh://git@example.com/a.git'),
    'LOCK_PROTOCOL',
    8,
    /published version/,
  ],
  [
    'a file address',
    set('node_modules/left', 'resolved', 'file:../../etc'),
    'LOCK_PROTOCOL',
    8,
    /published version/,
  ],
  [
    'made for another package.json',
    set('', 'dependencies', { left: '3.0.0' }),
    'LOCK_STALE',
    8,
    /publish a new version/,
  ],
  [
    'an entry without an end',
    lock =>
      JSON.stringify(set('node_modules/left', 'license', '@')(lock)).replace(
        '"@"',
        '['.repeat(20_000) + ']'.repeat(20_000),
      ),
    'LOCK_INVALID',
    8,
    /bootlace lock/,
  ],
  [
    'what is needed, for another system and called optional',
    lock =>
      set('node_modules/left', 'os', ['aix'])(
        set('node_modules/left', 'optional', true)(lock) as typeof lock,
      ),
    'BAD_PLATFORM',
    8,
    /optionalDependency/,
  ],
  [
    'a path that leaves',
    lock => ({
      ...lock,
      packages: { ...lock.packages, 'node_modules/../../evil': lock.packages['node_modules/left'] },
    }),
    'LOCK_INVALID',
    8,
    /bootlace lock/,
  ],
  [
    'a missing dependency',
    lock => ({ ...lock, packages: { '': lock.packages[''] } }),
    'LOCK_STALE',
    8,
    /publish a new version/,
  ],
  [
    'another address on the registry that does not exist',
    set('node_modules/left', 'resolved', 'http://127.0.0.1:1/left.tgz'),
    'REGISTRY_UNREACHABLE',
    7,
    /./,
  ],
];

test('a bad lock stops the setup, and nothing is activated', async t => {
  const { registry, env, manifest, main, lockOf } = await world(t);
  const good = await lockOf();
  for (const [i, [name, change, code, exitCode, fix]] of bad.entries()) {
    if (code === 'REGISTRY_UNREACHABLE') continue; // it retries for a minute
    const changed = change(JSON.parse(good));
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed);
    const version = `2.0.${i}`;
    registry.publish({ ...manifest, version }, { ...main, 'bootlace-lock.json': text });
    const cwd = temporaryFolder(t);
    const ended = await bootlace(['setup', '--json'], {
      cwd,
      env: { ...env, BACKEND_VERSION: version },
    });
    const { error } = JSON.parse(ended.stdout);
    assert.equal(error.code, code, `${name}: ${ended.stdout}`);
    assert.equal(ended.code, exitCode, name);
    assert.match(error.fix, fix, name);
    assert.equal(existsSync(join(cwd, '.bootlace/current.json')), false, name);
    assert.equal(existsSync(join(cwd, 'server.js')), false, name);
    assert.deepEqual(
      existsSync(join(cwd, '.bootlace/releases'))
        ? readdirSync(join(cwd, '.bootlace/releases'))
        : [],
      [],
      name,
    );
  }
});

test('a lock file that is missing, or belongs to something else', async t => {
  const { registry, env, manifest, main } = await world(t);
  registry.publish(manifest, main);
  registry.publish({ ...manifest, version: '1.1.0' }, main);
  const cwd = temporaryFolder(t);
  ok(await bootlace(['setup', '--save-lock', 'l.json'], { cwd, env }));
  const failures: [args: string[], env: object, code: string, exitCode: number][] = [
    [['--lock', 'none.json'], {}, 'LOCK_FILE_MISSING', 3],
    [['--lock', 'l.json'], { BACKEND_VERSION: '1.1.0' }, 'LOCK_OTHER_VERSION', 3],
    [['--installer', 'yarn'], {}, 'INSTALLER_INVALID', 3],
    [[], { BACKEND_SLIM: 'perhaps' }, 'SWITCH_INVALID', 3],
  ];
  for (const [args, more, code, exitCode] of failures) {
    const ended = await bootlace(['setup', '--json', ...args], { cwd, env: { ...env, ...more } });
    assert.equal(JSON.parse(ended.stdout).error.code, code, ended.stdout);
    assert.equal(ended.code, exitCode);
    assert.equal(active(cwd).receipt.version, '1.0.0');
  }
});
