import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import type { Answer } from '../../src/registry/answer';
import { Connections } from '../../src/registry/connections';
import { root, temporaryFolder } from '../support/run';
import { makeCertificate } from '../support/tls';

interface Peer {
  connections: Connections;
  /** Every connection that came. */
  sockets: Socket[];
  /** The first lines of what was asked. */
  asked: string[];
}

/** A server that answers each request on a connection, `nth` from 1 on, as it is told. */
async function peer(
  t: TestContext,
  answer: (socket: Socket, nth: number, path: string) => void,
): Promise<Peer> {
  const sockets: Socket[] = [];
  const asked: string[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    socket.on('error', () => {});
    let nth = 0;
    socket.on('data', data => {
      const [, path = ''] = /^GET (\S+) HTTP\/1\.1\r\n(?:.+\r\n)+\r\n$/.exec(data.toString()) ?? [];
      asked.push(path);
      answer(socket, ++nth, path);
    });
  });
  const connections = new Connections(await listen(t, server), { strictSSL: true });
  t.after(() => {
    connections.close();
    for (const socket of sockets) socket.destroy();
  });
  return { connections, sockets, asked };
}

async function listen(t: TestContext, server: Server, protocol = 'http'): Promise<URL> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return new URL(`${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function text(answer: Answer): Promise<string> {
  let body = '';
  await answer.read(piece => {
    body += piece.toString();
  });
  return body;
}

const reply = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

test('a connection is kept for the next request', async t => {
  const { connections, sockets, asked } = await peer(t, (socket, nth) => {
    socket.write(reply(`${nth}`));
  });
  for (const expected of ['1', '2', '3'])
    assert.equal(await text(await connections.get('/a?b', {})), expected);
  assert.equal(sockets.length, 1);
  assert.deepEqual(asked, ['/a?b', '/a?b', '/a?b']);
});

test('many requests share connections, fewer where answers come at once', async t => {
  const late = await peer(t, async socket => {
    await sleep(20);
    socket.write(reply('late'));
  });
  const soon = await peer(t, socket => void socket.write(reply('soon')));
  for (const { connections } of [late, soon]) {
    for (let i = 0; i < 10; i++) await text(await connections.get('/', {}));
    await Promise.all(
      Array.from({ length: 200 }, async () => text(await connections.get('/', {}))),
    );
  }
  assert.equal(late.sockets.length, 48);
  assert.equal(soon.sockets.length, 12);
  assert.equal(late.asked.length, 210);
});

test('a kept connection that the other side gave up is replaced, once', async t => {
  let dies = false;
  const { connections, sockets } = await peer(t, (socket, nth) => {
    if (nth > 1 || dies) socket.destroy();
    else socket.write(reply('first'));
  });
  for (let i = 0; i < 3; i++) assert.equal(await text(await connections.get('/', {})), 'first');
  assert.equal(sockets.length, 3);
  dies = true;
  await assert.rejects(connections.get('/', {}), { code: 'ECONNRESET' });
  assert.equal(sockets.length, 4);
});

test('an answer that breaks off in its body is not asked for again', async t => {
  const { connections, asked } = await peer(t, (socket, nth) => {
    if (nth === 1) return void socket.write(reply('first'));
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc');
  });
  await text(await connections.get('/', {}));
  await assert.rejects(text(await connections.get('/', {})), { code: 'ECONNRESET' });
  assert.equal(asked.length, 2);
});

test('a connection that says close is not used again; the next request opens one', async t => {
  const { connections, sockets } = await peer(t, socket => {
    socket.write(reply('once', 'Connection: close\r\n'));
  });
  for (let i = 0; i < 3; i++) assert.equal(await text(await connections.get('/', {})), 'once');
  assert.equal(sockets.length, 3);
});

test('nothing listens: the request fails as the system says', async t => {
  const server = createServer();
  const origin = await listen(t, server);
  await new Promise(resolve => server.close(resolve));
  const connections = new Connections(origin, { strictSSL: true });
  const failures = await Promise.allSettled(
    Array.from({ length: 60 }, () => connections.get('/', {})),
  );
  for (const failure of failures) {
    assert.equal(failure.status, 'rejected');
    assert.equal(failure.reason.code, 'ECONNREFUSED');
  }
});

test('a body that nobody reads does not fill the memory, and is whole when it is read', async t => {
  const size = 64 * 1024 * 1024;
  const { connections, sockets } = await peer(t, socket => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(size, 'a'));
  });
  const answer = await connections.get('/', {});
  await sleep(300);
  assert.ok((sockets[0]?.writableLength ?? 0) > size / 2, 'the other side had to wait');
  let read = 0;
  await answer.read(piece => {
    read += piece.length;
  });
  assert.equal(read, size);
});

test('what is discarded costs no connection when it is small', async t => {
  const { connections, sockets } = await peer(t, (socket, nth, path) => {
    if (path === '/large') socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nabc`);
    else if (path === '/late') {
      socket.write('HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\n');
      setTimeout(() => socket.write('gone'), 20);
    } else socket.write(reply(`${nth}`));
  });
  for (const path of ['/', '/late', '/']) (await connections.get(path, {})).discard();
  assert.equal((await text(await connections.get('/', {})).then(Number)) > 0, true);
  const before = sockets.length;
  (await connections.get('/large', {})).discard();
  await sleep(50);
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 1);
  await text(await connections.get('/', {}));
  assert.ok(sockets.length <= before + 1);
});

/** Gives a body up once there is enough of it, as a failure's beginning is read. */
const beginningOf = (answer: Answer) => {
  let size = 0;
  return answer.read(piece => {
    size += piece.length;
    if (size > 4096) answer.discard();
  });
};

for (const [size, isKept] of [
  [8000, true],
  [300_000, false],
] as const)
  test(`a body of ${size} bytes may be given up while it is read`, async t => {
    const { connections, sockets } = await peer(t, (socket, _nth, path) => {
      if (path === '/') return void socket.write(reply('next'));
      socket.write(`HTTP/1.1 500 No\r\nContent-Length: ${size}\r\n\r\n`);
      setTimeout(() => socket.write(Buffer.alloc(size, 'a')), 20);
    });
    const reading = beginningOf(await connections.get('/failure', {}));
    if (isKept) await reading;
    else await assert.rejects(reading, { code: 'ECONNRESET' });
    assert.equal(await text(await connections.get('/', {})), 'next');
    assert.equal(sockets.length, isKept ? 1 : 2);
  });

test('a connection that was given up takes no request that waits', async t => {
  const { connections } = await peer(t, (socket, _nth, path) => {
    if (path === '/') return void socket.write(reply('next'));
    socket.write('HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n');
    setTimeout(() => socket.write(`2000\r\n${'x'.repeat(8192)}\r\n0\r\n\r\n`), 20);
  });
  const failures = Array.from({ length: 48 }, async () =>
    beginningOf(await connections.get('/failure', {})).catch(() => {}),
  );
  const others = Array.from({ length: 10 }, async () => text(await connections.get('/', {})));
  await Promise.all(failures);
  assert.deepEqual(new Set(await Promise.all(others)), new Set(['next']));
});

test('a body is read once', async t => {
  const { connections } = await peer(t, socket => void socket.write(reply('abc')));
  const answer = await connections.get('/', {});
  assert.equal(await text(answer), 'abc');
  assert.throws(() => answer.read(() => {}), /once/);
});

test('a connection that waits for a request keeps no process running', async t => {
  const { connections } = await peer(t, socket => void socket.write(reply('abc')));
  const script = `
    const { Connections } = require(${JSON.stringify(join(root, 'src/registry/connections.ts'))});
    const connections = new Connections(new URL(process.argv[1]), { strictSSL: true });
    connections.get('/', {}).then(answer => answer.read(piece => process.stdout.write(piece)));
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '-e', script, connections.origin.href],
    // It would be 30 s.
    { cwd: root, timeout: 20_000 },
  );
  assert.equal(stdout, 'abc');
});

test('what nobody asked for ends the connection', async t => {
  const { connections, sockets } = await peer(t, socket => {
    socket.write(reply('a'));
    setTimeout(() => socket.write(reply('not asked for')), 20);
  });
  assert.equal(await text(await connections.get('/', {})), 'a');
  await sleep(100);
  assert.equal(await text(await connections.get('/', {})), 'a');
  assert.equal(sockets.length, 2);
});

test('what a reader throws is what the reading fails with', async t => {
  const { connections } = await peer(t, socket => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n');
    setTimeout(() => socket.write('abc'), 20);
  });
  const wrong = new Error('no room');
  const answer = await connections.get('/', {});
  await assert.rejects(
    answer.read(() => {
      throw wrong;
    }),
    wrong,
  );
});

test('close breaks off what is under way and what waits; a later request works', async t => {
  let answers = false;
  const { connections } = await peer(t, socket => {
    if (answers) socket.write(reply('later'));
  });
  const under = Array.from({ length: 60 }, () => connections.get('/', {}));
  const ended = Promise.allSettled(under);
  await sleep(50);
  connections.close();
  for (const { status } of await ended) assert.equal(status, 'rejected');
  answers = true;
  assert.equal(await text(await connections.get('/', {})), 'later');
  connections.close();
  assert.equal(await text(await connections.get('/', {})), 'later');
});

test('a header that would end early is refused before anything is sent', async t => {
  const { connections, sockets } = await peer(t, () => {});
  await assert.rejects(connections.get('/', { authorization: 'Bearer a\r\nx: y' }), {
    code: 'ERR_INVALID_CHAR',
  });
  assert.equal(sockets.length, 0);
});

test("Node's own server is understood, in all that it sends", async t => {
  const server = createHttpServer((request, response) => {
    const [, kind, size = '0'] = /^\/(\w+)\/(\d+)/.exec(request.url ?? '') ?? [];
    const body = Buffer.alloc(Number(size), 'x');
    if (kind === 'length') response.writeHead(200, { 'content-length': body.length });
    if (kind === 'close') response.writeHead(200, { connection: 'close' });
    for (let at = 0; at < body.length; at += 30_000) response.write(body.subarray(at, at + 30_000));
    response.end();
  });
  const connections = new Connections(await listen(t, server), { strictSSL: true });
  t.after(() => connections.close());
  const paths = ['length', 'chunked', 'close'].flatMap(kind =>
    [0, 1, 65_536, 1_000_000].map(size => [`/${kind}/${size}`, size] as const),
  );
  for (let round = 0; round < 3; round++)
    await Promise.all(
      paths.map(async ([path, size]) =>
        assert.equal((await text(await connections.get(path, {}))).length, size, path),
      ),
    );
});

test('over TLS nothing is sent before it is known who is there', async t => {
  const folder = temporaryFolder(t);
  const right = makeCertificate(folder, 'localhost');
  const wrong = makeCertificate(folder, 'other.test');
  if (!right || !wrong) return t.skip('there is no openssl to make a certificate');
  const heard: string[] = [];
  let handshakes = 0;
  let resumed = 0;
  const start = async (certificate: { key: string; cert: string }) => {
    const server = createTlsServer(certificate, socket => {
      handshakes++;
      if (socket.isSessionReused()) resumed++;
      socket.on('error', () => {});
      socket.on('data', data => {
        heard.push(data.toString());
        socket.end(reply('safe', 'Connection: close\r\n'));
      });
    });
    server.on('tlsClientError', () => {});
    const { port } = await listen(t, server, 'https');
    return new URL(`https://localhost:${port}`);
  };
  const secret = { authorization: 'Bearer the-token' };
  const impostor = await start(wrong);
  for (const ca of [right.cert, wrong.cert]) {
    const connections = new Connections(impostor, { strictSSL: true, ca });
    await assert.rejects(connections.get('/', secret), (error: NodeJS.ErrnoException) =>
      /CERT|SELF_SIGNED/.test(error.code ?? ''),
    );
  }
  assert.deepEqual(heard, []);
  const connections = new Connections(await start(right), { strictSSL: true, ca: right.cert });
  handshakes = 0;
  for (let i = 0; i < 3; i++) assert.equal(await text(await connections.get('/', secret)), 'safe');
  assert.equal(heard.length, 3);
  assert.match(heard[0] ?? '', /^GET \/ HTTP\/1\.1\r\n[\s\S]*authorization: Bearer the-token\r\n/);
  assert.equal(handshakes, 3);
  assert.equal(resumed, 2);
  const lax = new Connections(impostor, { strictSSL: false });
  assert.equal(await text(await lax.get('/', {})), 'safe');
});
