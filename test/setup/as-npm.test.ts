import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FakeRegistry, type Fault } from '../support/fake-registry';
import { bootlace, runNode, temporaryFolder } from '../support/run';
import { deadPort, socksProxy } from '../support/servers';

const day = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

async function world(t: TestContext) {
  const registry = await FakeRegistry.start({ redirectTarballs: false });
  t.after(() => registry.close());
  const dep = (version: string, days: number) =>
    registry.publish(
      { name: 'dep', version, main: 'i.js' },
      { 'i.js': `module.exports = "dep ${version}"` },
      { time: day(days) },
    );
  const { integrity } = dep('1.0.0', 100);
  dep('1.0.1', 0.1);
  const backend = (version: string, days: number, files: Record<string, string> = {}) =>
    registry.publish(
      { name: 'backend', version, main: 'm.js', dependencies: { dep: '^1.0.0' } },
      { 'm.js': `console.log("backend ${version}", require("dep"))`, ...files },
      { time: day(days) },
    );
  backend('1.0.0', 50);
  const dir = temporaryFolder(t);
  const env: Record<string, string> = { BACKEND_PACKAGE: 'backend' };
  const npmrc = (text: string) =>
    writeFileSync(join(dir, '.npmrc'), `registry=${registry.url}\n${text}\n`);
  npmrc('');
  return { registry, backend, integrity, dir, env, npmrc };
}
type World = Awaited<ReturnType<typeof world>>;

/** What npm installs, bootlace installs: each prepares a folder and names what is said and started. */
const rows: [
  name: string,
  prepare: (world: World, t: TestContext) => unknown,
  started: string,
  said?: RegExp,
][] = [
  [
    'min-release-age=7',
    ({ backend, npmrc }) => {
      backend('1.1.0', 0.1);
      npmrc('min-release-age=7');
    },
    'backend 1.0.0 dep 1.0.0',
    /the tag latest, min-release-age=7 in \.npmrc/,
  ],
  [
    'before',
    ({ backend, npmrc }) => {
      backend('1.1.0', 0.1);
      npmrc(`before=${day(7)}`);
    },
    'backend 1.0.0 dep 1.0.0',
  ],
  [
    'min-release-age and min-release-age-exclude',
    ({ backend, npmrc }) => {
      backend('1.1.0', 0.1);
      npmrc('min-release-age=7\nmin-release-age-exclude[]=backend');
    },
    'backend 1.1.0 dep 1.0.0',
  ],
  [
    'cafile is not there',
    ({ npmrc }) => npmrc('cafile=/etc/ssl/not-on-this-machine.pem'),
    'backend 1.0.0 dep 1.0.1',
    /cafile in \.npmrc, line 2 names .* is not there, and does not count/,
  ],
  [
    '~/.npmrc is a folder',
    ({ env }, t) => {
      env.HOME = temporaryFolder(t);
      mkdirSync(join(env.HOME, '.npmrc'));
    },
    'backend 1.0.0 dep 1.0.1',
    /\.npmrc cannot be read \(EISDIR\), and does not count/,
  ],
  [
    '~/.npmrc is binary',
    ({ env }, t) => {
      env.HOME = temporaryFolder(t);
      writeFileSync(join(env.HOME, '.npmrc'), 'a\0b=1\n');
    },
    'backend 1.0.0 dep 1.0.1',
    /is no text file, and does not count/,
  ],
  [
    'a SOCKS proxy',
    async ({ env }, t) => {
      env.HTTPS_PROXY = `socks5://127.0.0.1:${(await socksProxy(t)).port}`;
    },
    'backend 1.0.0 dep 1.0.1',
  ],
  [
    'a dead proxy and NO_PROXY',
    async ({ env }) => {
      env.HTTPS_PROXY = `socks5://127.0.0.1:${await deadPort()}`;
      env.NO_PROXY = '127.0.0.1';
    },
    'backend 1.0.0 dep 1.0.1',
  ],
  [
    'replace-registry-host=always',
    async ({ registry, backend, npmrc, integrity }) => {
      const { pathname } = new URL(registry.tarballUrl('dep', '1.0.0'));
      const resolved = `http://127.0.0.1:${await deadPort()}${pathname}`;
      npmrc('replace-registry-host=always');
      backend('1.2.0', 1, { 'bootlace-lock.json': lockWith(resolved, integrity) });
    },
    'backend 1.2.0 dep 1.0.0',
  ],
  [
    'a server that gzips tarballs, too',
    ({ registry }) => {
      const fault: Fault = {
        match: /download\//,
        times: 99,
        headers: { 'content-encoding': 'gzip' },
        transform: body => gzipSync(body),
      };
      registry.misbehave(fault);
    },
    'backend 1.0.0 dep 1.0.1',
  ],
  ...['v1.3.0', '1.3.0+20261128.abc'].map((raw): (typeof rows)[number] => [
    `${raw} in the tarball's package.json`,
    ({ backend }) => {
      const manifest = { name: 'backend', version: raw, main: 'm.js', dependencies: { dep: '1' } };
      backend('1.3.0', 1, { 'package.json': JSON.stringify(manifest) });
    },
    'backend 1.3.0 dep 1.0.1',
  ]),
];

function lockWith(resolved: string, integrity: string): string {
  const dependencies = { dep: '^1.0.0' };
  return JSON.stringify({
    name: 'backend',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'backend', dependencies },
      'node_modules/dep': { version: '1.0.0', resolved, integrity },
    },
  });
}

for (const [name, prepare, started, said = /^/] of rows)
  test(`setup goes on where npm does: ${name}`, async t => {
    const made = await world(t);
    await prepare(made, t);
    const { dir: cwd, env } = made;
    const { code, stdout, stderr } = await bootlace(['setup'], { cwd, env });
    assert.equal(code, 0, stderr);
    assert.match(stdout + stderr, said);
    const ran = await runNode(join(cwd, 'server.js'), [], { cwd });
    assert.equal(ran.stdout.trim(), started, ran.stderr);
  });

test("setup goes on where ~/.npmrc is another user's", async t => {
  if (process.getuid?.() !== 0) return t.skip('needs root to become another user');
  const { dir: cwd, env } = await world(t);
  const home = temporaryFolder(t);
  writeFileSync(join(home, '.npmrc'), 'fund=false\n', { mode: 0o600 });
  for (const folder of [home, cwd]) chmodSync(folder, 0o777);
  chmodSync(join(cwd, '.npmrc'), 0o644);
  const uid = 65534;
  const ended = await bootlace(['setup'], { cwd, uid, env: { ...env, HOME: home } });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /\.npmrc cannot be read \(EACCES\), and does not count/);
});

for (const rule of ['min-release-age=7', `before=${day(7)}`])
  test(`lock obeys ${rule.slice(0, 15)}`, async t => {
    const { dir: cwd, npmrc } = await world(t);
    npmrc(rule);
    const manifest = { name: 'backend', version: '2.0.0', dependencies: { dep: '^1.0.0' } };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest));
    const { code, stderr } = await bootlace(['lock'], { cwd });
    assert.equal(code, 0, stderr);
    const lock = JSON.parse(readFileSync(join(cwd, 'bootlace-lock.json'), 'utf8'));
    assert.equal(lock.packages['node_modules/dep'].version, '1.0.0');
  });

const places: [npmrc: string, code: string, place: RegExp][] = [
  ['a=1\n_authToken=abc', 'NPMRC_BARE_AUTH', /\.npmrc, line 3, holds _authToken/],
  ['a=1\n\n@acme:registry=nowhere', 'REGISTRY_URL_INVALID', /@acme:registry in \.npmrc, line 4/],
  ['cafile=/etc', 'CAFILE_UNREADABLE', /cafile in \.npmrc, line 2 names \/etc/],
  ['https-proxy=ftp://a.test', 'PROXY_INVALID', /https-proxy in \.npmrc, line 2 is not/],
];
for (const [text, code, place] of places)
  test(`a failure names the line of .npmrc: ${code}`, async t => {
    const { dir: cwd, npmrc } = await world(t);
    npmrc(text);
    const env = { BACKEND_PACKAGE: '@acme/backend' };
    const { stdout } = await bootlace(['setup', '--json'], { cwd, env });
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, code);
    assert.match(error.message, place);
  });
