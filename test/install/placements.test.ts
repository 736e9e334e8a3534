import assert from 'node:assert/strict';
import { test } from 'node:test';
import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { normalizeBins, planBinLinks } from '../../src/install/bins';
import { planTarballUrl } from '../../src/install/fetch-tarball';
import { type InstallHost, planPlacements } from '../../src/install/placements';
import { isSlimmed } from '../../src/install/slim';
import { configFor, parseLockfile } from '../support/locked';

const host: InstallHost = { platform: 'linux', arch: 'x64', libc: 'glibc', node: '22.12.0' };
const integrity = `sha512-${Buffer.alloc(64, 1).toString('base64')}`;

function lockOf(packages: Record<string, object>, project: object = {}) {
  const entries = Object.entries(packages).map(([path, entry]) => [
    path.replace(/(^|>)/g, (_, sep) => (sep ? '/node_modules/' : 'node_modules/')),
    { version: '1.0.0', integrity, ...entry },
  ]);
  return parseLockfile(
    JSON.stringify({
      lockfileVersion: 3,
      packages: { '': project, ...Object.fromEntries(entries) },
    }),
    'the lock',
  );
}

const paths = (packages: Record<string, object>, project?: object, on = host) => {
  const { placements, bundled } = planPlacements(lockOf(packages, project), on);
  return [...placements.flatMap(({ paths }) => paths), ...bundled]
    .map(path => path.replace(/(^|\/)node_modules\//g, (_, sep) => (sep ? '>' : '')))
    .sort()
    .join(' ');
};

const optional = { optional: true };
const cases: [string, Record<string, object>, string, object?][] = [
  ['plain packages', { a: {}, 'a>b': {} }, 'a a>b'],
  ['development left out', { a: {}, b: { dev: true } }, 'a'],
  ['what lies in what is left out', { b: { dev: true }, 'b>c': {} }, ''],
  ['both development and optional stays', { a: { devOptional: true } }, 'a'],
  ['needed by nobody', { a: {}, b: { extraneous: true } }, 'a'],
  ['a peer stays', { a: { peer: true } }, 'a'],
  ['bundled', { a: {}, 'a>b': { inBundle: true } }, 'a a>b'],
  ['what the project itself bundles', { a: { inBundle: true } }, 'a'],
  ['optional that fits', { a: { ...optional, os: ['linux'], cpu: ['x64'] } }, 'a'],
  ['optional for another system', { a: { ...optional, os: ['darwin'] } }, ''],
  ['optional for another processor', { a: { ...optional, cpu: ['arm64'] } }, ''],
  ['optional for another libc', { a: { ...optional, libc: ['musl'] } }, ''],
  ['optional not for this system', { a: { ...optional, os: ['!linux'] } }, ''],
  ['optional not for another system', { a: { ...optional, os: ['!win32'] } }, 'a'],
  ['optional for any system', { a: { ...optional, os: ['any'] } }, 'a'],
  ['optional for another Node', { a: { ...optional, engines: { node: '<20' } } }, ''],
  ['a package for another Node stays', { a: { engines: { node: '<20' } } }, 'a'],
  [
    'with what only it needs',
    {
      a: { ...optional, os: ['aix'], dependencies: { b: '1', c: '1' } },
      b: optional,
      c: {},
    },
    'c',
    { dependencies: { c: '1' }, optionalDependencies: { a: '1' } },
  ],
  [
    'with what needs it',
    {
      a: { ...optional, dependencies: { b: '1' } },
      b: { ...optional, os: ['aix'] },
    },
    '',
    { optionalDependencies: { a: '1' } },
  ],
  [
    'not with what can do without it',
    { a: { ...optional, optionalDependencies: { b: '1' } }, b: { ...optional, os: ['aix'] } },
    'a',
    { optionalDependencies: { a: '1' } },
  ],
  [
    'not with what development needs too',
    { a: { ...optional, os: ['aix'], dependencies: { b: '1' } }, b: { devOptional: true } },
    'b',
    { optionalDependencies: { a: '1' }, devDependencies: { b: '1' } },
  ],
];

for (const [name, packages, expected, project] of cases)
  test(`places ${name}`, () => assert.equal(paths(packages, project), expected));

test('a package that is needed and does not fit the host is refused', () => {
  assert.throws(() => paths({ a: { os: ['aix', 'win32'] } }), { code: 'BAD_PLATFORM' });
});

test('what is needed and called optional takes nothing out that needs it', () => {
  const wrong = { ...optional, os: ['win32'] };
  const backend = { dependencies: { a: '1' } };
  const project = { dependencies: { backend: '1' } };
  assert.throws(() => paths({ backend, a: wrong }, project), { code: 'BAD_PLATFORM' });
  assert.throws(() => paths({ a: wrong }, backend), { code: 'BAD_PLATFORM' });
  const old = { ...optional, engines: { node: '<20' } };
  assert.equal(paths({ backend, a: old }, project), 'a backend');
});

test('one tarball in two folders is fetched once, an alias by its real name', () => {
  const { placements } = planPlacements(
    lockOf({ a: {}, b: {}, 'b>a': {}, other: { name: 'a' } }),
    host,
  );
  assert.deepEqual(
    placements.map(({ name, paths }) => [name, paths]),
    [
      ['a', ['node_modules/a', 'node_modules/b/node_modules/a', 'node_modules/other']],
      ['b', ['node_modules/b']],
    ],
  );
});

const registry = 'https://npm.acme.test/private/';
const urls: [string, string | undefined, string][] = [
  ['left', `${defaults.registry}left/-/left-1.0.0.tgz`, `${registry}left/-/left-1.0.0.tgz`],
  ['left', 'https://elsewhere.test/left.tgz', 'https://elsewhere.test/left.tgz'],
  ['left', undefined, `${registry}left/-/left-1.0.0.tgz`],
  ['@acme/left', undefined, `${registry}@acme/left/-/left-1.0.0.tgz`],
];

for (const [name, resolved, expected] of urls)
  test(`${name} at ${resolved ?? 'no address'} is asked of ${expected}`, () => {
    const { url, isGuess } = planTarballUrl(
      { name, version: '1.0.0', resolved },
      configFor(registry),
    );
    assert.equal(url, expected);
    assert.equal(isGuess, resolved === undefined);
  });

const mirrored: [rule: string, resolved: string, expected: string][] = [
  ['npmjs', `${defaults.registry}a/-/a-1.tgz`, `${registry}a/-/a-1.tgz`],
  ['npmjs', 'https://old.test/a/-/a-1.tgz', 'https://old.test/a/-/a-1.tgz'],
  ['never', `${defaults.registry}a/-/a-1.tgz`, `${defaults.registry}a/-/a-1.tgz`],
  ['always', 'http://127.0.0.1:9/a/-/a-1.tgz', `${registry}a/-/a-1.tgz`],
  ['always', `${registry}a/-/a-1.tgz`, `${registry}a/-/a-1.tgz`],
  ['old.test', 'https://old.test:8443/a/-/a-1.tgz', `${registry}a/-/a-1.tgz`],
  ['old.test', 'https://older.test/a/-/a-1.tgz', 'https://older.test/a/-/a-1.tgz'],
  ['https://old.test/npm', 'https://old.test/npm/a/-/a-1.tgz', `${registry}a/-/a-1.tgz`],
  ['https://old.test/npm/', 'https://old.test/npm/a/-/a-1.tgz', `${registry}a/-/a-1.tgz`],
  ['https://old.test/npm', 'https://old.test/npmx/a-1.tgz', 'https://old.test/npmx/a-1.tgz'],
];
for (const [rule, resolved, expected] of mirrored)
  test(`replace-registry-host=${rule}: ${resolved} is asked of ${expected}`, () => {
    const config = { ...configFor(registry), replaceRegistryHost: rule };
    assert.equal(planTarballUrl({ name: 'a', version: '1', resolved }, config).url, expected);
  });

const bins: [unknown, string][] = [
  ['./cli.js', 'pkg=cli.js'],
  [{ a: 'x.js', 'b/c': 'y.js', 'd:e': 'z.js' }, 'a=x.js c=y.js e=z.js'],
  [{ a: '../../out.js', '../b': '/abs.js' }, 'a=out.js b=abs.js'],
  [{ a: '', b: 1, '': 'x' }, ''],
  [['bin/one.js'], 'one.js=bin/one.js'],
  [null, ''],
];

for (const [bin, expected] of bins)
  test(`the bins of ${JSON.stringify(bin)} are ${expected || 'none'}`, () => {
    const found = [...normalizeBins(bin, 'pkg')].map(([name, path]) => `${name}=${path}`);
    assert.equal(found.join(' '), expected);
  });

test('bins of every level are linked there; a tie goes to the first name', () => {
  const bin = (name: string) => new Map([[name, 'x.js']]);
  const links = planBinLinks(
    new Map([
      ['node_modules/b', bin('same')],
      ['node_modules/a', bin('same')],
      ['node_modules/@s/c/node_modules/d', bin('same')],
    ]),
  );
  assert.deepEqual(
    links.map(({ link, target }) => [link, target]),
    [
      ['node_modules/.bin/same', '../a/x.js'],
      ['node_modules/@s/c/node_modules/.bin/same', '../d/x.js'],
    ],
  );
});

const slimmed: [string, boolean][] = [
  ['index.d.ts', true],
  ['lib/index.d.mts', true],
  ['index.js.map', true],
  ['README.md', true],
  ['LICENSE.md', false],
  ['lib/third-party-notices.md', false],
  ['index.ts', false],
  ['data.map', false],
  ['node_modules/typescript/lib/lib.d.ts', false],
];

for (const [path, expected] of slimmed)
  test(`slim ${expected ? 'leaves out' : 'keeps'} ${path}`, () =>
    assert.equal(isSlimmed(path), expected));
