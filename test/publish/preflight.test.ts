import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { readPackedPackage } from '../../src/publish/preflight/packed-package';
import { preflight, type Surroundings } from '../../src/publish/preflight/preflight';
import { packageTarball } from '../support/tarball';

const letters = 'aB3dE5gH7jK9mN1pQ4sT6vW8yZ2bC0dF3gH5jK7mN9pQ1sT4vW6yZ8bC2dF0gH3jK5m';
const token = (beginning: string, length: number) => beginning + letters.slice(0, length);
const pem = (kind: string, separator: string) =>
  [`-----BEGIN ${kind}PRIVATE KEY-----`, letters, letters, ''].join(separator);
const render = `postgres://app:${letters.slice(0, 20)}@dpg-abc123-a.frankfurt-postgres`;

const entry = (version: string) => ({
  version,
  resolved: 'https://acme.test/a.tgz',
  integrity: `sha512-${'A'.repeat(86)}==`,
});
/** A lock with one package that has an install script and the bin `prisma`. */
const lock = (range: string, version = '1.0.0') =>
  JSON.stringify({
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: '@acme/backend', dependencies: { a: range } },
      'node_modules/a': { ...entry(version), hasInstallScript: true, bin: { prisma: 'b.js' } },
    },
  });

interface Sample {
  /** More of package.json. */
  json?: Record<string, unknown>;
  files?: Record<string, string>;
  around?: Partial<Surroundings>;
}

const good = { name: '@acme/backend', version: '1.0.0', main: 'dist/main.js' };

async function check({ json, files, around }: Sample) {
  const tarball = packageTarball({
    'package.json': JSON.stringify({ ...good, ...json }),
    'dist/main.js': 'require("node:http")',
    ...files,
  });
  const pkg = await readPackedPackage({ data: tarball }, '@acme/backend@1.0.0');
  return preflight(pkg, { nodeVersion: '20.17.0', ...around });
}

/** What is wrong, as `severity CODE path`, and what its fix says. */
type Row = [name: string, sample: Sample, wanted: string, fix: RegExp];

const depend = (spec: string, more: object = {}): Sample => ({
  json: { dependencies: { a: spec }, bundleDependencies: [], ...more },
});
const local: Row[] = [
  'workspace:*',
  'workspace:^1.0.0',
  'catalog:',
  'catalog:prod',
  'file:../a',
  'file:./a.tgz',
  'link:../a',
  'portal:../a',
  'patch:a@1.0.0#./a.patch',
  '../a',
  './a',
  '/srv/a',
  '~/a',
].map(spec => [
  `a dependency ${spec}`,
  depend(spec),
  'error DEPENDENCY_LOCAL dependencies.a',
  spec.startsWith('catalog:')
    ? /the version that the workspace's catalog names for a/
    : spec.startsWith('patch:')
      ? /publish the patched a/
      : /publish a and depend on its version/,
]);
const remote: Row[] = [
  'git+https://acme.test/a.git',
  'git+ssh://git@acme.test/a.git#v1',
  'git@acme.test:acme/a.git',
  'github:acme/a',
  'acme/a#main',
  'https://acme.test/a-1.0.0.tgz',
].map(spec => [
  `a dependency ${spec}`,
  depend(spec),
  'warning DEPENDENCY_REMOTE dependencies.a',
  /publish a to your registry/,
]);
const tools: Row[] = (
  [
    ['@types/node', 'DEPENDENCY_TYPES'],
    ['typescript', 'DEPENDENCY_BUILD_TOOL'],
    ['ts-node', 'DEPENDENCY_BUILD_TOOL'],
    ['@nestjs/cli', 'DEPENDENCY_BUILD_TOOL'],
    ['jest', 'DEPENDENCY_BUILD_TOOL'],
  ] as const
).map(([name, code]) => [
  `${name} among the dependencies`,
  { json: { dependencies: { [name]: '^1.0.0' } } },
  `warning ${code} dependencies.${name}`,
  new RegExp(`npm install --save-dev ${name}`),
]);

const build = /build before you publish, and list "dist" in "files"/;
const named: Row[] = (
  [
    ['main', { main: 'dist/gone.js' }],
    ['bin.@acme/x', { bin: { '@acme/x': './dist/gone.js' } }],
    ['bin.backend', { bin: 'dist/gone.js' }],
    ['exports', { exports: './dist/gone.js' }],
    ['exports..', { exports: { '.': { import: './dist/gone.mjs', types: './t.d.ts' } } }],
    ['exports../api', { exports: { '.': './dist/main.js', './api': './dist/api.js' } }],
    ['bootlace.roles.worker', { bootlace: { roles: { worker: 'dist/worker.js --queue' } } }],
    ['bootlace.migrate', { bootlace: { migrate: 'node dist/migrate.js' } }],
  ] as const
).map(([path, json]) => [
  `${path} is not packed`,
  { json },
  `error ${path.endsWith('worker') ? 'ENTRY_NOT_FOUND' : path.endsWith('migrate') ? 'BIN_NOT_FOUND' : 'FILE_NOT_PACKED'} ${path}`,
  path.startsWith('bootlace') ? /build before you publish/ : build,
]);

const secretFiles: Row[] = [
  '.npmrc',
  '.env',
  '.env.local',
  'config/.env.production',
  '.netrc',
  'cert/server.p12',
].map(file => [
  `${file} in the tarball`,
  { files: { [file]: 'a=b' } },
  `error SECRET_FILE ${file}`,
  /^add \S+ to \.npmignore/,
]);
const secretTexts: Row[] = Object.entries({
  npm: token('npm_', 36),
  'GitHub classic': token('ghp_', 36),
  'GitHub server': token('ghs_', 36),
  GitLab: token('glpat-', 20),
  Render: token('rnd_', 28),
  'Render database': render,
  AWS: 'AKIAZQ3DRSTUVWXY2345',
  Stripe: token('sk_live_', 24),
  SendGrid: `${token('SG.', 22)}.${letters.slice(0, 43)}`,
  'private key': pem('', '\n'),
  'RSA key': pem('RSA ', '\r\n'),
  'OpenSSH key in a string': pem('OPENSSH ', '\\n'),
}).map(([name, secret]) => [
  `a secret of ${name}`,
  { files: { 'dist/config.js': `// first\nmodule.exports = {k: "${secret}"}` } },
  'error SECRET_TEXT dist/config.js:2',
  /revoke it/,
]);

const rows: Row[] = [
  ...local,
  ...remote,
  ...tools,
  ...named,
  ...secretFiles,
  ...secretTexts,
  [
    'an optional local dependency',
    { json: { optionalDependencies: { a: 'file:a' } } },
    'error DEPENDENCY_LOCAL optionalDependencies.a',
    /publish a/,
  ],
  [
    'a peer of the workspace',
    { json: { peerDependencies: { a: 'workspace:*' } } },
    'error DEPENDENCY_LOCAL peerDependencies.a',
    /publish a/,
  ],
  [
    'dependencies that are no table',
    { json: { dependencies: { a: 7 } } },
    'error MANIFEST_INVALID dependencies',
    /"name": "\^1.0.0"/,
  ],
  [
    'a main outside',
    { json: { main: '../server.js' } },
    'error ENTRY_OUTSIDE main',
    /name a file of the package/,
  ],
  [
    'a bin outside',
    { json: { bin: { x: '/srv/x.js' } } },
    'error ENTRY_OUTSIDE bin.x',
    /name a file of the package/,
  ],
  [
    'scripts.start without its file',
    { json: { main: undefined, scripts: { start: 'node build/server.js' } } },
    'error FILE_NOT_PACKED scripts.start',
    /list "build" in "files"/,
  ],
  [
    'scripts.start of the repository',
    { json: { scripts: { start: 'node ../../start.js' } } },
    'warning ENTRY_OUTSIDE scripts.start',
    /name a file of the package/,
  ],
  [
    'scripts.start with a migration',
    { json: { scripts: { start: 'node dist/migrate.js && node dist/main.js' } } },
    'warning START_SKIPPED scripts.start',
    /"start": "node dist\/main\.js", and a migration as "bootlace": \{ "migrate": "node dist\/migrate\.js" \}/,
  ],
  [
    'a file that is built and not listed',
    { json: { main: 'lib/x.js' }, around: { isOnDisk: path => path === 'lib/x.js' } },
    'error FILE_NOT_PACKED main',
    /^list "lib" in "files"/,
  ],
  [
    'nothing to start',
    { json: { main: undefined } },
    'error ENTRY_MISSING',
    /name the server in scripts.start, as in "start": "node dist\/main.js"/,
  ],
  [
    'several bins',
    { json: { main: undefined, bin: { a: 'dist/main.js', b: 'dist/main.js' } } },
    'error ENTRY_AMBIGUOUS',
    /"start": "node dist\/main.js"/,
  ],
  [
    'a migration that needs a shell',
    { json: { bootlace: { migrate: 'a && b' } } },
    'error MIGRATE_COMMAND_INVALID bootlace.migrate',
    /node FILE/,
  ],
  [
    'a migration by a tool for development',
    { json: { bootlace: { migrate: 'knex up' }, devDependencies: { knex: '1' } } },
    'error BIN_NOT_FOUND bootlace.migrate',
    /add the package that has knex to "dependencies"/,
  ],
  [
    'a migration by a tool that the lock does not have',
    {
      json: { dependencies: { a: '1.0.0' }, bootlace: { migrate: 'knex up' } },
      files: { 'bootlace-lock.json': lock('1.0.0') },
    },
    'error BIN_NOT_FOUND bootlace.migrate',
    /knex/,
  ],
  [
    'roles that are no object',
    { json: { bootlace: { roles: [] } } },
    'error PACKAGE_CONFIG_INVALID',
    /write for example "bootlace"/,
  ],
  [
    'a misspelled key',
    { json: { bootlace: { role: {} } } },
    'error CONFIG_UNKNOWN_KEY bootlace',
    /correct the key/,
  ],
  [
    'a Node that does not fit',
    { json: { engines: { node: '>=24' } } },
    'error ENGINE_MISMATCH engines.node',
    /NODE_VERSION on Render/,
  ],
  [
    'engines that are no range',
    { json: { engines: { node: 'lts' } } },
    'error ENGINE_MISMATCH engines.node',
    /correct "engines"/,
  ],
  [
    'no lock',
    { json: { dependencies: { a: '1.0.0' } } },
    'warning LOCK_NONE',
    /run: npx bootlace lock/,
  ],
  [
    'a lock that is not packed',
    {
      json: { dependencies: { a: '1.0.0' } },
      around: { isOnDisk: path => path === 'bootlace-lock.json' },
    },
    'error LOCK_NOT_PACKED',
    /"files" of package.json/,
  ],
  [
    'a lock that does not fit',
    { json: { dependencies: { a: '^2.0.0' } }, files: { 'bootlace-lock.json': lock('1.0.0') } },
    'error LOCK_STALE',
    /run: npx bootlace lock/,
  ],
  [
    'a lock of something else',
    { json: { dependencies: {} }, files: { 'bootlace-lock.json': lock('1.0.0') } },
    'error LOCK_STALE',
    /run: npx bootlace lock/,
  ],
  [
    'a lock that is none',
    { json: { dependencies: { a: '1.0.0' } }, files: { 'bootlace-lock.json': '{' } },
    'error LOCK_INVALID',
    /npx bootlace lock/,
  ],
  [
    'install scripts',
    { json: { dependencies: { a: '1.0.0' } }, files: { 'bootlace-lock.json': lock('1.0.0') } },
    'warning DEPENDENCY_SCRIPTS dependencies',
    /BACKEND_SCRIPTS=a /,
  ],
  [
    'source maps that double it',
    { files: { 'dist/main.js.map': 'm'.repeat(60_000) } },
    'warning SIZE_SOURCES files',
    /^add \*\*\/\*\.map and \*\*\/\*\.ts to \.npmignore/,
  ],
  [
    "a test's key",
    { files: { 'test/cert/key.pem': pem('', '\n') } },
    'warning SECRET_TEXT test/cert/key.pem:1',
    /revoke it/,
  ],
];

suite('each fault is found, with its fix', () => {
  for (const [name, sample, wanted, fix] of rows)
    test(name, async () => {
      const found = (await check(sample)).map(({ severity, code, path, file, line, ...rest }) => {
        const place = code.startsWith('SECRET') ? [file, line].filter(Boolean).join(':') : path;
        return { said: [severity, code, place].filter(Boolean).join(' '), ...rest };
      });
      const match = found.find(({ said }) => said === wanted);
      assert(match, `${wanted} is not among ${JSON.stringify(found)}`);
      assert.match(match.fix, fix);
      // Nothing else of the same severity is made up about it.
      const [severity = ''] = wanted.split(' ');
      assert.deepEqual(
        found
          .filter(({ said }) => said.startsWith(severity) && !/LOCK_NONE|SCRIPTS/.test(said))
          .filter(({ said }) => said !== wanted),
        [],
      );
      for (const { message } of found) assert(!/[A-Za-z0-9]{24}/.test(message), message);
    });
});

suite('nothing to say', () => {
  const fine: [name: string, sample: Sample][] = [
    ['a package without dependencies', {}],
    [
      'a bundled workspace package',
      { json: { dependencies: { a: 'workspace:*' }, bundleDependencies: ['a'] } },
    ],
    [
      'development dependencies',
      { json: { devDependencies: { a: 'workspace:*', typescript: '5' } } },
    ],
    [
      'main without extension, as a folder',
      { json: { main: './dist' }, files: { 'dist/index.js': '' } },
    ],
    [
      'main of an inner package.json',
      { json: { main: 'lib' }, files: { 'lib/package.json': '{"main":"x"}', 'lib/x.js': '' } },
    ],
    [
      'exports with patterns, types and a browser',
      {
        json: {
          exports: {
            '.': './dist/main.js',
            './x/*': './dist/*.js',
            './t': { types: './t.d.ts' },
            './b': { browser: './b.js' },
            './no': null,
          },
        },
      },
    ],
    [
      'roles of each kind',
      {
        json: {
          bin: { tidy: 'dist/main.js' },
          bootlace: {
            roles: { web: 'dist/main.js', worker: 'node dist/main.js --w', cron: 'tidy' },
            requires: ['A'],
            migrate: 'tidy',
          },
        },
      },
    ],
    [
      '"release", the name of "migrate" in 0.1',
      { json: { bootlace: { release: 'dist/main.js' } } },
    ],
    ['scripts.start with a shell', { json: { scripts: { start: 'tsc && node dist/main.js' } } }],
    ['.env.example', { files: { '.env.example': 'TOKEN=', '.env.production.sample': '' } }],
    [
      'placeholders',
      {
        files: {
          'README.md': `npm_${'x'.repeat(36)} AKIAIOSFODNN7EXAMPLE ghp_${'1234567890'.repeat(4).replace(/./g, 'a')}`,
        },
      },
    ],
    [
      'a certificate and a header of a key',
      {
        files: {
          'ca.pem': `-----BEGIN CERTIFICATE-----\n${letters}\n`,
          'dist/jwt.js': '"-----BEGIN PRIVATE KEY-----\\n"+key',
        },
      },
    ],
    [
      'keys that a dependency brings',
      { files: { 'node_modules/a/key.pem': pem('', '\n'), 'node_modules/a/.npmrc': '' } },
    ],
    [
      'hashes and long words',
      { files: { 'dist/a.js': `xnpm_${letters.slice(0, 36)} ${letters} npm_config_registry` } },
    ],
    ['small source maps', { files: { 'dist/main.js.map': 'm'.repeat(2000) } }],
    ['types', { files: { 'dist/main.d.ts': 'm'.repeat(80_000) } }],
    ['a Node that fits', { json: { engines: { node: '>=20 <21' } } }],
  ];
  for (const [name, sample] of fine)
    test(name, async () => assert.deepEqual(await check(sample), []));
});

test('errors come first', async () => {
  const found = await check({ json: { main: 'gone.js', dependencies: { typescript: '5' } } });
  assert.deepEqual(
    found.map(({ severity }) => severity),
    ['error', 'warning', 'warning'],
  );
});

test('no manifest and no lock is too odd to be checked', async () => {
  const text = JSON.stringify;
  const oddLock = [
    '[]',
    '{"lockfileVersion":3,"packages":{"":null}}',
    text({ lockfileVersion: 3, packages: { '': { overrides: 7, dependencies: 'x' } } }),
    lock('1.0.0').replace('{"prisma":"b.js"}', '[7]'),
  ];
  const keys =
    'main bin exports scripts engines bootlace dependencies optionalDependencies peerDependencies ' +
    'peerDependenciesMeta bundleDependencies overrides version type devDependencies';
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.constantFrom(...keys.split(' ')),
        fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>,
      ),
      fc.constantFrom(undefined, lock('1.0.0'), ...oddLock),
      async (json, own) => {
        const files = own === undefined ? undefined : { 'bootlace-lock.json': own };
        assert(Array.isArray(await check({ json, files })));
      },
    ),
    { numRuns: 500 },
  );
});
