import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, runNode, temporaryFolder } from '../support/run';
import { snapshot } from '../support/snapshot';
import { packageTarball } from '../support/tarball';

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
const backendName = '@acme/backend';

async function setUp(t: TestContext) {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  registry.publish(
    { name: 'left', version: '1.0.0', main: 'index.js' },
    { 'index.js': 'module.exports = 42' },
  );
  const publish = (
    version: string,
    extra: Record<string, unknown> = {},
    options: { tag?: string } = {},
  ) =>
    registry.publish(
      {
        name: backendName,
        version,
        main: 'dist/main.js',
        dependencies: { left: '^1.0.0' },
        ...extra,
      },
      { 'dist/main.js': `console.log("ready", "${version}", require("left"))` },
      options,
    );
  const dir = temporaryFolder(t);
  const env = {
    BACKEND_PACKAGE: backendName,
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
  };
  const setup = async (args: string[] = [], extra: Record<string, string | undefined> = {}) => {
    const ended = await bootlace(['setup', '--json', ...args], {
      cwd: dir,
      env: { ...env, ...extra },
    });
    return { ...ended, json: JSON.parse(ended.stdout) };
  };
  const start = async (args: string[] = []) =>
    (await runNode(join(dir, 'server.js'), args, { cwd: dir, env })).stdout.trim();
  return { registry, publish, dir, env, setup, start };
}

test('an empty folder, one setup, one node server.js', async t => {
  const { registry, publish, dir, env, start } = await setUp(t);
  publish('1.2.3');
  const setup = await bootlace(['setup'], { cwd: dir, env });
  assert.equal(setup.code, 0, setup.stderr);
  const [what, installed, tree, starts, next] = setup.stdout.split('\n');
  assert.equal(what, `@acme/backend 1.2.3 (the tag latest, ${registry.url})`);
  assert.match(installed ?? '', /^installed 2 packages, 4 files, \d\.\d kB in \d+\.\d s$/);
  assert.match(tree ?? '', /^tree: not locked by its publisher/);
  assert.equal(starts, 'starts dist/main.js (main)');
  assert.equal(next, 'start it: node server.js');
  assert.equal(await start(), 'ready 1.2.3 42');
  assert.deepEqual(readdirSync(dir).sort(), ['.bootlace', '.npmrc', 'server.js']);
  assert.deepEqual(readdirSync(join(dir, '.bootlace')).sort(), [
    '.gitignore',
    'current.json',
    'launcher.cjs',
    'releases',
  ]);
});

test('.npmrc holds the variable and not the token, so all may read it; the storage host never sees it', async t => {
  const { registry, publish, dir, setup } = await setUp(t);
  publish('1.0.0');
  await setup();
  const npmrc = readFileSync(join(dir, '.npmrc'), 'utf8');
  assert.equal(
    npmrc.includes(`${registry.url.replace('http:', '')}:_authToken=\${NPM_TOKEN}\n`),
    true,
  );
  assert.equal(npmrc.includes(`@acme:registry=${registry.url}\n`), true);
  assert.equal(statSync(join(dir, '.npmrc')).mode & 0o777, 0o644);
  const storage = registry.requests.filter(({ host }) => host === 'storage');
  assert.equal(storage.length, 2);
  assert.deepEqual(
    storage.map(({ authorization }) => authorization),
    [undefined, undefined],
  );
});

test("the user's own .npmrc lines and mode stay, and a second setup changes nothing", async t => {
  const { publish, dir, setup } = await setUp(t);
  publish('1.0.0');
  const own = '; mine\nsave-exact=true\n';
  writeFileSync(join(dir, '.npmrc'), own, { mode: 0o600 });
  assert.equal((await setup()).code, 0);
  const once = snapshot(dir);
  assert.equal(readFileSync(join(dir, '.npmrc'), 'utf8').startsWith(own), true);
  assert.equal(statSync(join(dir, '.npmrc')).mode & 0o777, 0o600);
  const again = await setup();
  assert.deepEqual([again.json.reused, again.json.changed], [true, []]);
  const twice = snapshot(dir);
  delete once['.bootlace/current.json'];
  delete twice['.bootlace/current.json'];
  assert.deepEqual(twice, once);
});

test('latest follows the tag, a pin stays, a restart changes nothing', async t => {
  const { registry, publish, setup, start } = await setUp(t);
  publish('1.0.0');
  await setup();
  publish('1.1.0');
  assert.equal(await start(), 'ready 1.0.0 42');
  await setup();
  assert.equal(await start(), 'ready 1.1.0 42');
  await setup([], { BACKEND_VERSION: '1.0.0' });
  assert.equal(await start(), 'ready 1.0.0 42');
  // A backport moves latest back; what the tag says counts.
  registry.tag(backendName, 'latest', '1.0.0');
  assert.equal((await setup()).json.version, '1.0.0');
});

test('a pinned version that is on disk needs no request and no token; a broken one is installed again', async t => {
  const { registry, publish, dir, setup, start } = await setUp(t);
  publish('1.0.0');
  const pinned = { BACKEND_VERSION: '1.0.0' };
  const first = await setup([], pinned);
  const asked = registry.requests.length;
  const second = await setup([], { ...pinned, NPM_TOKEN: undefined });
  assert.deepEqual([second.code, second.json.reused, registry.requests.length], [0, true, asked]);
  rmSync(join(dir, '.bootlace/releases', first.json.release, 'node_modules/left'), {
    recursive: true,
  });
  const third = await setup([], pinned);
  assert.deepEqual([third.json.reused, registry.requests.length > asked], [false, true]);
  assert.equal(await start(), 'ready 1.0.0 42');
});

test('the active release and two before it stay on disk', async t => {
  const { publish, dir, setup } = await setUp(t);
  for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0']) {
    publish(version);
    await setup();
  }
  const names = readdirSync(join(dir, '.bootlace/releases'))
    .map(name => name.split('-')[0])
    .sort();
  assert.deepEqual(names, ['1.2.0', '1.3.0', '1.4.0']);
});

test('no dev dependencies whatever NODE_ENV says, and no install script unless it is named', async t => {
  const { registry, publish, dir, setup } = await setUp(t);
  registry.publish(
    { name: 'native', version: '1.0.0', scripts: { install: 'node build.js' } },
    { 'build.js': 'require("fs").writeFileSync("built.json", JSON.stringify(process.env))' },
  );
  publish('1.0.0', {
    dependencies: { left: '1.0.0', native: '1.0.0' },
    devDependencies: { never: '1.0.0' },
  });
  const plain = await setup([], { NODE_ENV: 'development' });
  assert.equal(plain.code, 0, plain.stderr);
  const modules = (release: string) => join(dir, '.bootlace/releases', release, 'node_modules');
  assert.deepEqual(
    readdirSync(modules(plain.json.release)).filter(name => !name.startsWith('.')),
    ['@acme', 'left', 'native'],
  );
  assert.equal(existsSync(join(modules(plain.json.release), 'native/built.json')), false);
  assert.match(
    plain.stderr,
    /the install script of native did not run; BACKEND_SCRIPTS=native allows it/,
  );

  const allowed = await setup([], { BACKEND_SCRIPTS: 'native' });
  assert.equal(allowed.code, 0, allowed.stderr);
  const seen = JSON.parse(
    readFileSync(join(modules(allowed.json.release), 'native/built.json'), 'utf8'),
  ) as Record<string, string>;
  assert.deepEqual(
    Object.keys(seen).filter(name => seen[name]?.includes(token)),
    [],
  );

  const idle = await setup(['--scripts', 'left,nativ']);
  assert.match(
    idle.stderr,
    /--scripts names left, nativ, without an install script in this tree; with one: native\n/,
  );
  assert.match(idle.stderr, /did not run; --scripts=left,nativ,native allows it/);
});

test('an install script that fails is named with its package', async t => {
  const { registry, publish, setup } = await setUp(t);
  registry.publish({ name: 'native', version: '1.0.0', scripts: { install: 'exit 3' } });
  publish('1.0.0', { dependencies: { native: '1.0.0' } });
  const { code, json } = await setup(['--scripts', 'native']);
  assert.equal(code, 8);
  assert.equal(json.error.message, 'npm could not install native: command failed');
});

test('a local build installs the same way, from a folder and from a tarball', async t => {
  const { dir, setup, start } = await setUp(t);
  const packageJson = JSON.stringify({
    name: backendName,
    version: '9.0.0',
    main: 'dist/main.js',
    files: ['dist'],
    dependencies: { left: '^1.0.0' },
  });
  const main = 'console.log("ready", "local", require("left"))';
  mkdirSync(join(dir, 'build/dist'), { recursive: true });
  writeFileSync(join(dir, 'build/package.json'), packageJson);
  writeFileSync(join(dir, 'build/dist/main.js'), main);
  const folder = await setup(['--from', 'build'], { BACKEND_PACKAGE: undefined });
  assert.deepEqual([folder.code, folder.json.version], [0, '9.0.0'], folder.stderr);
  assert.equal(await start(), 'ready local 42');
  writeFileSync(
    join(dir, 'backend.tgz'),
    packageTarball({ 'package.json': packageJson, 'dist/main.js': main.replace('local', 'tgz') }),
  );
  const tarball = await setup(['--from', 'backend.tgz'], { BACKEND_PACKAGE: undefined });
  assert.equal(tarball.code, 0, tarball.stderr);
  assert.equal(await start(), 'ready tgz 42');
});

test('--dry-run prints every value with its source and changes nothing', async t => {
  const { registry, publish, dir, env } = await setUp(t);
  publish('1.0.0', { scripts: { start: 'node dist/main.js' } });
  writeFileSync(join(dir, '.env'), 'BACKEND_VERSION=^1.0.0\n');
  writeFileSync(join(dir, 'bootlace.json'), '{"memory":256}');
  const before = snapshot(dir);
  const { code, stdout } = await bootlace(['setup', '--dry-run'], { cwd: dir, env });
  assert.equal(code, 0);
  assert.deepEqual(snapshot(dir), before);
  for (const line of [
    /^package +@acme\/backend +BACKEND_PACKAGE$/m,
    /^version +\^1\.0\.0 +BACKEND_VERSION in \.env$/m,
    /^registry +http:\S+ +BACKEND_REGISTRY$/m,
    /^token +set +NPM_TOKEN$/m,
    /^memory +256 +"memory" in bootlace\.json$/m,
    /^would use @acme\/backend 1\.0\.0 \(the best in /m,
    /^would start dist\/main\.js \(scripts\.start\)$/m,
  ])
    assert.match(stdout, line);
  assert.deepEqual(
    registry.requests.map(({ path }) => path),
    ['@acme%2fbackend'],
  );
});

test('a server.js that somebody changed is kept; an older one of ours is replaced', async t => {
  const { publish, dir, setup } = await setUp(t);
  publish('1.0.0');
  await setup();
  const server = join(dir, 'server.js');
  const ours = readFileSync(server, 'utf8');
  writeFileSync(server, `${ours}\nconsole.log("mine")\n`);
  assert.equal((await setup()).json.error.code, 'SERVER_FILE_TAKEN');
  const other = await setup(['--server-file', 'start.js']);
  assert.deepEqual([other.code, readFileSync(join(dir, 'start.js'), 'utf8')], [0, ours]);
});

test('a deprecated version is installed with its warning', async t => {
  const { publish, setup } = await setUp(t);
  publish('1.0.0', { deprecated: 'use 2.0.0' });
  const { code, stderr } = await setup();
  assert.equal(code, 0);
  assert.match(stderr, /warning: @acme\/backend@1\.0\.0 is deprecated: use 2\.0\.0/);
});

test('it works where HOME and its cache cannot be written', async t => {
  const { publish, dir, setup } = await setUp(t);
  publish('1.0.0');
  const home = join(dir, 'home');
  mkdirSync(home);
  chmodSync(home, 0o555);
  assert.equal((await setup([], { HOME: home })).code, 0);
  assert.deepEqual(readdirSync(home), []);
});

test('two setups at once in one folder both end right', async t => {
  const { publish, dir, setup, start } = await setUp(t);
  publish('1.0.0');
  publish('2.0.0');
  const same = await Promise.all([setup(), setup()]);
  assert.deepEqual(
    same.map(({ code }) => code),
    [0, 0],
  );
  const different = await Promise.all([
    setup([], { BACKEND_VERSION: '1.0.0' }),
    setup([], { BACKEND_VERSION: '2.0.0' }),
  ]);
  assert.deepEqual(
    different.map(({ code }) => code),
    [0, 0],
  );
  assert.match(await start(), /^ready [12]\.0\.0 42$/);
  assert.deepEqual(
    readdirSync(join(dir, '.bootlace/releases')).filter(name => name.startsWith('.')),
    [],
  );
});

test('SIGTERM during a setup stops it, cleans up, and leaves the release before', async t => {
  const { registry, publish, dir, env, setup, start } = await setUp(t);
  publish('1.0.0');
  await setup();
  publish('1.1.0');
  registry.misbehave({ match: /download/, delayMs: 5000 });
  const ended = await bootlace(['setup'], {
    cwd: dir,
    env,
    onSpawn(child) {
      const before = registry.requests.length;
      const timer = setInterval(() => {
        if (!registry.requests.slice(before).some(({ path }) => /download/.test(path))) return;
        clearInterval(timer);
        child.kill('SIGTERM');
      }, 20);
      child.once('close', () => clearInterval(timer));
    },
  });
  assert.equal(ended.code, 143);
  assert.equal(await start(), 'ready 1.0.0 42');
  assert.deepEqual(
    readdirSync(join(dir, '.bootlace/releases')).map(name => name.split('-')[0]),
    ['1.0.0'],
  );
});
