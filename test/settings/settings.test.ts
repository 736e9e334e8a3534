import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BootlaceError } from '../../src/errors';
import { parseConfig } from '../../src/settings/config-file';
import { parseDotenv } from '../../src/settings/dotenv-file';
import { parsePackageName } from '../../src/settings/package-name';
import { nerfDart, parseRegistryUrl } from '../../src/settings/registry-url';
import { readSettings, type SettingSources } from '../../src/settings/settings';

const none: SettingSources = {
  flags: {},
  env: {},
  dotenv: {},
  config: { values: {}, file: 'package.json' },
};
const backend = { ...none, env: { BACKEND_PACKAGE: '@acme/backend' } };

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof BootlaceError, String(error));
    assert(error.fix.length > 10);
    return error.code;
  }
  return 'none';
}

test('flag, environment, .env, config, default: the first wins and is remembered', () => {
  const all = {
    flags: { 'backend-version': '1.0.0' } as Record<string, unknown>,
    env: { BACKEND_PACKAGE: 'a', BACKEND_VERSION: '2.0.0' } as Record<string, string>,
    dotenv: { BACKEND_VERSION: '3.0.0' } as Record<string, string>,
    config: { values: { version: '4.0.0' } as Record<string, unknown>, file: 'bootlace.json' },
  };
  const version = () => {
    const { value, from } = readSettings(all).version;
    return [value.kind === 'exact' ? value.version : value, from];
  };
  assert.deepEqual(version(), ['1.0.0', '--backend-version']);
  all.flags = {};
  assert.deepEqual(version(), ['2.0.0', 'BACKEND_VERSION']);
  delete all.env.BACKEND_VERSION;
  assert.deepEqual(version(), ['3.0.0', 'BACKEND_VERSION in .env']);
  all.dotenv = {};
  assert.deepEqual(version(), ['4.0.0', '"version" in bootlace.json']);
  all.config.values = {};
  assert.deepEqual(version(), [{ kind: 'tag', tag: 'latest' }, 'default']);
});

test('a blank variable is unset, but a blank pin is an error and never latest', () => {
  assert.equal(
    readSettings({ ...backend, env: { ...backend.env, BACKEND_ENTRY: ' ' } }).entry,
    undefined,
  );
  assert.equal(
    codeOf(() => readSettings({ ...backend, env: { ...backend.env, BACKEND_VERSION: '' } })),
    'VERSION_EMPTY',
  );
});

test('the token is read from the variable that BACKEND_TOKEN_ENV names, and never shows', () => {
  const settings = readSettings({
    ...backend,
    env: { ...backend.env, BACKEND_TOKEN_ENV: 'ACME', ACME: ' secret1 ' },
  });
  assert.equal(settings.token?.value.reveal(), 'secret1');
  assert.equal(settings.token?.from, 'ACME');
  assert.equal(JSON.stringify(settings).includes('secret1'), false);
  assert.equal(String(settings.token?.value), '[secret]');
});

const refusedSettings: [name: string, env: Record<string, string>, code: string][] = [
  ['no package', {}, 'PACKAGE_MISSING'],
  [
    'package with a version',
    { BACKEND_PACKAGE: '@acme/backend@1.2.3' },
    'PACKAGE_NAME_HAS_VERSION',
  ],
  ['package is a path', { BACKEND_PACKAGE: '../backend' }, 'PACKAGE_NAME_INVALID'],
  ['package with a blank', { BACKEND_PACKAGE: 'a b' }, 'PACKAGE_NAME_INVALID'],
  ['package is shell text', { BACKEND_PACKAGE: '@acme/$(id)' }, 'PACKAGE_NAME_INVALID'],
  ['package is node_modules', { BACKEND_PACKAGE: 'node_modules' }, 'PACKAGE_NAME_INVALID'],
  [
    'registry is no URL',
    { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'nonsense' },
    'REGISTRY_URL_INVALID',
  ],
  [
    'registry is a file',
    { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'file:///etc' },
    'REGISTRY_URL_INVALID',
  ],
  [
    'registry has credentials',
    { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'https://u:p@acme.test' },
    'REGISTRY_URL_HAS_CREDENTIALS',
  ],
  [
    'registry has a query',
    { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'https://acme.test/?a=1' },
    'REGISTRY_URL_INVALID',
  ],
  [
    'registry names the owner',
    { BACKEND_PACKAGE: 'a', BACKEND_REGISTRY: 'https://npm.pkg.github.com/acme' },
    'REGISTRY_URL_HAS_OWNER',
  ],
  [
    'token env is a token',
    { BACKEND_PACKAGE: 'a', BACKEND_TOKEN_ENV: 'ghp_0123456789abcdefghij' },
    'TOKEN_ENV_INVALID',
  ],
  [
    'token env has a dash',
    { BACKEND_PACKAGE: 'a', BACKEND_TOKEN_ENV: 'MY-TOKEN' },
    'TOKEN_ENV_INVALID',
  ],
  [
    'token with a line end inside',
    { BACKEND_PACKAGE: 'a', NPM_TOKEN: 'abc\ndef' },
    'TOKEN_MALFORMED',
  ],
  ['entry is absolute', { BACKEND_PACKAGE: 'a', BACKEND_ENTRY: '/bin/sh' }, 'ENTRY_OUTSIDE'],
  [
    'entry leaves the package',
    { BACKEND_PACKAGE: 'a', BACKEND_ENTRY: 'dist/../../x.js' },
    'ENTRY_OUTSIDE',
  ],
  ['memory is a word', { BACKEND_PACKAGE: 'a', BACKEND_MEMORY: 'much' }, 'MEMORY_INVALID'],
  ['memory is tiny', { BACKEND_PACKAGE: 'a', BACKEND_MEMORY: '3' }, 'MEMORY_INVALID'],
  ['memory is negative', { BACKEND_PACKAGE: 'a', BACKEND_MEMORY: '-1' }, 'MEMORY_INVALID'],
  ['args need a shell', { BACKEND_PACKAGE: 'a', BACKEND_ARGS: 'a | b' }, 'ARGS_INVALID'],
  [
    'scripts hold a path',
    { BACKEND_PACKAGE: 'a', BACKEND_SCRIPTS: '../x' },
    'PACKAGE_NAME_INVALID',
  ],
];
for (const [name, env, code] of refusedSettings)
  test(`setting refused: ${name}`, () =>
    assert.equal(
      codeOf(() => readSettings({ ...none, env })),
      code,
    ));

test('the value of a token that stands in the wrong place is not repeated', () => {
  assert.throws(
    () =>
      readSettings({
        ...backend,
        env: { ...backend.env, BACKEND_TOKEN_ENV: 'ghp_0123456789abcdefghij' },
      }),
    (error: Error) => !error.message.includes('ghp_') && !JSON.stringify(error).includes('ghp_0'),
  );
});

const dotenvs: [name: string, text: string, code: string][] = [
  ['plain', 'BACKEND_PACKAGE=a\n# comment\nOTHER', 'none'],
  ['quotes over lines', 'KEY="a\nb"\nBACKEND_PACKAGE=a', 'none'],
  ['ours over lines', 'BACKEND_KEY="-----BEGIN\nabc\n-----END"\nBACKEND_PACKAGE=a', 'none'],
  ['ours over lines, Windows', "BACKEND_KEY='a\r\nb'\r\nBACKEND_PACKAGE=a", 'none'],
  ['a name in a value over lines', 'KEY="a\nBACKEND_PACKAGE is\n"\nBACKEND_PACKAGE=a', 'none'],
  ['a pin that an open quote took', 'KEY="a\nBACKEND_VERSION=1\nB="', 'ENV_FILE_INVALID'],
  ['a wrong line after lines', 'KEY="a\nb"\nBACKEND_PACKAGE a', 'ENV_FILE_INVALID'],
  ['open quote before another', 'BACKEND_VERSION="1.2\nBACKEND_ENTRY="x"', 'ENV_FILE_INVALID'],
  ['no equals sign', 'BACKEND_PACKAGE @acme/backend', 'ENV_FILE_INVALID'],
  ['open quote', 'BACKEND_VERSION="1.2.3', 'ENV_FILE_INVALID'],
  ['binary', 'a\0b', 'ENV_FILE_INVALID'],
];
for (const [name, text, code] of dotenvs)
  test(`.env: ${name}`, () =>
    assert.equal(
      codeOf(() => parseDotenv(text)),
      code,
    ));

const configs: [name: string, texts: Parameters<typeof parseConfig>[0], code: string][] = [
  ['none', {}, 'none'],
  ['bootlace.json', { bootlaceJson: '{"package":"a","scripts":["b"],"memory":256}' }, 'none'],
  ['package.json without settings', { packageJson: '{"name":"a"}' }, 'none'],
  ['publisher keys beside', { packageJson: '{"bootlace":{"roles":{},"requires":[]}}' }, 'none'],
  ['not JSON', { bootlaceJson: '{package: a}' }, 'CONFIG_INVALID'],
  ['cut off', { bootlaceJson: '{"package":' }, 'CONFIG_INVALID'],
  ['a list', { bootlaceJson: '[]' }, 'CONFIG_INVALID'],
  ['a wrong type', { bootlaceJson: '{"package":1}' }, 'CONFIG_INVALID'],
  ['an unknown key', { bootlaceJson: '{"pakage":"a"}' }, 'CONFIG_UNKNOWN_KEY'],
  ['a token', { bootlaceJson: '{"token":"abc"}' }, 'CONFIG_HOLDS_TOKEN'],
  ['two places', { bootlaceJson: '{}', packageJson: '{"bootlace":{}}' }, 'CONFIG_TWICE'],
];
for (const [name, texts, code] of configs)
  test(`config: ${name}`, () =>
    assert.equal(
      codeOf(() => parseConfig(texts)),
      code,
    ));

test('an unknown key in package.json is answered with the keys of a backend, too', () => {
  const fixOf = (texts: Parameters<typeof parseConfig>[0]) => {
    try {
      parseConfig(texts);
    } catch (error) {
      return (error as { fix: string }).fix;
    }
    return '';
  };
  const text = '{"bootlace":{"role":{}}}';
  assert.match(
    fixOf({ packageJson: text }),
    /^use one of package, version, .*; in the backend's own package\.json: roles, requires, migrate, schedules, health$/,
  );
  assert.match(fixOf({ bootlaceJson: '{"role":{}}' }), /^use one of package, [\w, ]+$/);
});

const urls: [text: string, url: string, dart: string][] = [
  ['https://npm.pkg.github.com', 'https://npm.pkg.github.com/', '//npm.pkg.github.com/'],
  ['HTTPS://NPM.PKG.GitHub.com/', 'https://npm.pkg.github.com/', '//npm.pkg.github.com/'],
  ['http://127.0.0.1:4873', 'http://127.0.0.1:4873/', '//127.0.0.1:4873/'],
  ['https://acme.test/Api/npm', 'https://acme.test/Api/npm/', '//acme.test/Api/npm/'],
  [' https://acme.test:8443/a/b// ', 'https://acme.test:8443/a/b/', '//acme.test:8443/a/b/'],
  ['https://acme.test:443/', 'https://acme.test/', '//acme.test/'],
];
for (const [text, url, dart] of urls)
  test(`registry ${text}`, () => {
    assert.equal(parseRegistryUrl(text, 'BACKEND_REGISTRY'), url);
    assert.equal(nerfDart(url), dart);
  });

test('a registry without a scheme is told what to type', () => {
  assert.throws(() => parseRegistryUrl('npm.pkg.github.com', 'X'), {
    fix: 'set X=https://npm.pkg.github.com',
  });
});

test('a package name keeps its scope', () =>
  assert.equal(parsePackageName(' @acme/backend ', 'X'), '@acme/backend'));
