import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickNode } from '../../../src/files/init/backend-facts';
import { bodyOf, readHead, withHead } from '../../../src/files/init/head';
import { swap } from '../../../src/files/init/template';
import { entry, sourceOf, value as written } from '../../../src/files/init/variables';
import { serviceName } from '../../../src/files/repository';
import { createRepository, initEnds, monorepo, read, sampleMonorepo } from './repositories';

const nodes = [
  [undefined, undefined, /^24\./],
  ['>=20', undefined, /^24\./],
  ['^26.1.0', undefined, /^26\./],
  ['22 || 20', undefined, /^22\./],
  ['24.1.0', undefined, /^24\.1\.0$/],
  ['>=30.2', undefined, /^30\.2\.0$/],
  ['nonsense', undefined, /^24\./],
  ['^24', 'v24.3.0\n', /^24\.3\.0$/],
  ['^26', '24.3.0', /^26\./],
  ['^24', 'lts/*', /^24\./],
] as const;
for (const [engines, pinned, expected] of nodes)
  test(`Node for engines ${engines} and .node-version ${pinned?.trim()}`, () =>
    assert.match(pickNode(engines, pinned), expected));

const around = {
  environment: 'acme',
  first: { name: 'web', type: 'web' },
  isFirst: true,
  ask: ['SIGNING_KEY', 'ASKED_DATABASE_URL', 'ASKED_REDIS_URL'],
  isNext: true,
};
const variables = [
  ['DATABASE_URL', 'fromDatabase: name: acme-db property: connectionString'],
  ['DIRECT_URL', 'fromDatabase: name: acme-db property: connectionString'],
  ['AUDIT_DATABASE_URL', 'fromDatabase: name: acme-db property: connectionString'],
  ['REDIS_URL', 'fromService: type: keyvalue name: acme-redis property: connectionString'],
  ['QUEUE_REDIS_URL', 'fromService: type: keyvalue name: acme-redis property: connectionString'],
  ['JWT_SECRET', 'generateValue: true'],
  ['ENCRYPTION_KEY', 'generateValue: true'],
  ['SIGNING_KEY', 'sync: false'],
  ['OPENAI_API_KEY', 'sync: false'],
  ['SUPABASE_SERVICE_ROLE_KEY', 'sync: false'],
  ['GOOGLE_CLIENT_SECRET', 'sync: false'],
  ['STRIPE_WEBHOOK_SECRET', 'sync: false'],
  ['SMTP_HOST', 'sync: false'],
  ['ASKED_DATABASE_URL', 'sync: false'],
  ['ASKED_REDIS_URL', 'sync: false'],
  ['MONKEY', 'sync: false'],
  ['NEXTAUTH_URL', 'fromService: type: web name: web envVarKey: RENDER_EXTERNAL_URL'],
] as const;
for (const [name, source] of variables)
  test(`${name} comes from ${source}`, () =>
    assert.equal(sourceOf(name, around).join(' ').replace(/ +/g, ' '), source));

test('another service of the environment takes what the first one was given', () =>
  assert.deepEqual(sourceOf('JWT_SECRET', { ...around, isFirst: false }), [
    'fromService:',
    '  type: web',
    '  name: web',
    '  envVarKey: JWT_SECRET',
  ]));

for (const [value, text] of [
  ['true', "'true'"],
  ['3.10', "'3.10'"],
  ['@acme/backend', "'@acme/backend'"],
  ["it's", "'it''s'"],
  ['production', 'production'],
  ['24.22.3', '24.22.3'],
] as const)
  test(`the value ${value} stays a text in YAML`, () =>
    assert.equal(entry('A', written(value)), `      - key: A\n        value: ${text}`));

for (const [text, name] of [
  ['acme-backend', 'acme-backend'],
  ['@Acme/Back_End.api', 'acme-back-end-api'],
  ['--a--', 'a'],
] as const)
  test(`a service is called ${name} for ${text}`, () => assert.equal(serviceName(text), name));

test('a head tells flags and changes, below a #! line as well', () => {
  for (const body of ['a\nb\n', '#!/bin/sh\na\n']) {
    const text = withHead(body, ['--docker']);
    assert.deepEqual(readHead(text), { flags: ['--docker'], isIntact: true });
    const changed = text.replace(/^a\n/m, 'c\n');
    assert.deepEqual(readHead(changed), { flags: ['--docker'], isIntact: false });
    assert.equal(bodyOf(text), body);
  }
  assert.equal(readHead('a\n'), undefined);
});

test('values replace the sample’s in one pass', () =>
  assert.equal(
    swap('@acme/backend acme-backend', {
      '@acme/backend': '@x/acme-backend',
      'acme-backend': 'y',
      absent: 'z',
    }),
    '@x/acme-backend y',
  ));

const workflow = '.github/workflows/publish-backend.yml';
const managers = [
  ['package-lock.json', '- run: npm ci\n', 'npm run build'],
  [
    'pnpm-lock.yaml',
    '- run: corepack enable\n      - run: pnpm install --frozen-lockfile\n',
    'pnpm run build',
  ],
  ['yarn.lock', '- run: yarn install --frozen-lockfile\n', 'yarn run build'],
  ['bun.lock', '- run: bun install --frozen-lockfile\n', 'bun run build'],
  [
    'packages/backend/package-lock.json',
    '- run: npm ci\n        working-directory: packages/backend\n',
    'npm run build',
  ],
] as const;
for (const [lock, install, build] of managers)
  test(`${lock} says how CI installs and builds`, async t => {
    const { 'package-lock.json': _, ...rest } = sampleMonorepo;
    const own = { scripts: { build: 'tsc', test: 'echo "Error: no test specified" && exit 1' } };
    const folder = createRepository(t, {
      ...rest,
      'package.json': { private: true },
      'packages/backend/package.json': {
        ...(monorepo(own)['packages/backend/package.json'] as object),
      },
      [lock]: '',
    });
    await initEnds(folder, '', 0);
    const text = read(folder, workflow);
    assert.ok(text.includes(install), text);
    assert.ok(
      text.includes(`- run: ${build}\n        working-directory: packages/backend\n`),
      text,
    );
    assert.doesNotMatch(text, /run test/);
  });

test('the token is there for the install only where private packages are needed', async t => {
  const needs = /- run: npm ci\n {8}env:\n {10}NODE_AUTH_TOKEN/;
  for (const [dependencies, expected] of [
    [{ '@acme/shared': '1' }, true],
    [{ '@acme/member': '1', express: '5' }, false],
  ] as const) {
    const files = monorepo(
      { dependencies },
      { 'packages/member/package.json': { name: '@acme/member', private: true } },
    );
    const folder = createRepository(t, files);
    await initEnds(folder, '', 0);
    assert.equal(needs.test(read(folder, workflow)), expected);
  }
});
