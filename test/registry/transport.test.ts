import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type NetworkOptions, readNetwork } from '../../src/registry/config/network';
import { parseNpmrc } from '../../src/registry/config/npmrc';
import { createTransport, type Transport } from '../../src/registry/transport';
import { root, temporaryFolder } from '../support/run';
import { deadPort, httpProxy, serve, socksProxy } from '../support/servers';
import { makeCertificate } from '../support/tls';

function open(t: TestContext, network: Partial<NetworkOptions> = {}): Transport {
  const transport = createTransport({ strictSSL: true, ...network });
  t.after(() => transport.close());
  return transport;
}

async function text(response: Promise<IncomingMessage>): Promise<string> {
  return Buffer.concat(await (await response).toArray()).toString();
}

test('a connection is kept for the next request', async t => {
  const server = await serve(t, (path, response) => response.end(path));
  const transport = open(t);
  for (const path of ['a?b', 'c', 'd'])
    assert.equal(await text(transport.get(new URL(server.url + path), {})), `/${path}`);
  assert.equal(server.connections, 1);
});

test('many requests share a bounded number of connections', async t => {
  const server = await serve(t, (_, response) => {
    setTimeout(() => response.end('late'), 20);
  });
  const transport = open(t);
  await Promise.all(
    Array.from({ length: 200 }, () => text(transport.get(new URL(server.url), {}))),
  );
  assert.equal(server.requests.length, 200);
  assert.equal(server.connections, 24);
});

test('nothing listens: all requests fail as the system says', async t => {
  const url = new URL(`http://127.0.0.1:${await deadPort()}/`);
  const transport = open(t);
  const all = await Promise.allSettled(Array.from({ length: 60 }, () => transport.get(url, {})));
  for (const result of all) {
    assert.equal(result.status, 'rejected');
    assert.equal(result.reason.code, 'ECONNREFUSED');
  }
});

test('close breaks off what is under way; a later request works', async t => {
  let answers = false;
  const server = await serve(t, (_, response) => {
    if (answers) response.end('later');
  });
  const transport = open(t);
  const under = Array.from({ length: 10 }, () => transport.get(new URL(server.url), {}));
  const ended = Promise.allSettled(under);
  while (server.requests.length < 10) await new Promise(resolve => setTimeout(resolve, 10));
  transport.close();
  for (const { status } of await ended) assert.equal(status, 'rejected');
  answers = true;
  assert.equal(await text(transport.get(new URL(server.url), {})), 'later');
});

test('a signal breaks off one request', async t => {
  const server = await serve(t, () => {});
  const stop = new AbortController();
  const asked = open(t).get(new URL(server.url), {}, stop.signal);
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(asked, { name: 'AbortError' });
});

test('a connection that waits for a request keeps no process running', async t => {
  const server = await serve(t, (_, response) => response.end('abc'));
  const script = `
    const { createTransport } = require(${JSON.stringify(join(root, 'src/registry/transport.ts'))});
    createTransport({ strictSSL: true })
      .get(new URL(process.argv[1]), {})
      .then(response => response.pipe(process.stdout));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '-e', script, server.url],
    { cwd: root, timeout: 20_000 },
  );
  assert.equal(stdout, 'abc');
});

test('an answer that is no HTTP, or two at once, is refused', async t => {
  const answers = [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`,
  ];
  const transport = open(t);
  for (const answer of answers) {
    const server = createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    await assert.rejects(text(transport.get(new URL(`http://127.0.0.1:${port}/`), {})), {
      code: /^HPE_/,
    });
  }
});

test('over TLS nothing is sent before it is known who is there', async t => {
  const folder = temporaryFolder(t);
  const right = makeCertificate(folder, 'localhost');
  const wrong = makeCertificate(folder, 'other.test');
  if (!right || !wrong) return t.skip('there is no openssl to make a certificate');
  const impostor = await serve(t, (_, response) => response.end('safe'), wrong);
  const secret = { authorization: 'Bearer the-token' };
  for (const ca of [undefined, right.cert, wrong.cert])
    await assert.rejects(text(open(t, { ca }).get(new URL(impostor.url), secret)), {
      code: /CERT|SELF_SIGNED/,
    });
  assert.deepEqual(impostor.requests, []);
  const honest = await serve(t, (_, response) => response.end('safe'), right);
  assert.equal(await text(open(t, { ca: right.cert }).get(new URL(honest.url), secret)), 'safe');
  assert.deepEqual(honest.requests, [{ path: '/', ...secret }]);
  assert.equal(await text(open(t, { strictSSL: false }).get(new URL(impostor.url), {})), 'safe');
});

/** HTTP is the http proxy's address, SOCKS the other's, DEAD one where nobody listens. */
const ways: [
  name: string,
  npmrc: string,
  env: Record<string, string>,
  http: 'direct' | 'http' | 'socks' | 'fails',
  https: 'direct' | 'http' | 'socks' | 'fails',
][] = [
  ['nothing named', '', {}, 'direct', 'direct'],
  ['HTTPS_PROXY', '', { HTTPS_PROXY: 'HTTP' }, 'http', 'http'],
  ['HTTP_PROXY alone', '', { HTTP_PROXY: 'HTTP' }, 'http', 'direct'],
  ['HTTPS_PROXY blank', '', { HTTP_PROXY: 'HTTP', HTTPS_PROXY: '' }, 'http', 'direct'],
  ['in lower case', '', { https_proxy: 'HTTP' }, 'http', 'http'],
  ['SOCKS', '', { HTTPS_PROXY: 'SOCKS' }, 'socks', 'socks'],
  ['proxy in .npmrc', 'proxy=HTTP', {}, 'http', 'http'],
  ['https-proxy in .npmrc', 'https-proxy=HTTP', { HTTPS_PROXY: 'DEAD' }, 'http', 'http'],
  ['proxy=false', 'proxy=false', { HTTPS_PROXY: 'HTTP' }, 'http', 'http'],
  ['proxy=null', 'proxy=null\nhttps-proxy=null', {}, 'direct', 'direct'],
  ['an unset variable', 'https-proxy=${UNSET}', { HTTPS_PROXY: 'HTTP' }, 'http', 'http'],
  ['a dead proxy', '', { HTTPS_PROXY: 'DEAD' }, 'fails', 'fails'],
  [
    'NO_PROXY makes a dead one irrelevant',
    '',
    { HTTPS_PROXY: 'DEAD', NO_PROXY: '127.0.0.1, localhost' },
    'direct',
    'direct',
  ],
  [
    'NO_PROXY makes nonsense irrelevant',
    '',
    { HTTPS_PROXY: ':nonsense:', NO_PROXY: '127.0.0.1,localhost' },
    'direct',
    'direct',
  ],
  ['NO_PROXY names one', '', { HTTPS_PROXY: 'HTTP', no_proxy: 'localhost' }, 'http', 'direct'],
  ['noproxy in .npmrc', 'proxy=HTTP\nnoproxy=localhost,127.0.0.1', {}, 'direct', 'direct'],
  [
    'noproxy[] in .npmrc',
    'proxy=HTTP\nnoproxy[]=localhost\nnoproxy[]=127.0.0.1',
    {},
    'direct',
    'direct',
  ],
];
for (const [name, npmrc, env, ...expected] of ways)
  test(`proxies: ${name}`, async t => {
    const tls = makeCertificate(temporaryFolder(t), 'localhost');
    if (!tls) return t.skip('there is no openssl to make a certificate');
    const proxies = { http: await httpProxy(t), socks: await socksProxy(t) };
    const fill = (value: string) =>
      value
        .replace('HTTP', `http://127.0.0.1:${proxies.http.port}`)
        .replace('SOCKS', `socks5://127.0.0.1:${proxies.socks.port}`)
        .replace('DEAD', 'http://127.0.0.1:9');
    const filled = Object.fromEntries(
      Object.entries(env).map(([key, value]) => [key, fill(value)]),
    );
    const levels = [{ from: '.npmrc', keys: parseNpmrc(fill(npmrc), filled) }];
    const network = readNetwork(levels, filled, () => {});
    for (const [i, secure] of [false, true].entries()) {
      const server = await serve(
        t,
        (_, response) => response.end('here'),
        secure ? tls : undefined,
      );
      for (const { asked } of Object.values(proxies)) asked.length = 0;
      const asked = text(open(t, { ...network, ca: tls.cert }).get(new URL(server.url), {}));
      if (expected[i] === 'fails') {
        await assert.rejects(asked, { code: 'ECONNREFUSED' });
        continue;
      }
      assert.equal(await asked, 'here');
      const used = Object.entries(proxies).filter(([, { asked }]) => asked.length > 0);
      const by = used.map(([kind]) => kind);
      assert.deepEqual(by, expected[i] === 'direct' ? [] : [expected[i]], server.url);
    }
  });

for (const proxy of [':nonsense:', 'ftp://proxy.test', 'http://user:s3cret@[proxy'])
  test(`a proxy that is no address is refused without being shown: ${proxy}`, async t => {
    const env = { HTTPS_PROXY: proxy };
    const transport = open(
      t,
      readNetwork([], env, () => {}),
    );
    await assert.rejects(transport.get(new URL('http://127.0.0.1:9/'), {}), (error: Error) => {
      const { code, exitCode } = error as Error & { code: string; exitCode: number };
      assert.deepEqual([code, exitCode], ['PROXY_INVALID', 3]);
      assert.match(error.message, /HTTPS_PROXY/);
      return !JSON.stringify([error, error.message, error.cause]).includes('s3cret');
    });
  });
