import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, temporaryFolder } from '../support/run';
import { snapshot } from '../support/snapshot';

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
let registry: FakeRegistry;

before(async () => {
  registry = await FakeRegistry.start({
    tokens: { [token]: { denied: ['@acme/secret'] }, ghp_noscope0: { readPackages: false } },
  });
  const server = { 'main.js': 'setInterval(() => {}, 1000)' };
  registry.publish({ name: '@acme/backend', version: '1.0.0', main: 'main.js' }, server);
  registry.publish({ name: '@acme/secret', version: '1.0.0', main: 'main.js' }, server);
  registry.publish(
    { name: '@acme/future', version: '1.0.0', main: 'main.js', engines: { node: '>=99' } },
    server,
  );
  registry.publish({ name: '@acme/no-entry', version: '1.0.0' }, { 'readme.txt': 'x' });
  registry.publish(
    { name: '@acme/two', version: '1.0.0', bin: { x: 'x.js', y: 'y.js' } },
    { 'x.js': '', 'y.js': '' },
  );
  registry.publish(
    {
      name: '@acme/no-dep',
      version: '1.0.0',
      main: 'main.js',
      dependencies: { '@acme/nothing': '1.0.0' },
    },
    server,
  );
  registry.publish(
    {
      name: '@acme/no-dep-version',
      version: '1.0.0',
      main: 'main.js',
      dependencies: { '@acme/backend': '9.9.9' },
    },
    server,
  );
  registry.publish(
    {
      name: '@acme/workspace',
      version: '1.0.0',
      main: 'main.js',
      dependencies: { '@acme/backend': 'workspace:*' },
    },
    server,
  );
  registry.publish({ name: '@acme/tampered', version: '1.0.0', main: 'main.js' }, server);
  registry.patch('@acme/tampered', '1.0.0', manifest => {
    manifest.dist.integrity = `sha512-${Buffer.alloc(64).toString('base64')}`;
  });
});
after(() => registry.close());

interface Row {
  name: string;
  code: string;
  exit: number;
  message?: RegExp;
  fix: RegExp;
  env?: Record<string, string | undefined>;
  args?: string[];
  files?: Record<string, string>;
  prepare?: (dir: string) => void;
}

const version = (text: string, code: string): Row => ({
  name: `version ${JSON.stringify(text.slice(0, 24))}`,
  env: { BACKEND_VERSION: text },
  code,
  exit: 3,
  fix: /set BACKEND_VERSION to a version/,
});
const pkg = (name: string, code: string, exit: number, fix: RegExp): Row => ({
  name: `package ${name}`,
  env: { BACKEND_PACKAGE: name },
  code,
  exit,
  fix,
});

const rows: Row[] = [
  version('', 'VERSION_EMPTY'),
  version('1'.repeat(10_240), 'VERSION_TOO_LONG'),
  version('1.0.0; rm -rf /', 'VERSION_INVALID'),
  version('../x', 'VERSION_IS_PATH'),
  version('file:..', 'VERSION_IS_PATH'),
  version('git+ssh://git@github.com/acme/backend', 'VERSION_IS_URL'),
  version('https://acme.test/x.tgz', 'VERSION_IS_PATH'),
  version('npm:other@1', 'VERSION_IS_ALIAS'),
  {
    name: 'a version that does not exist',
    env: { BACKEND_VERSION: '1.0.1' },
    code: 'VERSION_NOT_FOUND',
    exit: 5,
    fix: /set BACKEND_VERSION to one of these/,
  },
  {
    name: 'a tag that does not exist',
    env: { BACKEND_VERSION: 'beta' },
    code: 'VERSION_NOT_FOUND',
    exit: 5,
    fix: /set BACKEND_VERSION/,
  },
  {
    name: 'a range that nothing is in',
    env: { BACKEND_VERSION: '^7.0.0' },
    code: 'VERSION_NOT_FOUND',
    exit: 5,
    fix: /set BACKEND_VERSION/,
  },
  {
    name: 'no package',
    env: { BACKEND_PACKAGE: undefined },
    code: 'PACKAGE_MISSING',
    exit: 3,
    fix: /BACKEND_PACKAGE=@acme/,
  },
  pkg('@acme/backend@1.0.0', 'PACKAGE_NAME_HAS_VERSION', 3, /BACKEND_VERSION=1\.0\.0/),
  pkg('../backend', 'PACKAGE_NAME_INVALID', 3, /set BACKEND_PACKAGE/),
  pkg('@acme/nothing', 'PACKAGE_NOT_FOUND', 5, /check BACKEND_PACKAGE/),
  pkg('@acme/secret', 'NO_ACCESS', 4, /read access/),
  pkg('@acme/future', 'ENGINE_MISMATCH', 3, /use a Node that fits/),
  pkg('@acme/no-entry', 'ENTRY_MISSING', 5, /name the server in "main"/),
  pkg('@acme/two', 'ENTRY_AMBIGUOUS', 5, /set BACKEND_ENTRY/),
  pkg('@acme/no-dep', 'DEPENDENCY_NOT_FOUND', 5, /dependencies/),
  pkg('@acme/no-dep-version', 'DEPENDENCY_VERSION_NOT_FOUND', 5, /publish again/),
  pkg('@acme/workspace', 'DEPENDENCY_PROTOCOL', 8, /workspace:/),
  pkg('@acme/tampered', 'INTEGRITY_MISMATCH', 6, /do not install this|run the same command/),
  {
    name: 'an unknown token',
    env: { NPM_TOKEN: 'abcdefgh' },
    code: 'TOKEN_INVALID',
    exit: 4,
    fix: /make a new token/,
  },
  {
    name: 'a token without its scope',
    env: { NPM_TOKEN: 'ghp_noscope0' },
    code: 'TOKEN_SCOPE',
    exit: 4,
    fix: /read:packages/,
  },
  {
    name: 'an unknown token on Render',
    env: { NPM_TOKEN: 'abcdefgh', RENDER: 'true' },
    code: 'TOKEN_INVALID',
    exit: 4,
    fix: /set NPM_TOKEN \(on the service's page under Environment\) to it/,
  },
  {
    name: 'no token in a workflow',
    env: { NPM_TOKEN: undefined, GITHUB_ACTIONS: 'true' },
    code: 'TOKEN_MISSING',
    exit: 4,
    fix: /set NPM_TOKEN \(in the step's env, from a secret\) to a token/,
  },
  {
    name: 'GitHub Packages without a token, on Render',
    env: { NPM_TOKEN: ' ', BACKEND_REGISTRY: 'https://npm.pkg.github.com', RENDER: 'true' },
    code: 'TOKEN_MISSING',
    exit: 4,
    fix: /set NPM_TOKEN \(on the service's page under Environment\) to a token/,
  },
  {
    name: 'a token of two words on Render',
    env: { NPM_TOKEN: 'abc def', RENDER: 'true' },
    code: 'TOKEN_MALFORMED',
    exit: 3,
    fix: /set NPM_TOKEN \(on the service's page under Environment\) again/,
  },
  {
    name: 'a token of two words',
    env: { NPM_TOKEN: 'abc def' },
    code: 'TOKEN_MALFORMED',
    exit: 3,
    fix: /as one word/,
  },
  {
    name: 'no token',
    env: { NPM_TOKEN: undefined },
    code: 'TOKEN_MISSING',
    exit: 4,
    fix: /set NPM_TOKEN/,
  },
  {
    name: 'GitHub Packages without a token',
    env: { NPM_TOKEN: ' ', BACKEND_REGISTRY: 'https://npm.pkg.github.com' },
    code: 'TOKEN_MISSING',
    exit: 4,
    fix: /classic token with read:packages/,
  },
  {
    name: 'a token where its name belongs',
    env: { BACKEND_TOKEN_ENV: token },
    code: 'TOKEN_ENV_INVALID',
    exit: 3,
    fix: /name such as NPM_TOKEN/,
  },
  {
    name: 'a registry that is no address',
    env: { BACKEND_REGISTRY: 'npm.pkg.github.com' },
    code: 'REGISTRY_URL_INVALID',
    exit: 3,
    fix: /https:\/\/npm\.pkg/,
  },
  {
    name: 'a registry with credentials',
    env: { BACKEND_REGISTRY: 'https://a:b@acme.test' },
    code: 'REGISTRY_URL_HAS_CREDENTIALS',
    exit: 3,
    fix: /NPM_TOKEN/,
  },
  {
    name: 'an entry outside',
    env: { BACKEND_ENTRY: '../../etc/passwd' },
    code: 'ENTRY_OUTSIDE',
    exit: 3,
    fix: /set BACKEND_ENTRY/,
  },
  {
    name: 'an entry that is not there',
    env: { BACKEND_ENTRY: 'worker' },
    code: 'ENTRY_NOT_FOUND',
    exit: 5,
    fix: /package|BACKEND_ENTRY/,
  },
  {
    name: 'memory of no amount',
    env: { BACKEND_MEMORY: 'lots' },
    code: 'MEMORY_INVALID',
    exit: 3,
    fix: /auto, off/,
  },
  {
    name: 'args for a shell',
    env: { BACKEND_ARGS: '$(id)' },
    code: 'ARGS_INVALID',
    exit: 3,
    fix: /plain words/,
  },
  {
    name: 'scripts of a path',
    env: { BACKEND_SCRIPTS: './x' },
    code: 'PACKAGE_NAME_INVALID',
    exit: 3,
    fix: /set BACKEND_SCRIPTS/,
  },
  {
    name: '.npmrc with half a block',
    files: { '.npmrc': '# bootlace begin\n' },
    code: 'NPMRC_MARKERS',
    exit: 3,
    fix: /remove the lines/,
  },
  {
    name: '.npmrc with a bare token',
    files: { '.npmrc': '_authToken=abcdefgh\n' },
    code: 'NPMRC_BARE_AUTH',
    exit: 3,
    fix: /:_authToken=\$\{NPM_TOKEN\}/,
  },
  {
    name: '.npmrc that is binary',
    files: { '.npmrc': 'a\0' },
    code: 'NPMRC_INVALID',
    exit: 3,
    fix: /key=value/,
  },
  {
    name: '.npmrc that is a folder',
    prepare: dir => mkdirSync(join(dir, '.npmrc')),
    code: 'FILE_UNREADABLE',
    exit: 3,
    fix: /move it away/,
  },
  {
    name: 'a certificate file that is a folder',
    files: { '.npmrc': 'cafile=/etc\n' },
    code: 'CAFILE_UNREADABLE',
    exit: 3,
    fix: /cafile/,
  },
  {
    name: 'a proxy that is none',
    env: { HTTPS_PROXY: 'ftp://user:secretsecret@127.0.0.1:1080' },
    code: 'PROXY_INVALID',
    exit: 3,
    fix: /http:\/\/proxy/,
  },
  {
    name: 'bootlace.json that is not JSON',
    files: { 'bootlace.json': '{,}' },
    code: 'CONFIG_INVALID',
    exit: 3,
    fix: /correct bootlace\.json/,
  },
  {
    name: 'bootlace.json with an unknown key',
    files: { 'bootlace.json': '{"versoin":"1"}' },
    code: 'CONFIG_UNKNOWN_KEY',
    exit: 3,
    fix: /use one of/,
  },
  {
    name: 'bootlace.json with a token',
    files: { 'bootlace.json': '{"npmToken":"x"}' },
    code: 'CONFIG_HOLDS_TOKEN',
    exit: 3,
    fix: /revoke/,
  },
  {
    name: 'package.json that is not JSON',
    files: { 'package.json': '{' },
    code: 'CONFIG_INVALID',
    exit: 3,
    fix: /correct package\.json/,
  },
  {
    name: '.env without an equals sign',
    files: { '.env': 'BACKEND_VERSION 1.0.0\n' },
    code: 'ENV_FILE_INVALID',
    exit: 3,
    fix: /BACKEND_VERSION=value/,
  },
  {
    name: '.env with an open quote',
    files: { '.env': 'BACKEND_VERSION="1.0.0\n' },
    code: 'ENV_FILE_INVALID',
    exit: 3,
    fix: /in \.env/,
  },
  {
    name: "a server.js of the user's",
    files: { 'server.js': 'console.log(1)\n' },
    code: 'SERVER_FILE_TAKEN',
    exit: 3,
    fix: /^run: npx bootlace setup --server-file start\.js$/,
  },
  {
    name: 'a server file elsewhere',
    args: ['--server-file', '../x.js'],
    code: 'SERVER_FILE_INVALID',
    exit: 2,
    fix: /--server-file start\.js/,
  },
  {
    name: 'a local build that is not there',
    args: ['--from', './nothing'],
    code: 'FROM_NOT_FOUND',
    exit: 5,
    fix: /package's folder|package\.json/,
  },
  { name: 'an unknown flag', args: ['--frobnicate'], code: 'FLAG_INVALID', exit: 2, fix: /--help/ },
  {
    name: 'a scope without its @',
    args: ['--package', 'acme/api'],
    code: 'PACKAGE_NAME_INVALID',
    exit: 3,
    fix: /^set --package to @acme\/api$/,
  },
  {
    name: 'a word too many',
    args: ['production'],
    code: 'WORD_UNEXPECTED',
    exit: 2,
    fix: /^type: npx bootlace setup$/,
  },
  {
    name: 'a package without its flag',
    args: ['@acme/api'],
    code: 'WORD_UNEXPECTED',
    exit: 2,
    fix: /^type: npx bootlace setup --package @acme\/api$/,
  },
  {
    name: 'words for a backend that is not started',
    args: ['--', '--port', '80'],
    code: 'WORD_UNEXPECTED',
    exit: 2,
    fix: /node server\.js WORDS/,
  },
  {
    name: 'a file that is no tarball',
    args: ['--from', 'install.sh'],
    files: { 'install.sh': '#!/bin/sh' },
    code: 'FROM_INVALID',
    exit: 3,
    fix: /give --from/,
  },
  {
    name: 'a file that is no lock',
    args: ['--lock', 'install.sh'],
    files: { 'install.sh': '#!/bin/sh' },
    code: 'LOCK_INVALID',
    exit: 3,
    fix: /give --lock a file that this wrote: npx bootlace setup --save-lock/,
  },
  {
    name: 'a version by flag that is not there',
    args: ['--backend-version', '9.9.9', '--wait-for', '0.01'],
    code: 'VERSION_NOT_FOUND',
    exit: 5,
    fix: /^set --backend-version, or the variable in it, to one of these/,
    message: /has no version 9\.9\.9, after waiting 1 s$/,
  },
  {
    name: 'a range that fits nothing',
    env: { BACKEND_VERSION: '^9' },
    code: 'VERSION_NOT_FOUND',
    exit: 5,
    fix: /^set BACKEND_VERSION to one of these/,
    message: /has no version in \^9$/,
  },
  {
    name: 'minutes that are none',
    args: ['--wait-for', 'long'],
    code: 'WAIT_FOR_INVALID',
    exit: 2,
    fix: /--wait-for 10/,
  },
  {
    name: 'a folder that is a file',
    args: ['--dir', 'file'],
    files: { file: 'x' },
    code: 'NOT_WRITABLE',
    exit: 8,
    fix: /--dir/,
  },
];

for (const row of rows)
  test(`${row.name}: ${row.code}, exit ${row.exit}`, async t => {
    const dir = temporaryFolder(t);
    for (const [name, text] of Object.entries(row.files ?? {}))
      writeFileSync(join(dir, name), text);
    row.prepare?.(dir);
    const before = snapshot(dir);
    const env = {
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_REGISTRY: registry.url,
      NPM_TOKEN: token,
      npm_config_registry: registry.url,
      ...row.env,
    };
    const { code, stdout, stderr } = await bootlace(['setup', '--json', ...(row.args ?? [])], {
      cwd: dir,
      env,
    });
    const { error } = JSON.parse(stdout) as {
      error: { code: string; fix: string; message: string };
    };
    assert.deepEqual([error.code, code], [row.code, row.exit], error.message);
    assert.match(error.fix, row.fix);
    assert.match(error.message, row.message ?? /./);
    assert.equal(/\n\s+at /.test(stdout + stderr), false, 'no stack trace');
    assert.equal(`${stdout}${stderr}`.includes(token), false);
    // The log of a failed npm is the one thing that may stay, since the error names it.
    const left = Object.fromEntries(
      Object.entries(snapshot(dir)).filter(
        ([path]) => !/^\.bootlace(\/\.gitignore|\/cache(\/logs(\/.*)?)?)?$/.test(path),
      ),
    );
    assert.deepEqual(left, before);
  });

test('the table is long enough and every code has its own name', () => {
  assert(rows.length >= 40);
  assert(new Set(rows.map(({ code }) => code)).size >= 35);
});

test('a folder without write permission', {
  skip: process.getuid?.() !== 0 && 'only root can change to another user',
}, async t => {
  const dir = temporaryFolder(t);
  chmodSync(dir, 0o555);
  chownSync(dir, 0, 0);
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
  };
  const { code, stdout } = await bootlace(['setup', '--json'], { cwd: dir, env, uid: 65534 });
  assert.equal(code, 8);
  assert.equal(JSON.parse(stdout).error.code, 'NOT_WRITABLE');
  assert.deepEqual(snapshot(dir), {});
});
