import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import { BootlaceError } from '../../src/errors';
import { createRegistryClient } from '../../src/registry/client';
import { planRegistry } from '../../src/registry/config/config';
import { resolveVersion } from '../../src/registry/resolve';
import { parseRetryAfter } from '../../src/registry/retry';
import { readSettings } from '../../src/settings/settings';
import { FakeRegistry, type Fault, type TokenRights } from '../support/fake-registry';
import { httpProxy, serve } from '../support/servers';

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';

/** A clock that sleeping moves, and that remembers the waits. */
function fakeClock() {
  let now = 1_000_000;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    sleep: async (ms: number) => {
      waits.push(ms);
      now += ms;
    },
    nodeVersion: '20.20.0',
  };
}

async function setUp(
  t: { after(fn: () => Promise<void>): void },
  rights: Record<string, TokenRights> = { [token]: {} },
  sent = token,
) {
  const registry = await FakeRegistry.start({ tokens: rights });
  t.after(() => registry.close());
  registry.publish({ name: '@acme/backend', version: '1.0.0' });
  const settings = readSettings({
    flags: {},
    env: {
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_REGISTRY: registry.url,
      ...(sent && { NPM_TOKEN: sent }),
    },
    dotenv: {},
    config: { values: {}, file: '' },
  });
  const config = planRegistry(settings, [], {}, 0);
  const io = fakeClock();
  const client = createRegistryClient({ io, config, deadlineMs: 30_000 });
  return { registry, io, client, config };
}

async function failureOf(run: Promise<unknown>): Promise<BootlaceError> {
  try {
    await run;
  } catch (error) {
    assert(error instanceof BootlaceError, String(error));
    return error;
  }
  throw new Error('it succeeded');
}

test('the packument comes with the token, and never from a cache', async t => {
  const { registry, client } = await setUp(t);
  await client.packument('@acme/backend');
  registry.publish({ name: '@acme/backend', version: '1.1.0' });
  assert.equal((await client.packument('@acme/backend'))['dist-tags'].latest, '1.1.0');
  assert.deepEqual(
    new Set(registry.requests.map(({ authorization }) => authorization)),
    new Set([`Bearer ${token}`]),
  );
});

const refusals: [name: string, rights: Record<string, TokenRights>, sent: string, code: string][] =
  [
    ['no token', { [token]: {} }, '', 'TOKEN_MISSING'],
    ['an unknown token', {}, 'ghs_unknown', 'TOKEN_WRONG_KIND'],
    ['an unknown token without a known kind', {}, 'unknown', 'TOKEN_INVALID'],
    ['no read:packages', { abcd: { readPackages: false } }, 'abcd', 'TOKEN_SCOPE'],
    ['no SSO', { abcd: { sso: false } }, 'abcd', 'TOKEN_NEEDS_SSO'],
    ['no access', { abcd: { denied: ['@acme/backend'] } }, 'abcd', 'NO_ACCESS'],
  ];
for (const [name, rights, sent, code] of refusals)
  test(`refused at once and not tried again: ${name}`, async t => {
    const { registry, client, io } = await setUp(t, rights, sent);
    const failure = await failureOf(client.packument('@acme/backend'));
    assert.equal(failure.code, code);
    const shown = JSON.stringify([failure, failure.message, failure.fix]);
    assert.equal(sent !== '' && shown.includes(sent), false);
    assert.equal(registry.requests.length, 1);
    assert.deepEqual(io.waits, []);
  });

test('of a token that a registry repeats no part is shown where its words are cut', async t => {
  const { registry, client } = await setUp(t);
  const body = JSON.stringify({ error: `${'x '.repeat(90)}${token} is not known` });
  registry.misbehave({ match: /acme/, status: 403, body });
  const { facts } = await failureOf(client.packument('@acme/backend'));
  assert.match(String(facts.answer), /x \*\*\* is not known$/);
});

test('a missing package is not asked for again', async t => {
  const { registry, client } = await setUp(t);
  assert.equal((await failureOf(client.packument('@acme/nothing'))).code, 'PACKAGE_NOT_FOUND');
  assert.equal(registry.requests.length, 1);
});

const recovered: [name: string, fault: Omit<Fault, 'match'>, waits: number[]][] = [
  ['429 with Retry-After', { status: 429, headers: { 'retry-after': '7' }, times: 1 }, [7000]],
  ['500 twice', { status: 500, times: 2 }, [500, 1000]],
  ['a reset', { reset: true, times: 1 }, [500]],
  ['a body cut off', { truncateTo: 10, times: 1 }, [500]],
];
for (const [name, fault, waits] of recovered)
  test(`recovers from ${name}`, async t => {
    const { registry, client, io } = await setUp(t);
    registry.misbehave({ match: /acme/, ...fault });
    assert.equal((await client.packument('@acme/backend')).name, '@acme/backend');
    assert.deepEqual(io.waits, waits);
  });

const lasting: [name: string, fault: Omit<Fault, 'match'>, code: string][] = [
  ['429', { status: 429 }, 'RATE_LIMITED'],
  ['503', { status: 503 }, 'REGISTRY_ERROR'],
  ['resets', { reset: true }, 'REGISTRY_UNREACHABLE'],
  [
    '429 that asks for an hour',
    { status: 429, headers: { 'retry-after': '3600' } },
    'RATE_LIMITED',
  ],
];
for (const [name, fault, code] of lasting)
  test(`gives up at the deadline: ${name}`, async t => {
    const { registry, client, io } = await setUp(t);
    registry.misbehave({ match: /acme/, ...fault });
    const failure = await failureOf(client.packument('@acme/backend'));
    assert.equal(failure.code, code);
    assert.equal(failure.exitCode, 7);
    assert(io.waits.reduce((a, b) => a + b, 0) <= 30_000);
  });

const nonsense: [name: string, fault: Omit<Fault, 'match'>, code: string][] = [
  [
    'a login page',
    { status: 200, body: '<html>login</html>', headers: { 'content-type': 'text/html' } },
    'REGISTRY_NOT_JSON',
  ],
  ['an empty answer', { status: 200, body: '' }, 'REGISTRY_NOT_JSON'],
  ['a list', { status: 200, body: '[]' }, 'REGISTRY_BAD_ANSWER'],
];
for (const [name, fault, code] of nonsense)
  test(`${name} is no packument`, async t => {
    const { registry, client } = await setUp(t);
    registry.misbehave({ match: /acme/, ...fault });
    assert.equal((await failureOf(client.packument('@acme/backend'))).code, code);
  });

test('--wait-for asks again until the version is there', async t => {
  const { registry, client, config, io } = await setUp(t);
  const asked = () => registry.requests.length;
  const sleep = io.sleep;
  const patient = {
    ...io,
    sleep: (ms: number) => {
      if (asked() === 3) registry.publish({ name: '@acme/backend', version: '2.0.0' });
      return sleep(ms);
    },
  };
  const options = {
    io: patient,
    package: '@acme/backend',
    wish: { kind: 'exact', version: '2.0.0' } as const,
    config,
    client,
  };
  const { manifest } = await resolveVersion({ ...options, waitForMs: 60_000 });
  assert.equal(manifest.version, '2.0.0');
  assert.equal(asked(), 4);
  const failure = await failureOf(
    resolveVersion({ ...options, wish: { kind: 'exact', version: '3.0.0' } }),
  );
  assert.equal(failure.code, 'VERSION_NOT_FOUND');
});

test('Retry-After in seconds, as a date, and neither', () => {
  assert.equal(parseRetryAfter('3', 0), 3000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:09 GMT', 4000), 5000);
  assert.equal(parseRetryAfter('soon', 0), undefined);
  assert.equal(parseRetryAfter(undefined, 0), undefined);
});

test('a document that is too large is given up, however small it was sent', async t => {
  const { config, io } = await setUp(t);
  const zeros = gzipSync(Buffer.alloc(300 * 1024 * 1024, ' '));
  const server = await serve(t, (_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(zeros);
  });
  const value = { value: server.url, from: 'the test' };
  const scopes = new Map([['@acme', server.url]]);
  const client = createRegistryClient({ io, config: { ...config, registry: value, scopes } });
  assert.equal((await failureOf(client.packument('@acme/backend'))).code, 'REGISTRY_BAD_ANSWER');
  assert.equal(server.requests.length, 1);
});

test('of a refusal only the beginning is read, however long it goes on', async t => {
  const { config, io } = await setUp(t);
  const server = await serve(t, (_, response) => {
    response.writeHead(403, { 'content-encoding': 'gzip' });
    const content = createGzip({ level: 0 });
    content.pipe(response).once('close', () => content.destroy());
    const goOn = () => {
      if (!content.destroyed) content.write(Buffer.alloc(64 * 1024, 'no '), goOn);
    };
    goOn();
  });
  const value = { value: server.url, from: 'the test' };
  const scopes = new Map([['@acme', server.url]]);
  const client = createRegistryClient({ io, config: { ...config, registry: value, scopes } });
  const { code, facts } = await failureOf(client.packument('@acme/backend'));
  assert.equal(code, 'TOKEN_MISSING');
  assert.match(String(facts.answer), /^no no no [no ]{191}$/);
});

test('a registry that trickles is given up once a try has taken its time', async t => {
  const { registry, config } = await setUp(t);
  registry.misbehave({ match: /acme/, delayMs: 60_000 });
  const client = createRegistryClient({ io: fakeClock(), config, deadlineMs: 0, tryMs: 100 });
  const failure = await failureOf(client.packument('@acme/backend'));
  assert.equal(failure.code, 'REGISTRY_UNREACHABLE');
});

test('a Retry-After as long as the deadline gets its second try, a longer one does not', async t => {
  for (const [seconds, code] of [
    ['30', undefined],
    ['31', 'RATE_LIMITED'],
  ] as const) {
    const { registry, client } = await setUp(t);
    registry.misbehave({
      match: /acme/,
      status: 429,
      headers: { 'retry-after': seconds },
      times: 1,
    });
    const asked = client.packument('@acme/backend');
    if (code) assert.equal((await failureOf(asked)).code, code);
    else assert.equal((await asked).name, '@acme/backend');
  }
});

const insecure: [registry: string, flags: object, code: string][] = [
  ['http://acme.test/', {}, 'REGISTRY_INSECURE'],
  ['http://127.0.0.1.acme.test/', {}, 'REGISTRY_INSECURE'],
  ['http://localhost.acme.test/', {}, 'REGISTRY_INSECURE'],
  ['http://acme.test/', { 'insecure-registry': true }, 'REGISTRY_UNREACHABLE'],
  ['http://127.0.0.1:1/', {}, 'REGISTRY_UNREACHABLE'],
  ['http://127.9.9.9:1/', {}, 'REGISTRY_UNREACHABLE'],
  ['http://[::1]:1/', {}, 'REGISTRY_UNREACHABLE'],
];
for (const [address, flags, code] of insecure)
  test(`the token over plain http to ${address} ${JSON.stringify(flags)}`, async t => {
    const proxy = await httpProxy(t);
    const settings = readSettings({
      flags: { registry: address, ...flags },
      env: { BACKEND_PACKAGE: '@acme/backend', NPM_TOKEN: token },
      dotenv: {},
      config: { values: {}, file: '' },
    });
    // Names that do not exist reach nobody, and a proxy would see what is sent.
    const env = {
      http_proxy: `http://127.0.0.1:${proxy.port}`,
      no_proxy: '127.0.0.1,127.9.9.9,[::1]',
    };
    const config = planRegistry(settings, [], env, 0);
    const client = createRegistryClient({ io: fakeClock(), config, deadlineMs: 0 });
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length;
    const before = timers();
    const failure = await failureOf(client.packument('@acme/backend'));
    assert.equal(failure.code, code);
    if (code === 'REGISTRY_INSECURE') assert.equal(timers(), before, 'nothing is waited for');
    assert.equal(proxy.asked.length, 'insecure-registry' in flags ? 1 : 0);
    if (code !== 'REGISTRY_INSECURE') return;
    assert.equal(failure.exitCode, 3);
    assert.match(failure.fix, /https:\/\/.*--insecure-registry/);
  });
