import assert from 'node:assert/strict';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { NetworkError } from '../../src/errors';
import { type Download, download, type Sink } from '../../src/registry/download';
import { refusal } from '../../src/registry/download-failure';
import { parseIntegrity } from '../../src/registry/integrity';
import { createTransport } from '../../src/registry/transport';
import { FakeRegistry } from '../support/fake-registry';
import { configFor, fakeClock, installIn, parseLockfile } from '../support/locked';
import { temporaryFolder } from '../support/run';
import { serve } from '../support/servers';
import { packageTarball, sha512 } from '../support/tarball';

const tarball = packageTarball({ 'package.json': '{"name":"left","version":"1.0.0"}' });
const token = 'npm_0123456789abcdefghijABCDEFGHIJ012345';

const sent = `Bearer ${token}`;

/** Downloads from a server that answers each try as it is told. */
async function get(
  t: TestContext,
  answer: (response: ServerResponse, nth: number) => void,
  options: { path?: string; expected?: Buffer; deadlineMs?: number } = {},
) {
  let nth = 0;
  const server = await serve(t, (_, response) => answer(response, ++nth));
  const config = configFor(server.url, token);
  const transport = createTransport(config.network);
  t.after(() => transport.close());
  const wanted: Download = {
    what: 'left@1.0.0',
    url: new URL(options.path ?? 'left.tgz', server.url).href,
    checksum: parseIntegrity(sha512(options.expected ?? tarball)) ?? assert.fail(),
  };
  const sinks: Memory[] = [];
  const makeSink = () => {
    const sink = new Memory();
    sinks.push(sink);
    return sink;
  };
  const said: string[] = [];
  const run = download(wanted, makeSink, {
    io: fakeClock(),
    config,
    transport,
    signal: new AbortController().signal,
    deadlineMs: options.deadlineMs ?? 30_000,
    onRetry: sentence => said.push(sentence),
  });
  return { run, server, sinks, said };
}

class Memory implements Sink {
  data = Buffer.alloc(0);
  isAbandoned = false;
  begin() {}
  write(piece: Buffer) {
    this.data = Buffer.concat([this.data, piece]);
  }
  checksum() {
    return sha512(this.data);
  }
  abandon() {
    this.isAbandoned = true;
  }
}

test('an address with a user and a password is asked without them', async t => {
  const { run, server } = await get(t, response => response.end(tarball));
  await run;
  const { url, requests } = server;
  const withUser = url.replace('//', '//user:pass@');
  const other = await get(t, response => response.end(tarball), { path: `${withUser}left.tgz` });
  await other.run;
  assert.deepEqual(requests, [
    { path: '/left.tgz', authorization: sent },
    { path: '/left.tgz', authorization: undefined },
  ]);
});

const bodies: [name: string, body: Buffer, headers: Record<string, string>, says: RegExp][] = [
  ['nothing', Buffer.alloc(0), {}, /nothing/],
  ['JSON', Buffer.from('{"error":"quota"}'), {}, /JSON/],
  ['a web page', Buffer.from('\n<!DOCTYPE html><title>Login</title>'), {}, /a web page/],
  ['gzip within gzip', gzipSync(tarball), {}, /gzip within gzip/],
  ['gzip of a web page', gzipSync('<html></html>'), {}, /something else/],
  ['plain text', Buffer.from('not found'), {}, /something else/],
  ['a coding that is none', Buffer.from('abc'), { 'content-encoding': 'gzip' }, /Z_DATA_ERROR/],
  ['half a coded body', gzipSync(tarball).subarray(0, 60), { 'content-encoding': 'gzip' }, /Z_BUF/],
];
for (const [name, body, headers, says] of bodies)
  test(`a body that is no tarball is the registry's fault: ${name}`, async t => {
    const { run, sinks } = await get(t, response => response.writeHead(200, headers).end(body));
    await assert.rejects(run, (error: unknown) => {
      assert(error instanceof NetworkError, String(error));
      assert.match(error.message, says);
      return /left@1\.0\.0/.test(error.message);
    });
    assert.ok(sinks.length >= 2 && sinks.every(({ isAbandoned }) => isAbandoned));
  });

test('another tarball than the one that is wanted is a forgery', async t => {
  const forged = packageTarball({ 'package.json': '{"name":"left","version":"6.6.6"}' });
  const { run, server } = await get(t, response => response.end(forged));
  await assert.rejects(run, { code: 'INTEGRITY_MISMATCH', exitCode: 6 });
  assert.equal(server.requests.length, 2);
});

test('wrong bytes that come once are asked for again', async t => {
  const { run, sinks } = await get(t, (response, nth) =>
    response.end(nth === 1 ? '<html>' : tarball),
  );
  assert.deepEqual((await run).data, tarball);
  assert.deepEqual(
    sinks.map(({ isAbandoned }) => isAbandoned),
    [true, false],
  );
});

const codings: [name: string, encode: (data: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
];
for (const [coding, encode] of codings)
  test(`a content coding is taken off: ${coding}`, async t => {
    const { run } = await get(t, response =>
      response.writeHead(200, { 'content-encoding': coding }).end(encode(tarball)),
    );
    assert.deepEqual((await run).data, tarball);
  });

const mended: [name: string, answer: (response: ServerResponse) => void][] = [
  ['429', response => response.writeHead(429, { 'retry-after': '30' }).end()],
  ['408', response => response.writeHead(408).end()],
  ['503', response => response.writeHead(503).end()],
  ['a reset', response => response.destroy()],
  [
    'a body cut off',
    response => {
      response.writeHead(200, { 'content-length': tarball.length });
      response.write(tarball.subarray(0, 20));
      setTimeout(() => response.destroy(), 20);
    },
  ],
];
for (const [name, answer] of mended)
  test(`a download recovers from ${name}`, async t => {
    const { run, server, said } = await get(t, (response, nth) =>
      nth === 1 ? answer(response) : response.end(tarball),
    );
    assert.deepEqual((await run).data, tarball);
    assert.equal(server.requests.length, 2);
    assert.equal(said.length, 1);
  });

const final: [status: number, code: string][] = [
  [401, 'TOKEN_INVALID'],
  [403, 'NO_ACCESS'],
  [404, 'DEPENDENCY_NOT_FOUND'],
  [410, 'DEPENDENCY_NOT_FOUND'],
  [400, 'REGISTRY_BAD_ANSWER'],
];
for (const [status, code] of final)
  test(`a download is not tried again after ${status}`, async t => {
    const { run, server } = await get(t, response => response.writeHead(status).end('{}'));
    await assert.rejects(run, { code });
    assert.equal(server.requests.length, 1);
  });

test('of a token that a refusal repeats no part is shown', async t => {
  const { run } = await get(t, response => {
    response.writeHead(403).end(`${'x '.repeat(90)}${token} is not known`);
  });
  const failure = await run.then(
    () => assert.fail(),
    (error: NetworkError) => error,
  );
  assert.match(String(failure.facts.answer), /x \*\*\* is not known$/);
});

test('a refusal without an end is read to its beginning only', async t => {
  const { run } = await get(t, response => {
    response.writeHead(404);
    const more = () => response.write(Buffer.alloc(65_536, 'x'), error => error || more());
    more();
  });
  await assert.rejects(run, { code: 'DEPENDENCY_NOT_FOUND' });
});

test('a tarball over http of a registry with https is named, and the token kept', () => {
  const failure = refusal({
    what: '@acme/backend@1.0.0',
    url: 'http://acme.test/@acme/backend/-/backend-1.0.0.tgz?sig=secret',
    status: 401,
    headers: {},
    body: '',
    registries: ['https://acme.test/'],
    tokenFrom: undefined,
    tokenHere: 'NPM_TOKEN',
  });
  assert.equal(failure.code, 'TARBALL_OVER_HTTP');
  assert.match(failure.message, /http:\/\/acme\.test\/@acme\/backend\/-\/backend-1\.0\.0\.tgz /);
  assert.doesNotMatch(`${failure.message} ${failure.fix}`, /secret|set NPM_TOKEN|=http:/);
});

test('through a proxy the same rules hold', async t => {
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  const { integrity } = registry.publish({ name: 'left', version: '1.0.0' }, { 'index.js': '1' });
  let proxied = 0;
  const proxy = createServer((from, to) => {
    proxied++;
    const onward = request(
      from.url ?? '',
      { method: from.method, headers: from.headers },
      answer => {
        to.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(to);
      },
    );
    from.pipe(onward);
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const lock = parseLockfile(
    JSON.stringify({
      lockfileVersion: 3,
      packages: {
        'node_modules/left': {
          version: '1.0.0',
          resolved: registry.tarballUrl('left', '1.0.0'),
          integrity,
        },
      },
    }),
    'the lock',
  );
  const config = configFor(registry.url, token);
  const httpProxy = { value: address, from: 'HTTP_PROXY' };
  const network = { ...config.network, httpProxy };
  registry.misbehave({ match: /download\/left/, status: 503, times: 1 });
  const installed = await installIn(temporaryFolder(t), { lock, config: { ...config, network } });
  assert.equal(installed.files, 2);
  assert.ok(proxied >= 3, `${proxied} requests through the proxy`);
  for (const { host, authorization } of registry.requests)
    assert.equal(authorization, host === 'registry' ? sent : undefined);
});
