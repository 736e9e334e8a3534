import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';

interface Ending {
  after(fn: () => unknown): void;
}

/** A server on this machine that ends with its test. */
export interface TestServer {
  /** With a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The path and the Authorization header of each request. */
  readonly requests: { path: string; authorization: string | undefined }[];
  /** How many connections came. */
  connections: number;
}

/**
 * Serves http, or https with a certificate for localhost.
 * @param answer called for each request once it is recorded
 */
export async function serve(
  t: Ending,
  answer: (path: string, response: ServerResponse, request: IncomingMessage) => void,
  tls?: { key: string; cert: string },
): Promise<TestServer> {
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    served.requests.push({ path, authorization: request.headers.authorization });
    answer(path, response, request);
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  const port = await listen(t, server);
  const host = tls ? 'localhost' : '127.0.0.1';
  const url = `${tls ? 'https' : 'http'}://${host}:${port}/`;
  const served: TestServer = { url, port, requests: [], connections: 0 };
  server.on('connection', () => served.connections++);
  t.after(() => server.closeAllConnections());
  return served;
}

/** An address on which nothing listens. */
export async function deadPort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

/** An http proxy: forwards plain requests, and tunnels for CONNECT. */
export async function httpProxy(t: Ending): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const { request } = await import('node:http');
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { method, headers } = incoming;
    const onward = request(incoming.url ?? '', { method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', ({ url }, client: Socket) => {
    asked.push(`CONNECT ${url}`);
    tunnel(client, Number(url?.split(':')[1]), 'HTTP/1.1 200 OK\r\n\r\n');
  });
  const port = await listen(t, server);
  t.after(() => server.closeAllConnections());
  return { port, asked };
}

/** A SOCKS5 proxy without authentication (RFC 1928). */
export async function socksProxy(t: Ending): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const server = createNetServer(client => {
    sockets.push(client);
    client.on('error', () => {});
    client.once('data', () => {
      client.write(Buffer.from([5, 0]));
      client.once('data', wanted => {
        const port = wanted.readUInt16BE(wanted.length - 2);
        asked.push(`SOCKS ${port}`);
        tunnel(client, port, Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      });
    });
  });
  const port = await listen(t, server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port, asked };
}

function tunnel(client: Socket, port: number, greeting: string | Buffer): void {
  const onward = connect(port, '127.0.0.1', () => {
    client.write(greeting);
    client.pipe(onward);
    onward.pipe(client);
  });
  onward.on('error', () => client.destroy());
  client.on('error', () => onward.destroy());
  client.on('close', () => onward.destroy());
}

async function listen(t: Ending, server: Server | ReturnType<typeof createNetServer>) {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}
