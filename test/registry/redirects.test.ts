import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createRegistryClient } from '../../src/registry/client';
import type { RegistryConfig } from '../../src/registry/config/config';
import { download, type Sink } from '../../src/registry/download';
import { nextHop } from '../../src/registry/follow';
import { parseIntegrity } from '../../src/registry/integrity';
import { createTransport } from '../../src/registry/transport';
import { configFor, fakeClock } from '../support/locked';
import { temporaryFolder } from '../support/run';
import { serve, type TestServer } from '../support/servers';
import { packageTarball, sha512 } from '../support/tarball';
import { makeCertificate } from '../support/tls';

const token = 'npm_0123456789abcdefghijABCDEFGHIJ012345';
const sent = `Bearer ${token}`;

type Place = 'own' | 'path' | 'port' | 'plain' | 'file' | 'nothing';

/** Two servers with TLS, two without; each step of a chain is an address on one of them. */
const chains: [
  name: string,
  protocol: 'https' | 'http',
  steps: Place[],
  who: (string | undefined)[],
  code?: string,
][] = [
  ['its own registry', 'https', [], [sent]],
  ['its own registry on loopback without TLS', 'http', [], [sent]],
  ['another path', 'https', ['own'], [sent, sent]],
  ['another path, twice', 'http', ['own', 'path'], [sent, sent, sent]],
  ['another port', 'https', ['port'], [sent, undefined]],
  ['another port without TLS', 'http', ['port'], [sent, undefined]],
  ['another port and back', 'https', ['port', 'own'], [sent, undefined, undefined]],
  ['https to http on the same host', 'https', ['plain'], [sent], 'REDIRECT_REFUSED'],
  [
    'https to http after another origin',
    'https',
    ['port', 'plain'],
    [sent, undefined],
    'REDIRECT_REFUSED',
  ],
  ['to a file', 'https', ['file'], [sent], 'REDIRECT_REFUSED'],
  ['to no address', 'https', ['nothing'], [sent], 'REDIRECT_REFUSED'],
];

interface World {
  config: RegistryConfig;
  /** Requests in order, on all servers. */
  seen: (string | undefined)[];
  servers: Record<'own' | 'port' | 'plain', TestServer>;
}

async function world(
  t: TestContext,
  protocol: 'https' | 'http',
  steps: readonly Place[],
  finish: (response: ServerResponse) => void,
): Promise<World | undefined> {
  const tls = makeCertificate(temporaryFolder(t), 'localhost');
  if (!tls) {
    t.skip('there is no openssl to make a certificate');
    return undefined;
  }
  const seen: (string | undefined)[] = [];
  let done = 0;
  const answer = (
    _: string,
    response: ServerResponse,
    request: { headers: { authorization?: string } },
  ) => {
    seen.push(request.headers.authorization);
    const step = steps[done++];
    if (step === undefined) return finish(response);
    const to = {
      own: `/again-${done}`,
      path: `${servers.own.url}deep/again-${done}`,
      port: `${servers.port.url}a`,
      plain: `${servers.plain.url.replace('127.0.0.1', 'localhost')}a`,
      file: 'file:///etc/passwd',
      nothing: 'http://',
    }[step];
    const back = step === 'own' && steps[done - 2] === 'port' ? servers.own.url : to;
    response.writeHead(302, { location: back, 'content-length': 0 }).end();
  };
  const secure = protocol === 'https' ? tls : undefined;
  const servers = {
    own: await serve(t, answer, secure),
    port: await serve(t, answer, secure),
    plain: await serve(t, answer),
  };
  const config = configFor(servers.own.url, token);
  return {
    config: { ...config, network: { ...config.network, ca: tls.cert } },
    seen,
    servers,
  };
}

const manifest = { name: 'left', version: '1.0.0' };
const body = packageTarball({ 'package.json': JSON.stringify(manifest) });

const ways: Record<string, (world: World) => Promise<unknown>> = {
  async document({ config }) {
    const client = createRegistryClient({ io: fakeClock(), config, deadlineMs: 0 });
    return client.packument('left');
  },
  async tarball({ config, servers }) {
    const transport = createTransport(config.network);
    const checksum = parseIntegrity(sha512(body)) ?? assert.fail();
    const sink: Sink = { begin() {}, write() {}, abandon() {}, checksum: () => sha512(body) };
    const wanted = { what: 'left@1.0.0', url: `${servers.own.url}left.tgz`, checksum };
    try {
      await download(wanted, () => sink, {
        io: fakeClock(),
        config,
        transport,
        signal: new AbortController().signal,
        deadlineMs: 0,
      });
    } finally {
      transport.close();
    }
  },
};

const finishes: Record<string, (response: ServerResponse) => void> = {
  document: response => response.end(JSON.stringify({ name: 'left', versions: {} })),
  tarball: response => response.end(body),
};

for (const [way, run] of Object.entries(ways))
  for (const [name, protocol, steps, who, code] of chains)
    test(`who sees the token of a ${way}: ${name}`, async t => {
      const made = await world(t, protocol, steps, finishes[way] ?? assert.fail());
      if (!made) return;
      if (code) await assert.rejects(run(made), { code, exitCode: 7 });
      else await run(made);
      assert.deepEqual(made.seen, who);
      assert.deepEqual(made.servers.plain.requests, []);
    });

for (const [way, run] of Object.entries(ways))
  test(`a ${way} that is redirected for ever is given up`, async t => {
    const made = await world(t, 'http', Array(40).fill('own'), () => assert.fail());
    if (!made) return;
    await assert.rejects(run(made), { code: 'REDIRECT_REFUSED' });
    assert.ok(made.seen.length <= 25, String(made.seen.length));
  });

const hops: [from: string, location: string, to: string | undefined, keeps: boolean][] = [
  ['http://acme.test/a', 'https://acme.test/a', 'https://acme.test/a', true],
  ['http://acme.test/a', 'https://acme.test:8443/a', 'https://acme.test:8443/a', false],
  ['http://acme.test:8080/a', 'https://acme.test/a', 'https://acme.test/a', false],
  ['http://acme.test/a', 'https://evil.test/a', 'https://evil.test/a', false],
  ['https://acme.test/a', 'http://acme.test/a', undefined, false],
  ['https://acme.test/a', '//acme.test/b', 'https://acme.test/b', true],
  ['https://acme.test/a', '../b?c', 'https://acme.test/b?c', true],
  ['https://acme.test/a', 'https://user:pass@acme.test/b', 'https://acme.test/b', true],
  ['https://acme.test/a', 'https://acme.test.evil.test/a', 'https://acme.test.evil.test/a', false],
  ['https://acme.test/a', 'ftp://acme.test/a', undefined, false],
  ['https://acme.test/a', 'javascript:1', undefined, false],
];
for (const [from, location, to, keeps] of hops)
  test(`a redirect from ${from} to ${location}`, () => {
    const credentials = { from: 'NPM_TOKEN' };
    const go = () => nextHop({ url: new URL(from), credentials, count: 0 }, location, 'left');
    if (to === undefined) return assert.throws(go, { code: 'REDIRECT_REFUSED' });
    const next = go();
    assert.equal(next.url.href, to);
    assert.equal(next.credentials, keeps ? credentials : undefined);
  });
