import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { BootlaceError } from '../../src/errors';
import { type Download, download, type Sink } from '../../src/registry/download';
import { parseIntegrity } from '../../src/registry/integrity';
import type { Transport } from '../../src/registry/transport';
import { FakeRegistry } from '../support/fake-registry';
import { configFor, fakeClock, installIn, parseLockfile } from '../support/locked';
import { temporaryFolder } from '../support/run';
import { sha512 } from '../support/tarball';

const body = Buffer.from('the tarball');
const token = 'npm_0123456789abcdefghijABCDEFGHIJ012345';

/** Answers by address: a text redirects there, a buffer is the body. */
function follow(answers: Record<string, string | Buffer>, first = Object.keys(answers)[0] ?? '') {
  const asked: [string, string | undefined][] = [];
  const transport: Transport = {
    async get({ href }, headers) {
      asked.push([href, headers.authorization]);
      const answer = answers[href];
      return {
        status: typeof answer === 'string' ? 302 : answer ? 200 : 404,
        headers: typeof answer === 'string' ? { location: answer } : {},
        async read(take) {
          if (Buffer.isBuffer(answer)) take(answer);
        },
        discard() {},
      };
    },
    close() {},
  };
  const wanted: Download = {
    what: 'left@1.0.0',
    url: first,
    checksum: parseIntegrity(sha512(body)) ?? assert.fail(),
  };
  const sink: Sink = { begin() {}, write() {}, abandon() {}, checksum: () => sha512(body) };
  const run = download(wanted, () => sink, {
    io: fakeClock(),
    config: configFor('https://npm.test/', token),
    transport,
    signal: new AbortController().signal,
    deadlineMs: 1000,
  });
  return { run, asked };
}

const sent = `Bearer ${token}`;
const chains: [string, Record<string, string | Buffer>, (string | undefined)[], string?][] = [
  ['its own registry', { 'https://npm.test/a': body }, [sent]],
  ['another path', { 'https://npm.test/a': '/b', 'https://npm.test/b': body }, [sent, sent]],
  [
    'another host',
    { 'https://npm.test/a': 'https://cdn.test/a', 'https://cdn.test/a': body },
    [sent, undefined],
  ],
  [
    'another port',
    { 'https://npm.test/a': 'https://npm.test:444/a', 'https://npm.test:444/a': body },
    [sent, undefined],
  ],
  [
    'another host and back',
    {
      'https://npm.test/a': 'https://cdn.test/a',
      'https://cdn.test/a': 'https://npm.test/b',
      'https://npm.test/b': body,
    },
    [sent, undefined, undefined],
  ],
  [
    'an address with a password',
    { 'https://cdn.test/a': body },
    [undefined],
    'https://u:p@cdn.test/a',
  ],
  ['a foreign address', { 'https://cdn.test/a': body }, [undefined]],
  ['the registry over http', { 'http://npm.test/a': body }, [undefined]],
];

for (const [name, answers, expected, first] of chains)
  test(`who sees the token: ${name}`, async () => {
    const { run, asked } = follow(answers, first);
    await run;
    assert.deepEqual(
      asked.map(([, authorization]) => authorization),
      expected,
    );
  });

test('a redirect from https to http is refused', async () => {
  const { run, asked } = follow({
    'https://npm.test/a': 'http://npm.test/a',
    'http://npm.test/a': body,
  });
  await assert.rejects(run, (error: unknown) => {
    assert.ok(error instanceof BootlaceError);
    assert.equal(error.code, 'REDIRECT_REFUSED');
    return /left@1\.0\.0/.test(error.message);
  });
  assert.equal(asked.length, 1);
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
  const network = { ...config.network, proxy: address, httpsProxy: address, noProxy: '' };
  registry.misbehave({ match: /download\/left/, status: 503, times: 1 });
  const installed = await installIn(temporaryFolder(t), { lock, config: { ...config, network } });
  assert.equal(installed.files, 2);
  assert.ok(proxied >= 3, `${proxied} requests through the proxy`);
  for (const { host, authorization } of registry.requests)
    assert.equal(authorization, host === 'registry' ? sent : undefined);
});
