import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, cleanEnv, type Ended, temporaryFolder } from '../support/run';

type Test = { after(fn: () => unknown): void };

async function world(t: Test) {
  const registry = await FakeRegistry.start({ redirectTarballs: false });
  t.after(() => registry.close());
  registry.publish({ name: 'a', version: '1.0.0', dependencies: { b: '^1.0.0' } });
  registry.publish({ name: 'b', version: '1.0.0' });
  registry.publish({ name: 'peer', version: '1.0.0' });
  registry.publish({ name: 'linux-only', version: '1.0.0', os: ['linux'] });
  registry.publish({ name: 'darwin-only', version: '1.0.0', os: ['darwin'] });
  registry.publish({ name: 'tool', version: '1.0.0', dependencies: { b: '*' } });
  const env = { npm_config_registry: registry.url };
  const newer = () => {
    registry.publish({ name: 'a', version: '1.1.0', dependencies: { b: '^1.0.0' } });
    registry.publish({ name: 'b', version: '1.9.0' });
  };
  return { registry, env, newer };
}

const manifest = {
  name: '@acme/backend',
  version: '1.0.0',
  main: 'main.js',
  files: ['main.js'],
  dependencies: { a: '^1.0.0' },
  optionalDependencies: { 'linux-only': '1', 'darwin-only': '1', 'not-there': '1' },
  peerDependencies: { peer: '^1.0.0' },
  devDependencies: { tool: '*' },
};

function project(t: Test, more: object = {}, folder = temporaryFolder(t)): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, ...more }, null, 4));
  writeFileSync(join(folder, 'main.js'), '');
  return folder;
}

const read = (folder: string) => readFileSync(join(folder, 'bootlace-lock.json'), 'utf8');
const packagesOf = (folder: string) =>
  JSON.parse(read(folder)).packages as Record<string, Record<string, string>>;
const ok = (ended: Ended): Ended => {
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  return ended;
};

test('all platforms and peers, no development; each entry with its address and checksum', async t => {
  const { registry, env } = await world(t);
  const cwd = project(t);
  const said = ok(await bootlace(['lock'], { cwd, env }));
  assert.match(said.stdout, /every version was chosen now/);
  const packages = packagesOf(cwd);
  assert.deepEqual(Object.keys(packages), [
    '',
    'node_modules/a',
    'node_modules/b',
    'node_modules/darwin-only',
    'node_modules/linux-only',
    'node_modules/peer',
  ]);
  assert.equal('version' in (packages[''] ?? {}), false);
  for (const [path, entry] of Object.entries(packages).slice(1)) {
    assert.match(entry.resolved ?? '', new RegExp(`^${registry.url}download/`), path);
    assert.match(entry.integrity ?? '', /^sha512-/, path);
  }
  const text = readFileSync(join(cwd, 'package.json'), 'utf8');
  const changed = { ...manifest, files: ['main.js', 'bootlace-lock.json'] };
  assert.equal(text, JSON.stringify(changed, null, 4));
  assert.deepEqual(readdirSync(cwd).sort(), ['bootlace-lock.json', 'main.js', 'package.json']);
  ok(await bootlace(['lock', '--check'], { cwd, env }));
});

test('the same input gives the same bytes, and what is locked stays until --fresh', async t => {
  const { env, newer } = await world(t);
  const cwd = project(t);
  ok(await bootlace(['lock'], { cwd, env }));
  const first = read(cwd);
  const twin = project(t);
  ok(await bootlace(['lock'], { cwd: twin, env }));
  assert.equal(read(twin), first);
  newer();
  const before = statSync(join(cwd, 'bootlace-lock.json')).mtimeMs;
  const said = ok(await bootlace(['lock'], { cwd, env }));
  assert.match(said.stdout, /nothing changed/);
  assert.equal(read(cwd), first);
  assert.equal(statSync(join(cwd, 'bootlace-lock.json')).mtimeMs, before);
  ok(await bootlace(['lock', '--fresh'], { cwd, env }));
  assert.equal(packagesOf(cwd)['node_modules/a']?.version, '1.1.0');
});

test('a dependency that is raised past what others need gets a place of its own', async t => {
  const { registry, env } = await world(t);
  registry.publish({ name: 'b', version: '2.0.0' });
  const cwd = project(t, { dependencies: { a: '^1.0.0', b: '1.0.0' } });
  ok(await bootlace(['lock'], { cwd, env }));
  project(t, { dependencies: { a: '^1.0.0', b: '2.0.0' } }, cwd);
  ok(await bootlace(['lock'], { cwd, env }));
  ok(await bootlace(['lock', '--check'], { cwd, env }));
  const versions = Object.entries(packagesOf(cwd))
    .filter(([path]) => path.endsWith('node_modules/b'))
    .map(([path, { version }]) => `${path} ${version}`);
  assert.deepEqual(versions, [
    'node_modules/@acme/backend/node_modules/b 2.0.0',
    'node_modules/b 1.0.0',
  ]);
  const host = temporaryFolder(t);
  ok(await bootlace(['setup', '--from', cwd], { cwd: host, env }));
  const [release = ''] = readdirSync(join(host, '.bootlace', 'releases'));
  const tree = join(host, '.bootlace', 'releases', release, 'node_modules');
  const versionIn = (path: string) =>
    JSON.parse(readFileSync(join(tree, path, 'package.json'), 'utf8')).version;
  assert.deepEqual([versionIn('b'), versionIn('@acme/backend/node_modules/b')], ['1.0.0', '2.0.0']);
});

for (const leavesOut of [false, true])
  test(`the versions that npm's own lock tested stay, ${leavesOut ? 'without' : 'with'} addresses in it`, async t => {
    const { registry, env, newer } = await world(t);
    const cwd = project(t);
    await promisify(execFile)('npm', ['install', '--package-lock-only', '--no-audit'], {
      cwd,
      env: cleanEnv({
        ...env,
        HOME: cwd,
        npm_config_omit_lockfile_registry_resolved: String(leavesOut),
      }),
    });
    assert.equal(
      readFileSync(join(cwd, 'package-lock.json'), 'utf8').includes('"resolved"'),
      !leavesOut,
    );
    newer();
    const said = ok(await bootlace(['lock'], { cwd, env }));
    assert.match(said.stdout, /versions kept from .*package-lock\.json/);
    const packages = packagesOf(cwd);
    assert.equal(packages['node_modules/a']?.version, '1.0.0');
    assert.equal(packages['node_modules/b']?.version, '1.0.0');
    assert.equal('node_modules/tool' in packages, false);
    for (const [path, entry] of Object.entries(packages).slice(1))
      assert.match(entry.resolved ?? '', new RegExp(`^${registry.url}download/`), path);
  });

test('an address that is signed for an hour or holds a password is written without it', async t => {
  const { registry, env } = await world(t);
  registry.patch('b', '1.0.0', ({ dist }) => {
    dist.tarball = `${String(dist.tarball).replace('//', '//user:secret@')}?sig=secret#x`;
  });
  const cwd = project(t);
  ok(await bootlace(['lock'], { cwd, env }));
  assert.equal(read(cwd).includes('secret'), false);
  assert.match(packagesOf(cwd)['node_modules/b']?.resolved ?? '', /\/download\/b\/1\.0\.0\/\w+$/);
});

test('a dependency of a dependency from git is refused with its fix', async t => {
  const { registry, env } = await world(t);
  const cwd = project(t, { dependencies: { c: '1' } });
  registry.publish({
    name: 'c',
    version: '1.0.0',
    dependencies: { b: 'git+http://127.0.0.1:1/b.git' },
  });
  const ended = await bootlace(['lock'], { cwd, env });
  assert.notEqual(ended.code, 0);
  assert.match(ended.stderr, /fix: /);
  assert.equal(existsSync(join(cwd, 'bootlace-lock.json')), false);
});

const stale: [name: string, change: object, code: number, says: RegExp][] = [
  ['nothing', {}, 0, /fits/],
  ['the version', { version: '9.0.0' }, 0, /fits/],
  ['a development dependency', { devDependencies: {} }, 0, /fits/],
  [
    'another range',
    { dependencies: { a: '^2.0.0' } },
    3,
    /a is \^1\.0\.0 in the lock and \^2\.0\.0 in package\.json/,
  ],
  [
    'an override below',
    { overrides: { b: '9.0.0' } },
    3,
    /b is not in the lock as it is asked for/,
  ],
  [
    'one more',
    { dependencies: { a: '1', c: '1' } },
    3,
    /c is missing in the lock and 1 in package\.json/,
  ],
  ['one less', { dependencies: {} }, 3, /a is \S+ in the lock and missing in package\.json/],
  [
    'one more optional',
    { optionalDependencies: { o: '1' } },
    3,
    /o is missing in the lock and 1 in package\.json/,
  ],
  ['a workspace', { dependencies: { a: 'workspace:*' } }, 3, /cannot be locked/],
];

test('--check says whether the lock fits, asks nobody and writes nothing', async t => {
  const { registry, env } = await world(t);
  const cwd = project(t);
  const missing = await bootlace(['lock', '--check'], { cwd, env });
  assert.equal(missing.code, 3);
  assert.match(
    missing.stderr,
    /LOCK_STALE.*there is no bootlace-lock\.json[\s\S]*fix: run: npx bootlace lock\n/,
  );
  const above = await bootlace(['lock', basename(cwd), '--check'], { cwd: dirname(cwd), env });
  assert.match(above.stderr, new RegExp(`fix: run: npx bootlace lock ${basename(cwd)}\n`));
  ok(await bootlace(['lock'], { cwd, env }));
  const before = registry.requests.length;
  for (const [name, change, code, says] of stale) {
    project(t, { files: undefined, ...change }, cwd);
    const ended = await bootlace(['lock', '--check'], { cwd, env });
    assert.equal(ended.code, code, `${name}: ${ended.stderr}`);
    assert.match(ended.stdout + ended.stderr, says, name);
  }
  assert.equal(registry.requests.length, before);
});

type Packages = Record<string, Record<string, unknown>>;
/** An array nested so deep that writing it again fails. */
const deep = '['.repeat(20_000) + ']'.repeat(20_000);
const refused: [name: string, change: (packages: Packages) => unknown, says: RegExp][] = [
  ['a version that is no text', p => set(p, { version: 5 }), /a version that is no text/],
  ['a system that is none', p => set(p, { os: [5] }), /an? os that is no list of names/],
  ['an address on this machine', p => set(p, { resolved: 'file:a.tgz' }), /which is no registry/],
  [
    'no folder around it',
    p => Object.assign(p, { 'node_modules/x/node_modules/y': { inBundle: true } }),
    /does not name/,
  ],
  ['a root that is a list', p => Object.assign(p, { '': [] }), /is not an object/],
  ['a license without an end', p => set(p, { license: '@' }), /nested too deep/],
];
const set = (packages: Packages, more: object) =>
  Object.assign(packages['node_modules/a'] ?? {}, more);

test('--check refuses what setup refuses, and lock makes it again', async t => {
  const { env } = await world(t);
  const cwd = project(t);
  ok(await bootlace(['lock'], { cwd, env }));
  const good = read(cwd);
  for (const [name, change, says] of refused) {
    const lock = JSON.parse(good);
    change(lock.packages);
    const text = JSON.stringify(lock).replace('"@"', deep);
    writeFileSync(join(cwd, 'bootlace-lock.json'), text);
    const ended = await bootlace(['lock', '--check'], { cwd, env });
    assert.equal(ended.code, 3, `${name}: ${ended.stderr}`);
    assert.match(ended.stderr, /LOCK_STALE[\s\S]*fix: run: npx bootlace lock/, name);
    assert.match(ended.stderr, says, name);
  }
  ok(await bootlace(['lock'], { cwd, env }));
  assert.equal(read(cwd), good);
});

test('--check is not content with a lock that "files" leaves out', async t => {
  const { env } = await world(t);
  const cwd = project(t);
  ok(await bootlace(['lock'], { cwd, env }));
  project(t, { files: ['main.js'] }, cwd);
  const ended = await bootlace(['lock', '--check'], { cwd, env });
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /"files" of package\.json leaves bootlace-lock\.json out/);
  ok(await bootlace(['lock'], { cwd, env }));
  ok(await bootlace(['lock', '--check'], { cwd, env }));
});

test('in a workspace only the package itself is locked, with the versions of the lock around it', async t => {
  const { env, newer } = await world(t);
  const top = temporaryFolder(t);
  mkdirSync(join(top, '.git'));
  writeFileSync(
    join(top, 'package.json'),
    JSON.stringify({
      name: 'top',
      private: true,
      workspaces: ['packages/*'],
      dependencies: { tool: '1' },
    }),
  );
  writeFileSync(join(top, '.npmrc'), `registry=${env.npm_config_registry}\n`);
  const folder = project(t, {}, join(top, 'packages/backend'));
  project(t, { name: 'other', dependencies: {} }, join(top, 'packages/other'));
  await promisify(execFile)('npm', ['install', '--package-lock-only', '--no-audit'], {
    cwd: top,
    env: cleanEnv({ ...env, HOME: top }),
  });
  newer();
  // The registry is only named in the workspace's .npmrc.
  const said = ok(await bootlace(['lock', 'packages/backend'], { cwd: top }));
  assert.match(said.stdout, /versions kept from .*package-lock\.json/);
  const packages = packagesOf(folder);
  assert.equal(packages['node_modules/a']?.version, '1.0.0');
  assert.deepEqual(
    Object.keys(packages).filter(path => /tool|backend|other/.test(path)),
    [],
  );
  assert.equal(existsSync(join(folder, 'package-lock.json')), false);
  assert.equal(existsSync(join(folder, 'node_modules')), false);
  ok(await bootlace(['lock', '--check', '--dir', 'packages/backend'], { cwd: top }));
});

/** A workspace with a backend and a sibling, and what its root's package.json says besides. */
function workspaceOf(t: Test, root: object, backend: object = {}): { top: string; folder: string } {
  const top = temporaryFolder(t);
  mkdirSync(join(top, '.git'));
  const workspaces = { packages: ['packages/*', '!packages/old'] };
  writeFileSync(
    join(top, 'package.json'),
    JSON.stringify({ name: 'top', private: true, workspaces, ...root }),
  );
  const plain = { optionalDependencies: {}, peerDependencies: {} };
  const folder = project(t, { ...plain, ...backend }, join(top, 'packages/backend'));
  project(t, { name: '@acme/shared', dependencies: {} }, join(top, 'packages/shared'));
  project(t, { name: 'old', dependencies: {} }, join(top, 'packages/old'));
  return { top, folder };
}

test("a workspace root's overrides are locked for its member, and the host goes by the lock", async t => {
  const { registry, env } = await world(t);
  for (const version of ['7.0.0', '7.5.0', '8.0.0']) registry.publish({ name: 'b', version });
  const root = { devDependencies: { b: '7.5.0' }, overrides: { b: '$b' } };
  const { top, folder } = workspaceOf(t, root, { overrides: { a: '^1.0.0' } });
  ok(await bootlace(['lock', 'packages/backend'], { cwd: top, env }));
  assert.equal(packagesOf(folder)['node_modules/b']?.version, '7.5.0');
  const first = read(folder);
  ok(await bootlace(['lock'], { cwd: folder, env }));
  assert.equal(read(folder), first);
  ok(await bootlace(['lock', '--check'], { cwd: folder, env }));
  const alone = temporaryFolder(t);
  cpSync(folder, alone, { recursive: true });
  ok(await bootlace(['lock', '--check'], { cwd: alone, env }));
  const trees = [];
  for (const installer of ['bootlace', 'npm']) {
    const host = temporaryFolder(t);
    const args = ['setup', '--from', folder, '--installer', installer];
    ok(await bootlace([...args, '--save-lock', 'saved.json'], { cwd: host, env }));
    const other = temporaryFolder(t);
    cpSync(join(host, 'saved.json'), join(other, 'saved.json'));
    ok(await bootlace([...args, '--lock', 'saved.json'], { cwd: other, env }));
    for (const cwd of [host, other]) {
      const { active } = JSON.parse(readFileSync(join(cwd, '.bootlace/current.json'), 'utf8'));
      const release = join(cwd, '.bootlace/releases', active);
      trees.push(readFileSync(join(release, 'node_modules/b/package.json'), 'utf8'));
    }
  }
  assert.match(trees[0] ?? '', /7\.5\.0/);
  assert.equal(new Set(trees).size, 1);
  const changed = { ...JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) };
  for (const overrides of [undefined, { b: '8.0.0' }]) {
    writeFileSync(join(top, 'package.json'), JSON.stringify({ ...changed, overrides }));
    const ended = await bootlace(['lock', '--check'], { cwd: folder, env });
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /LOCK_STALE.*b is not in the lock as it is asked for/);
  }
});

for (const [what, root, own, says] of [
  [
    'yarn resolutions',
    { resolutions: { b: '1.0.0' } },
    {},
    /"resolutions" in .*package\.json do not/,
  ],
  [
    'pnpm.overrides',
    {},
    { pnpm: { overrides: { b: '1' } } },
    /"pnpm\.overrides" in .*backend.*"over/,
  ],
  ['both', { resolutions: { b: '1' }, overrides: { b: '1.0.0' } }, {}, undefined],
] as const)
  test(`what npm does not honour is said: ${what}`, async t => {
    const { env } = await world(t);
    const { folder } = workspaceOf(t, root, own);
    const { stderr } = ok(await bootlace(['lock'], { cwd: folder, env }));
    if (says) assert.match(stderr, says);
    else assert.doesNotMatch(stderr, /do not count/);
  });

test('a sibling of the workspace that is not published is named with its fix', async t => {
  const { registry, env } = await world(t);
  const { folder } = workspaceOf(t, {}, { dependencies: { '@acme/shared': '^2.0.0' } });
  for (const code of ['DEPENDENCY_NOT_FOUND', 'DEPENDENCY_VERSION_NOT_FOUND']) {
    const ended = await bootlace(['lock'], { cwd: folder, env });
    assert.equal(ended.code, 5);
    assert.match(
      ended.stderr,
      new RegExp(`${code}.*@acme/shared is packages/shared of the workspace`),
    );
    assert.match(ended.stderr, /fix: publish @acme\/shared and depend on its version,\s+or bundle/);
    registry.publish({ name: '@acme/shared', version: '1.0.0' });
  }
});

test('a sibling that the registry refuses may be unpublished', async t => {
  const registry = await FakeRegistry.start({ tokens: {} });
  t.after(() => registry.close());
  const env = { npm_config_registry: registry.url };
  const { folder } = workspaceOf(t, {}, { dependencies: { '@acme/shared': '^2.0.0' } });
  const ended = await bootlace(['lock'], { cwd: folder, env });
  assert.equal(ended.code, 4);
  assert.match(
    ended.stderr,
    /DEPENDENCY_NO_ACCESS.*@acme\/shared is packages\/shared of the workspace/,
  );
});

test('a private sibling is refused without asking a registry', async t => {
  const { folder, top } = workspaceOf(t, {}, { dependencies: { '@acme/shared': '1.0.0' } });
  project(t, { name: '@acme/shared', private: true }, join(top, 'packages/shared'));
  const cwd = folder;
  const locked = await bootlace(['lock'], { cwd });
  assert.match(
    locked.stderr,
    /LOCK_DEPENDENCY: @acme\/shared@1\.0\.0 \(packages\/shared of the workspace, which is private\) cannot/,
  );
  const checked = await bootlace(['check'], { cwd });
  assert.equal(checked.code, 3);
  assert.match(
    checked.stdout,
    /DEPENDENCY_LOCAL dependencies\.@acme\/shared: .*packages\/shared of the workspace[\s\S]*fix: bundle its code.*remove "private" from packages\/shared\/package\.json/,
  );
});

test('check names the folder whose lock is missing', async t => {
  const { env } = await world(t);
  const { top } = workspaceOf(t, {});
  const { stdout } = await bootlace(['check', 'packages/backend'], { cwd: top });
  const [, fix = ''] = /LOCK_NONE.*\n {2}fix: run: npx bootlace (.*), then/.exec(stdout) ?? [];
  ok(await bootlace(fix.split(' '), { cwd: top, env }));
  assert.equal(existsSync(join(top, 'packages/backend/bootlace-lock.json')), true);
});

test('the root of a workspace that needs nothing itself is not what is locked', async t => {
  const { env } = await world(t);
  const { top } = workspaceOf(t, { name: undefined });
  // Private, and first by its name only.
  const lib = { name: '@acme/a', private: true, scripts: { start: 'node main.js' } };
  project(t, lib, join(top, 'packages/a'));
  const ended = await bootlace(['lock'], { cwd: top, env });
  assert.equal(ended.code, 3);
  assert.match(
    ended.stderr,
    /LOCK_WORKSPACE_ROOT.*packages\/backend, packages\/shared, packages\/a and/,
  );
  const [, fix = ''] = /npx bootlace (lock \S+\/packages\/backend)$/m.exec(ended.stderr) ?? [];
  ok(await bootlace(fix.split(' '), { cwd: temporaryFolder(t), env }));
  assert.equal(existsSync(join(top, 'bootlace-lock.json')), false);
});

const notPackages: [name: string, file: string, text: string, code: RegExp][] = [
  [
    'a file for the folder',
    'package.json',
    '{}',
    /LOCK_NO_PACKAGE[\s\S]*fix: name its folder: .*lock \//,
  ],
  ['a folder in a file', 'package.json/x', '{}', /LOCK_NO_PACKAGE.*there is no package\.json in/],
  [
    'a version that is no text',
    '.',
    '{"name":"x","dependencies":{"a":5}}',
    /LOCK_DEPENDENCY.*a@5[\s\S]*fix: write the version of a in quotes/,
  ],
  ['a package.json that is null', '.', 'null', /CONFIG_INVALID.*is not a JSON object/],
  ['a package.json that is a list', '.', '[]', /CONFIG_INVALID.*is not a JSON object/],
];
for (const [name, folder, text, code] of notPackages)
  test(`refused with its fix: ${name}`, async t => {
    const cwd = temporaryFolder(t);
    writeFileSync(join(cwd, 'package.json'), text);
    for (const args of [
      ['lock', folder],
      ['lock', '--dir', join(cwd, folder)],
    ]) {
      const ended = await bootlace(args, { cwd });
      assert.equal(ended.code, 3, ended.stderr);
      assert.match(ended.stderr, code);
    }
  });

for (const [tool, file, text] of [
  ['pnpm', 'pnpm-workspace.yaml', 'packages:\n  - packages/*\n'],
  ['yarn', 'yarn.lock', '# yarn lockfile v1\n'],
] as const)
  test(`in a ${tool} monorepo the package's own folder is enough`, async t => {
    const { env } = await world(t);
    const top = temporaryFolder(t);
    writeFileSync(join(top, 'package.json'), JSON.stringify({ name: 'top', private: true }));
    writeFileSync(join(top, file), text);
    const folder = project(t, {}, join(top, 'packages/backend'));
    project(t, { name: 'shared', dependencies: {} }, join(top, 'packages/shared'));
    ok(await bootlace(['lock'], { cwd: folder, env }));
    assert.equal(packagesOf(folder)['node_modules/a']?.version, '1.0.0');
    const added = readdirSync(folder).filter(name => !['main.js', 'package.json'].includes(name));
    assert.deepEqual(added, ['bootlace-lock.json']);
    project(t, { dependencies: { a: '1', shared: 'workspace:*' } }, folder);
    const ended = await bootlace(['lock'], { cwd: folder, env });
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /LOCK_DEPENDENCY.*shared@workspace:\*[\s\S]*fix: publish shared/);
  });

test('publishing from another folder: the lock goes where the packed package.json is', async t => {
  const { env } = await world(t);
  const cwd = project(t, { publishConfig: { directory: 'dist' } });
  const ended = await bootlace(['lock'], { cwd, env });
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /LOCK_NOT_BUILT[\s\S]*fix: build first/);
  project(t, {}, join(cwd, 'dist'));
  ok(await bootlace(['lock'], { cwd, env }));
  assert.equal(existsSync(join(cwd, 'bootlace-lock.json')), false);
  assert.equal(packagesOf(join(cwd, 'dist'))['node_modules/a']?.version, '1.0.0');
  // The same by naming the folder.
  const twin = temporaryFolder(t);
  cpSync(join(cwd, 'dist'), join(twin, 'dist'), { recursive: true });
  rmSync(join(twin, 'dist/bootlace-lock.json'));
  ok(await bootlace(['lock', 'dist'], { cwd: twin, env }));
  assert.equal(read(join(twin, 'dist')), read(join(cwd, 'dist')));
});

test('a lock that .npmignore keeps out of the tarball is a failure', async t => {
  const { env } = await world(t);
  const cwd = project(t, { files: undefined });
  writeFileSync(join(cwd, '.npmignore'), '*.json\n');
  const ended = await bootlace(['lock'], { cwd, env });
  assert.equal(ended.code, 8);
  assert.match(ended.stderr, /LOCK_NOT_PACKED[\s\S]*fix: add the line !bootlace-lock\.json/);
});

test('overrides are part of what is locked, and both installers take them', async t => {
  const { registry, env } = await world(t);
  registry.publish({ name: 'b', version: '2.0.0' });
  const more = {
    dependencies: { a: '^1.0.0', peer: '1.0.0' },
    overrides: { b: '2.0.0', peer: '$peer' },
  };
  const cwd = project(t, { ...more, optionalDependencies: {} });
  ok(await bootlace(['lock'], { cwd, env }));
  assert.equal(packagesOf(cwd)['node_modules/b']?.version, '2.0.0');
  ok(await bootlace(['lock', '--check'], { cwd, env }));
  for (const installer of ['bootlace', 'npm']) {
    const host = temporaryFolder(t);
    ok(await bootlace(['setup', '--from', cwd, '--installer', installer], { cwd: host, env }));
    const { active } = JSON.parse(readFileSync(join(host, '.bootlace/current.json'), 'utf8'));
    const b = join(host, '.bootlace/releases', active, 'node_modules/b/package.json');
    assert.equal(JSON.parse(readFileSync(b, 'utf8')).version, '2.0.0');
  }
});

test('nothing but what bootlace says is printed, however many packages are asked for at a time', async t => {
  const { registry, env } = await world(t);
  const names = Array.from({ length: 40 }, (_, i) => `many-${i}`);
  for (const name of names) registry.publish({ name, version: '1.0.0' });
  registry.misbehave({ match: /GET many-/, times: 1000, delayMs: 100 });
  const dependencies = Object.fromEntries(names.map(name => [name, '1']));
  const cwd = project(t, { dependencies, optionalDependencies: {}, peerDependencies: {} });
  const { stderr } = ok(await bootlace(['lock'], { cwd, env }));
  assert.doesNotMatch(stderr, /Warning|node:/);
});

test('an optional package is never left out because its registry fails', async t => {
  const { registry, env } = await world(t);
  const cwd = project(t);
  registry.misbehave({ match: /GET linux-only$/, times: 1000, body: 'not JSON' });
  const failed = await bootlace(['lock'], { cwd, env });
  assert.equal(failed.code, 7, failed.stderr);
  assert.match(failed.stderr, /REGISTRY_NOT_JSON/);
  assert.equal(existsSync(join(cwd, 'bootlace-lock.json')), false);
});

test('a package that bundles others is locked with its real address and checksum', async t => {
  const { registry, env } = await world(t);
  const inner = JSON.stringify({ name: 'inner', version: '3.0.0', scripts: { install: 'x' } });
  const { integrity } = registry.publish(
    {
      name: 'bundles',
      version: '1.0.0',
      bundleDependencies: ['inner'],
      dependencies: { inner: '3' },
    },
    { 'node_modules/inner/package.json': inner, 'node_modules/inner/big.js': 'x'.repeat(9999) },
  );
  const cwd = project(t, { dependencies: { bundles: '1' } });
  ok(await bootlace(['lock'], { cwd, env }));
  const packages = packagesOf(cwd);
  const { resolved, integrity: locked } = packages['node_modules/bundles'] ?? {};
  assert.deepEqual(
    { resolved, locked },
    { resolved: registry.tarballUrl('bundles', '1.0.0'), locked: integrity },
  );
  assert.deepEqual(packages['node_modules/bundles/node_modules/inner'], {
    version: '3.0.0',
    hasInstallScript: true,
    inBundle: true,
  });
  assert.doesNotMatch(read(cwd), /127\.0\.0\.1:\d+\/[0-9a-f]{32}/);
});

test('a dependency that names the backend finds it before it has a version or was published', async t => {
  const { registry, env } = await world(t);
  const name = '@acme/backend';
  registry.publish({ name: 'plugin', version: '1.0.0', peerDependencies: { [name]: '>1.19' } });
  registry.publish({ name: 'child', version: '1.0.0', dependencies: { [name]: '^4.0.0' } });
  const dependencies = { plugin: '1', child: '1' };
  const more = { dependencies, optionalDependencies: {}, peerDependencies: {} };
  const cwd = project(t, more);
  for (const [version, overrides] of [
    [undefined, undefined],
    ['0.0.0-development', { a: '1' }],
  ]) {
    project(t, { ...more, version, overrides }, cwd);
    ok(await bootlace(['lock', '--fresh'], { cwd, env }));
    assert.deepEqual(Object.keys(packagesOf(cwd)), [
      '',
      'node_modules/child',
      'node_modules/plugin',
    ]);
  }
});

test('a dependency that names the backend finds the backend, and an older one where it wants that', async t => {
  const { registry, env } = await world(t);
  const name = '@acme/backend';
  registry.publish({ name: 'plugin', version: '1.0.0', peerDependencies: { [name]: '>1.19' } });
  registry.publish({ name: 'child', version: '1.0.0', dependencies: { [name]: '^4.0.0-rc.1' } });
  registry.publish({ name: 'old', version: '1.0.0', dependencies: { [name]: '^1.0.0' } });
  registry.publish({ name: 'heavy', version: '1.0.0' });
  for (const version of ['1.0.0', '4.9.0'])
    registry.publish({ name, version, dependencies: { heavy: '1' } });
  const plain = { optionalDependencies: {}, peerDependencies: {} };
  const dependencies = { plugin: '1', child: '1' };
  const cwd = project(t, { ...plain, version: '4.0.0-rc.2', dependencies });
  // What npm installs in the package's own folder has the backend in it once more.
  await promisify(execFile)('npm', ['install', '--package-lock-only', '--no-audit'], {
    cwd,
    env: cleanEnv({ ...env, HOME: cwd }),
  });
  ok(await bootlace(['lock', '--fresh'], { cwd, env }));
  project(t, { ...plain, version: '4.2.0', dependencies }, cwd);
  for (const args of [['lock'], ['lock', '--fresh']]) {
    ok(await bootlace(args, { cwd, env }));
    assert.deepEqual(Object.keys(packagesOf(cwd)), [
      '',
      'node_modules/child',
      'node_modules/plugin',
    ]);
  }
  const first = read(cwd);
  project(t, { ...plain, version: '4.3.0', dependencies }, cwd);
  ok(await bootlace(['lock'], { cwd, env }));
  assert.equal(read(cwd), first);
  for (const [version, code] of [
    ['4.8.0', 0],
    ['9.0.0', 3],
  ] as const) {
    project(t, { ...plain, version, files: undefined, dependencies }, cwd);
    const ended = await bootlace(['lock', '--check'], { cwd, env });
    assert.equal(ended.code, code, ended.stderr);
  }
  project(t, { ...plain, version: '4.3.0', dependencies }, cwd);
  const older = project(t, { ...plain, version: '4.2.0', dependencies: { old: '1' } });
  ok(await bootlace(['lock'], { cwd: older, env }));
  assert.deepEqual(Object.keys(packagesOf(older)), [
    '',
    'node_modules/heavy',
    'node_modules/old',
    'node_modules/old/node_modules/@acme/backend',
  ]);
  for (const installer of ['bootlace', 'npm']) {
    const host = temporaryFolder(t);
    const from = installer === 'npm' ? older : cwd;
    ok(await bootlace(['setup', '--from', from, '--installer', installer], { cwd: host, env }));
    // The same where its publisher locked nothing.
    rmSync(join(from, 'bootlace-lock.json'));
    const unlocked = ['setup', '--from', from, '--installer', installer];
    const first = temporaryFolder(t);
    ok(await bootlace([...unlocked, '--save-lock', 'l.json'], { cwd: first, env }));
    ok(await bootlace([...unlocked, '--lock', join(first, 'l.json')], { cwd: host, env }));
  }
});

for (const version of [undefined, 'v1.2.3'])
  test(`the version ${version} is no hindrance`, async t => {
    const { env } = await world(t);
    const cwd = project(t, { version });
    ok(await bootlace(['lock'], { cwd, env }));
    ok(await bootlace(['lock', '--check'], { cwd, env }));
  });

test('a dependency by its address on npm’s own host is locked', async t => {
  const { registry, env } = await world(t);
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '');
    get(registry.tarballUrl('b', '1.0.0'), answer => answer.pipe(outgoing));
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const address = new URL('b/-/b-1.0.0.tgz', defaults.registry).href.replace('https:', 'http:');
  const cwd = project(t, { dependencies: { b: address }, optionalDependencies: {} });
  ok(
    await bootlace(['lock'], {
      cwd,
      env: { ...env, HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '127.0.0.1' },
    }),
  );
  assert.deepEqual([...new Set(asked)], [address]);
  const { version, resolved, integrity } = packagesOf(cwd)['node_modules/b'] ?? {};
  assert.deepEqual([version, resolved], ['1.0.0', address]);
  assert.match(integrity ?? '', /^sha512-/);
  ok(await bootlace(['lock', '--check'], { cwd, env }));
});

test('a version that does not exist is named with who asks for it', async t => {
  const { registry, env } = await world(t);
  registry.publish({ name: 'c', version: '3.1.0', dependencies: { b: '^9.0.0' } });
  const cwd = project(t, { dependencies: { c: '3' } });
  const ended = await bootlace(['lock'], { cwd, env });
  assert.equal(ended.code, 5);
  assert.match(
    ended.stderr,
    /DEPENDENCY_VERSION_NOT_FOUND.* b@\^9\.0\.0, which c@3\.1\.0 asks for/,
  );
  assert.match(ended.stderr, /fix: ask for another version of c, or name one of b in "overrides"/);
  project(t, { dependencies: { b: '^9.0.0' } }, cwd);
  const own = await bootlace(['lock'], { cwd, env });
  assert.equal(own.code, 5);
  assert.doesNotMatch(own.stderr, /asks for/);
});

test('legacy-peer-deps in .npmrc leaves peers out, and the lock says so to its host', async t => {
  const { env } = await world(t);
  const cwd = project(t, { optionalDependencies: {} });
  writeFileSync(join(cwd, '.npmrc'), 'legacy-peer-deps=true\n');
  ok(await bootlace(['lock'], { cwd, env }));
  assert.deepEqual(Object.keys(packagesOf(cwd)), ['', 'node_modules/a', 'node_modules/b']);
  ok(await bootlace(['lock', '--check'], { cwd, env }));
  for (const installer of ['bootlace', 'npm']) {
    const host = temporaryFolder(t);
    ok(await bootlace(['setup', '--from', cwd, '--installer', installer], { cwd: host, env }));
  }
});
