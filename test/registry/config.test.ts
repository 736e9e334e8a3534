import assert from 'node:assert/strict';
import { test } from 'node:test';
import defaults from 'npm-registry-fetch/lib/default-opts.js';
import { planRegistry, registryOf } from '../../src/registry/config/config';
import { checkForNpm, credentialsFor } from '../../src/registry/config/credentials';
import {
  credentialVariables,
  parseNpmrc,
  renderNpmrc,
  sectionsOf,
  withoutManagedLines,
} from '../../src/registry/config/npmrc';
import type { NpmrcLevel } from '../../src/registry/config/npmrc-files';
import { readSettings } from '../../src/settings/settings';

const now = Date.parse('2026-06-15T12:00:00Z');
const github = 'https://npm.pkg.github.com/';

interface Case {
  env?: Record<string, string>;
  project?: string;
  user?: string;
  npmConfig?: Record<string, string>;
}

function plan({ env = {}, project, user, npmConfig = {} }: Case) {
  const settings = readSettings({
    flags: {},
    env: { BACKEND_PACKAGE: '@acme/backend', ...env },
    dotenv: {},
    config: { values: {}, file: 'package.json' },
  });
  const levels: NpmrcLevel[] = [{ from: 'npm_config variables', keys: npmConfig }];
  if (project !== undefined)
    levels.push({
      from: '.npmrc',
      keys: parseNpmrc(project, env),
      variables: credentialVariables(project, env),
      sections: sectionsOf(project),
      ownKeys: parseNpmrc(withoutManagedLines(project), env),
    });
  if (user !== undefined)
    levels.push({ from: 'user .npmrc', keys: parseNpmrc(user, env, 'user .npmrc') });
  return planRegistry(settings, levels, env, now);
}

const acme = 'https://acme.test/npm/';
const npms = defaults.registry;
const rules: [name: string, given: Case, registry: string, from: RegExp][] = [
  [
    'BACKEND_REGISTRY wins',
    { env: { BACKEND_REGISTRY: acme }, project: '@acme:registry=https://other.test' },
    acme,
    /BACKEND_REGISTRY/,
  ],
  [
    'the project names the scope',
    { project: `@acme:registry=${acme}`, env: { NPM_TOKEN: 'abcd' } },
    acme,
    /in \.npmrc/,
  ],
  ['the user names the scope', { user: `@acme:registry=${acme}` }, acme, /user \.npmrc/],
  ['scoped with a token', { env: { NPM_TOKEN: 'abcd' } }, github, /scoped and NPM_TOKEN is set/],
  [
    "npm's own registry as the default names nothing",
    { project: `registry=${npms}`, env: { NPM_TOKEN: 'abcd' } },
    github,
    /scoped and NPM_TOKEN is set/,
  ],
  [
    'another default registry in .npmrc',
    { project: 'registry=http://127.0.0.1:4873/', env: { NPM_TOKEN: 'abcd' } },
    'http://127.0.0.1:4873/',
    /registry in \.npmrc/,
  ],
  [
    'another default registry of the user',
    { user: 'registry=https://mirror.test/npm', env: { NPM_TOKEN: 'abcd' } },
    'https://mirror.test/npm/',
    /registry in user/,
  ],
  [
    'another default registry in npm_config_registry',
    { npmConfig: { registry: 'https://mirror.test' }, env: { NPM_TOKEN: 'abcd' } },
    'https://mirror.test/',
    /npm_config/,
  ],
  [
    'a line gives this token to another host',
    { user: '//verdaccio.test/:_authToken=${NPM_TOKEN}', env: { NPM_TOKEN: 'abcd' } },
    npms,
    /gives NPM_TOKEN to \/\/verdaccio\.test\//,
  ],
  [
    'a line gives this token to another host, written out',
    { project: '//verdaccio.test/:_authToken=abcd', env: { NPM_TOKEN: 'abcd' } },
    npms,
    /gives NPM_TOKEN to/,
  ],
  [
    'a line gives this token to GitHub Packages',
    { project: '//npm.pkg.github.com/:_authToken=${NPM_TOKEN}', env: { NPM_TOKEN: 'abcd' } },
    github,
    /scoped and/,
  ],
  [
    'a line gives another token to another host',
    { project: '//verdaccio.test/:_authToken=efgh', env: { NPM_TOKEN: 'abcd' } },
    github,
    /scoped and/,
  ],
  [
    'scoped without a token',
    { user: 'registry=https://mirror.test' },
    'https://mirror.test/',
    /registry in user/,
  ],
  [
    'npm_config_registry beats .npmrc',
    { project: 'registry=https://a.test', npmConfig: { registry: 'https://b.test' } },
    'https://b.test/',
    /npm_config/,
  ],
  [
    'not scoped with a token',
    { env: { BACKEND_PACKAGE: 'backend', NPM_TOKEN: 'abcd' }, user: 'registry=https://a.test' },
    'https://a.test/',
    /user/,
  ],
];
for (const [name, given, registry, from] of rules)
  test(`registry rule: ${name}`, () => {
    const config = plan(given);
    assert.equal(config.registry.value, registry);
    assert.match(config.registry.from, from);
    assert.equal(registryOf('@acme/backend', config), registry);
  });

const holders: [name: string, given: Case, sees: Record<string, string | undefined>][] = [
  [
    'a default registry with its own line',
    {
      project: 'registry=http://127.0.0.1:4873/\n//127.0.0.1:4873/:_authToken=${NPM_TOKEN}',
      env: { NPM_TOKEN: 'abcd' },
    },
    { 'http://127.0.0.1:4873/@acme%2fbackend': 'abcd', [github]: undefined },
  ],
  [
    'a default registry without a line',
    { project: 'registry=https://mirror.test/', env: { NPM_TOKEN: 'abcd' } },
    { 'https://mirror.test/@acme%2fbackend': undefined, [github]: undefined },
  ],
  [
    'a line for another host and no registry',
    { project: '//verdaccio.test/:_authToken=${NPM_TOKEN}', env: { NPM_TOKEN: 'abcd' } },
    { [npms]: undefined, [github]: undefined, 'https://verdaccio.test/a': 'abcd' },
  ],
  [
    'BACKEND_REGISTRY',
    {
      project: 'registry=https://mirror.test/',
      env: { NPM_TOKEN: 'abcd', BACKEND_REGISTRY: acme },
    },
    { [acme]: 'abcd', 'https://mirror.test/': undefined, [github]: undefined },
  ],
];
for (const [name, given, sees] of holders)
  test(`who would see the token: ${name}`, () => {
    const config = plan(given);
    for (const [url, token] of Object.entries(sees))
      assert.equal(credentialsFor(url, config)?.token?.reveal(), token, url);
  });

test('packages outside the scope come from the registry that the user names', () => {
  const config = plan({
    env: { NPM_TOKEN: 'abcd' },
    user: 'registry=https://mirror.test\n@tools:registry=https://tools.test',
  });
  assert.equal(registryOf('express', config), 'https://mirror.test/');
  assert.equal(registryOf('@tools/x', config), 'https://tools.test/');
});

test('a token of a package without a registry of its own goes nowhere', () => {
  const config = plan({ env: { BACKEND_PACKAGE: 'backend', NPM_TOKEN: 'abcd' } });
  assert.equal(credentialsFor(config.registry.value, config), undefined);
  assert.match(config.warnings.join(), /NPM_TOKEN is not used/);
  assert.deepEqual(config.managedLines, []);
});

const places: [url: string, seen: string | undefined][] = [
  ['https://acme.test:8443/npm/@acme%2fbackend', 'abcd'],
  ['https://acme.test:8443/npm/x/-/x-1.tgz', 'abcd'],
  ['https://acme.test:8443/npm/own/x', 'efgh'],
  // A registry may serve tarballs beside its path (npm sends its credentials there, too).
  ['https://acme.test:8443/npmx/a', 'abcd'],
  ['http://acme.test:8443/npm/a', undefined],
  ['https://acme.test/npm/a', undefined],
  ['https://acme.test.evil.test:8443/npm/a', undefined],
  ['https://other.test/deep/a', 'ijkl'],
  ['https://other.test/deeper/a', undefined],
  ['https://other.test/', undefined],
  ['http://other.test/deep/a', undefined],
];
for (const [url, seen] of places)
  test(`credentials belong to a host, a port and a path: ${url}`, () => {
    const config = plan({
      env: { BACKEND_REGISTRY: 'https://acme.test:8443/npm/', NPM_TOKEN: 'abcd' },
      user: '//acme.test:8443/npm/own/:_authToken=efgh\n//other.test/deep/:_authToken=ijkl',
    });
    assert.equal(credentialsFor(url, config)?.token?.reveal(), seen);
  });

const byNpm: [url: string, isRefused: boolean][] = [
  ['https://acme.test/npm/x.tgz', false],
  ['http://acme.test/npm/x.tgz', true],
  ['http://acme.test/x.tgz', false],
  ['http://other.test/npm/x.tgz', false],
  ['http://acme.test:8080/npm/x.tgz', false],
];
for (const [url, isRefused] of byNpm)
  test(`npm ${isRefused ? 'would send the token over plain http' : 'sends no token in the clear'}: ${url}`, () => {
    const config = plan({ env: { BACKEND_REGISTRY: acme, NPM_TOKEN: 'abcd' } });
    const check = () => checkForNpm(url, config);
    if (isRefused) assert.throws(check, { code: 'REGISTRY_INSECURE' });
    else check();
    checkForNpm(url, { ...config, insecure: true });
  });

const needed: [name: string, given: Case, missing: string | undefined][] = [
  ['GitHub Packages always needs one', { env: { BACKEND_REGISTRY: github } }, 'NPM_TOKEN'],
  ['a blank one is none', { env: { BACKEND_REGISTRY: github, NPM_TOKEN: '  ' } }, 'NPM_TOKEN'],
  [
    'a renamed one is asked for by its name',
    { env: { BACKEND_REGISTRY: github, BACKEND_TOKEN_ENV: 'ACME' } },
    'ACME',
  ],
  [
    'a line in .npmrc names an unset one',
    { project: `@acme:registry=${acme}\n//acme.test/npm/:_authToken=\${CI_TOKEN}` },
    'CI_TOKEN',
  ],
  [
    'the user has a literal one',
    { env: { BACKEND_REGISTRY: github }, user: '//npm.pkg.github.com/:_authToken=abcd' },
    undefined,
  ],
  ['another registry may be open', { env: { BACKEND_REGISTRY: acme } }, undefined],
];
for (const [name, given, missing] of needed)
  test(`token: ${name}`, () => assert.equal(plan(given).tokenMissing?.facts.variable, missing));

const secretLines: [line: string, variables: string[]][] = [
  ['//acme.test:8443/npm/:_authToken=${MINE}', ['MINE']],
  ['//acme.test:8443/npm:_authToken=${MINE}', ['MINE']],
  ['//acme.test:8443/:_authToken=${MINE}', ['MINE']],
  ['//acme.test:8443:_authToken=${MINE}', ['MINE']],
  ['//acme.test:8443/npm/own/:_auth=${MINE?}', ['MINE']],
  ['"//acme.test:8443/npm/:_authToken"="${MINE}"', ['MINE']],
  ['//${HOST}/npm/:_authToken=${MINE}', ['MINE']],
  ['//acme.test:8443/:_password=${HALF}${MINE}', ['HALF', 'MINE']],
  ['//acme.test:8443/:username=${MINE}', []],
  ['//acme.test/:_authToken=${MINE}', []],
  ['//acme.test:84430/:_authToken=${MINE}', []],
  ['# //acme.test:8443/:_authToken=${MINE}', []],
];
for (const [line, variables] of secretLines)
  test(`variables that the backend never gets: ${line}`, () => {
    const env = { BACKEND_REGISTRY: 'https://acme.test:8443/npm/', MINE: 'efgh', HALF: 'ab' };
    const { secretEnv } = plan({ project: line, env: { ...env, HOST: 'acme.test:8443' } });
    assert.deepEqual(secretEnv, variables);
  });

const managed: [name: string, given: Case, lines: string[]][] = [
  [
    'scope and token',
    { env: { NPM_TOKEN: 'abcd' } },
    [`@acme:registry=${github}`, '//npm.pkg.github.com/:_authToken=${NPM_TOKEN}'],
  ],
  [
    'a renamed token',
    { env: { BACKEND_TOKEN_ENV: 'ACME', ACME: 'abcd' } },
    [`@acme:registry=${github}`, '//npm.pkg.github.com/:_authToken=${ACME}'],
  ],
  ['a public package needs none', { env: { BACKEND_PACKAGE: 'backend' } }, []],
  [
    'no scope, but a registry',
    { env: { BACKEND_PACKAGE: 'backend', BACKEND_REGISTRY: acme } },
    [`registry=${acme}`],
  ],
  [
    'the user has both lines',
    {
      env: { NPM_TOKEN: 'abcd' },
      project: `@acme:registry=${github}\n//npm.pkg.github.com/:_authToken=\${NPM_TOKEN}\n`,
    },
    [],
  ],
  [
    'the user has another token',
    {
      env: { NPM_TOKEN: 'abcd', MINE: 'efgh' },
      project: '//npm.pkg.github.com/:_authToken=${MINE}\n',
    },
    [`@acme:registry=${github}`],
  ],
];
for (const [name, given, lines] of managed)
  test(`managed lines: ${name}`, () => assert.deepEqual(plan(given).managedLines, lines));

test('managed lines stay when the next setup has no token at hand', () => {
  const lines = plan({ env: { NPM_TOKEN: 'abcd' } }).managedLines;
  const project = renderNpmrc(undefined, lines);
  const config = plan({ project });
  assert.deepEqual(config.managedLines, lines);
  assert.equal(config.tokenMissing?.code, 'TOKEN_MISSING');
});

test('what npm goes on without is no hindrance, and is said', () => {
  const lines = ['cafile=${UNSET}', 'proxy=${UNSET}', 'https-proxy=${UNSET}', '[npm]', 'a=1'];
  const { network, warnings } = plan({
    project: lines.join('\n'),
    env: { HTTPS_PROXY: 'http://proxy.test:1' },
  });
  assert.equal(network.ca, undefined);
  assert.equal(network.proxy, undefined);
  assert.equal(network.httpsProxy?.value, 'http://proxy.test:1');
  const said = warnings.join('\n');
  for (const key of ['cafile', 'proxy', 'https-proxy', '\\[npm\\]'])
    assert.match(said, new RegExp(`(^|\n)(npm .*)?${key} in \\.npmrc`));
});

test('the registry of another scope counts when it is asked for', () => {
  const config = plan({
    project: ['@blank:registry=', '@unset:registry=${UNSET}', '@odd:registry=nowhere'].join('\n'),
    env: { BACKEND_REGISTRY: acme, NPM_TOKEN: 'abcd' },
  });
  assert.equal(registryOf('@acme/backend', config), acme);
  assert.equal(registryOf('@blank/a', config), config.defaultRegistry.value);
  for (const name of ['@unset/a', '@odd/a'])
    assert.throws(() => registryOf(name, config), { code: 'REGISTRY_URL_INVALID' });
  assert.equal(credentialsFor('https://x.test/a.tgz', config), undefined);
  const own = plan({ project: '@acme:registry=', env: { BACKEND_REGISTRY: acme } });
  assert.deepEqual(own.managedLines, [`@acme:registry=${acme}`]);
  assert.throws(() => plan({ project: '@acme:registry=${UNSET}' }), {
    code: 'REGISTRY_URL_INVALID',
  });
});
