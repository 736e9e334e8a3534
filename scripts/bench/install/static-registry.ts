// A registry of files on 127.0.0.1, in a process of its own so that it does not disturb what is
// measured. With --capture it fetches what it does not have yet from the default registry and
// keeps it; without, what it does not have does not exist. --latency=MS: each answer comes that late,
// as from a registry that is not next door.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import defaults from 'npm-registry-fetch/lib/default-opts.js';

const [folder = '', ...flags] = process.argv.slice(2);
const isCapturing = flags.includes('--capture');
const latency = Number(flags.find(flag => flag.startsWith('--latency='))?.slice(10) ?? 0);
const upstream = defaults.registry;
const abbreviated = 'application/vnd.npm.install-v1+json';
const memory = new Map<string, Buffer>();
mkdirSync(folder, { recursive: true });

const server = createServer((request, response) => {
  answer(request, response).catch(error => {
    response.writeHead(500).end(String(error));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(base()));
process.on('disconnect', () => process.exit());

function base(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = decodeURIComponent((request.url ?? '/').slice(1).split('?')[0] ?? '');
  if (request.method !== 'GET' || path.startsWith('-/')) return void response.writeHead(404).end();
  const isTarball = path.endsWith('.tgz');
  const isShort = !isTarball && (request.headers.accept ?? '').includes(abbreviated);
  const body = await find(path, isTarball, isShort);
  if (latency > 0) await new Promise(resolve => setTimeout(resolve, latency));
  if (!body) return void response.writeHead(404).end('{"error":"not found"}');
  const type = isTarball ? 'application/octet-stream' : isShort ? abbreviated : 'application/json';
  response.writeHead(200, {
    'content-type': type,
    'content-length': body.length,
    // As the real one says it: a warm client need not ask again for a while, nor for a tarball ever.
    'cache-control': isTarball ? 'public, immutable, max-age=31557600' : 'public, max-age=300',
    etag: `"${createHash('sha1').update(path).update(String(body.length)).digest('hex')}"`,
  });
  response.end(body);
}

async function find(
  path: string,
  isTarball: boolean,
  isShort: boolean,
): Promise<Buffer | undefined> {
  const key = isTarball ? path : `${path}${isShort ? '.short' : '.full'}.json`;
  const known = memory.get(key);
  if (known) return known;
  const file = join(folder, key.replaceAll('/', '+'));
  const other = join(folder, `${path}${isShort ? '.full' : '.short'}.json`.replaceAll('/', '+'));
  if (isCapturing && !existsSync(file) && !existsSync(`${file}.404`))
    await capture(path, isTarball, isShort, file);
  const found = [file, other].find(existsSync);
  if (!found) return undefined;
  const data = readFileSync(found);
  const body = isTarball
    ? data
    : Buffer.from(data.toString('utf8').replaceAll(`"${upstream}`, `"${base()}`));
  memory.set(key, body);
  return body;
}

async function capture(
  path: string,
  isTarball: boolean,
  isShort: boolean,
  file: string,
): Promise<void> {
  const url = upstream + (isTarball ? path : path.replace('/', '%2f'));
  for (let tries = 1; ; tries++) {
    try {
      const got = await fetch(url, { headers: isShort ? { accept: abbreviated } : {} });
      if (got.status === 404) return writeFileSync(`${file}.404`, '');
      if (!got.ok) throw new Error(`${url} answers ${got.status}`);
      const data = Buffer.from(await got.arrayBuffer());
      writeFileSync(`${file}.part`, data);
      renameSync(`${file}.part`, file);
      return;
    } catch (error) {
      if (tries === 4) throw error;
    }
  }
}
