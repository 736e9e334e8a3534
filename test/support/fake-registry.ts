import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageTarball, sha512 } from './tarball';

/** What a token may do; GitHub Packages answers each lack in its own words. */
export interface TokenRights {
  /** False: the scope read:packages is missing. */
  readPackages?: boolean;
  /** False: the organisation's single sign-on was not passed. */
  sso?: boolean;
  /** Packages that it may not read. */
  denied?: readonly string[];
}

/** A fault for the requests whose `METHOD path` matches, the next `times` of them. */
export interface Fault {
  match: RegExp;
  times?: number;
  status?: number;
  body?: string | Buffer;
  headers?: Record<string, string>;
  /** Close the connection without an answer. */
  reset?: boolean;
  delayMs?: number;
  /** Change the honest body on its way out. */
  transform?: (body: Buffer) => Buffer;
  /** Announce the whole body, send this many bytes, close. */
  truncateTo?: number;
}

export interface Recorded {
  host: 'registry' | 'storage';
  method: string;
  path: string;
  authorization: string | undefined;
}

export interface FakeRegistryOptions {
  /** The tokens it knows; undefined lets everybody in. */
  tokens?: Record<string, TokenRights>;
  /** Serve tarballs by a redirect to a second host with a signed URL, as GitHub Packages does. */
  redirectTarballs?: boolean;
}

/**
 * A registry over real HTTP on 127.0.0.1 that answers as GitHub Packages does: its bodies, its
 * 405, its redirect of tarballs to another host, which records whether a token came along.
 */
export class FakeRegistry {
  readonly requests: Recorded[] = [];
  readonly #packuments = new Map<string, Packument>();
  readonly #tarballs = new Map<string, Buffer>();
  readonly #options: FakeRegistryOptions;
  #faults: Fault[] = [];
  #registry!: Server;
  #storage!: Server;
  url = '';
  #storageUrl = '';

  private constructor(options: FakeRegistryOptions) {
    this.#options = { redirectTarballs: true, ...options };
  }

  static async start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    registry.#registry = createServer((request, response) =>
      registry.#serve('registry', request, response),
    );
    registry.#storage = createServer((request, response) =>
      registry.#serve('storage', request, response),
    );
    registry.url = `http://127.0.0.1:${await listen(registry.#registry)}/`;
    // Another host name, so that clients which compare names alone see the change.
    registry.#storageUrl = `http://localhost:${await listen(registry.#storage)}/`;
    return registry;
  }

  async close(): Promise<void> {
    for (const server of [this.#registry, this.#storage]) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }

  /** Publishes a version; the tag latest follows unless another is given. */
  publish(
    manifest: { name: string; version: string; [key: string]: unknown },
    files: Record<string, string | Buffer> = {},
    { tag = 'latest', tarball, time }: { tag?: string; tarball?: Buffer; time?: string } = {},
  ): { tarball: Buffer; integrity: string } {
    const data =
      tarball ?? packageTarball({ 'package.json': JSON.stringify(manifest, null, 2), ...files });
    const added = this.#add(manifest, data, tag);
    const packument = this.#packuments.get(manifest.name);
    if (packument && time) packument.time = { ...packument.time, [manifest.version]: time };
    return added;
  }

  /** Where the packument says that a version's tarball is. */
  tarballUrl(name: string, version: string): string {
    return String(this.#packuments.get(name)?.versions[version]?.dist.tarball);
  }

  tag(name: string, tag: string, version: string): void {
    const packument = this.#packuments.get(name);
    if (packument) packument['dist-tags'][tag] = version;
  }

  /** Changes a version's entry in the packument. */
  patch(
    name: string,
    version: string,
    change: (manifest: Record<string, unknown> & { dist: Record<string, unknown> }) => void,
  ): void {
    const manifest = this.#packuments.get(name)?.versions[version];
    if (!manifest) throw new Error(`no ${name}@${version}`);
    change(manifest);
  }

  misbehave(fault: Fault): void {
    this.#faults.push(fault);
  }

  behave(): void {
    this.#faults = [];
  }

  #add(
    manifest: { name: string; version: string },
    data: Buffer,
    tag: string,
  ): { tarball: Buffer; integrity: string } {
    const { name, version } = manifest;
    const shasum = createHash('sha1').update(data).digest('hex');
    const integrity = sha512(data);
    const path = `download/${name}/${version}/${shasum}`;
    this.#tarballs.set(path, data);
    const packument = this.#packuments.get(name) ?? { name, 'dist-tags': {}, versions: {} };
    packument.versions[version] = {
      ...manifest,
      dist: { tarball: `${this.url}${path}`, integrity, shasum },
    };
    packument['dist-tags'][tag] = version;
    packument['dist-tags'].latest ??= version;
    this.#packuments.set(name, packument);
    return { tarball: data, integrity };
  }

  #serve(host: Recorded['host'], request: IncomingMessage, response: ServerResponse): void {
    const method = request.method ?? 'GET';
    const path = (request.url ?? '/').replace(/^\//, '');
    this.requests.push({ host, method, path, authorization: request.headers.authorization });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer =
        host === 'storage'
          ? this.#storageAnswer(path)
          : this.#answer(method, path, request, Buffer.concat(chunks));
      void send(answer, this.#takeFault(`${method} ${path}`), response);
    });
  }

  #takeFault(line: string): Fault | undefined {
    const fault = this.#faults.find(({ match, times }) => (times ?? 1) > 0 && match.test(line));
    if (fault?.times !== undefined) fault.times--;
    return fault;
  }

  #storageAnswer(path: string): Answer {
    const data = this.#tarballs.get(path.split('?')[0] ?? '');
    return data
      ? { status: 200, body: data, headers: { 'content-type': 'application/octet-stream' } }
      : json(404, { error: 'not found' });
  }

  #answer(method: string, rawPath: string, request: IncomingMessage, body: Buffer): Answer {
    const path = decodeURIComponent(rawPath.split('?')[0] ?? '');
    if (path.startsWith('-/')) return json(404, { error: 'not found' });
    const isDownload = path.startsWith('download/');
    const [, name = path, rest] =
      /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(isDownload ? path.slice(9) : path) ?? [];
    const refusal = this.#refusal(request.headers.authorization, name);
    if (refusal) return refusal;
    if (method === 'PUT') return this.#put(JSON.parse(body.toString('utf8')));
    if (isDownload) {
      const data = this.#tarballs.get(path);
      if (!data) return json(404, { error: 'not found' });
      if (!this.#options.redirectTarballs) return { status: 200, body: data, headers: {} };
      return {
        status: 302,
        body: Buffer.alloc(0),
        headers: { location: `${this.#storageUrl}${path}?sig=signed-url-secret` },
      };
    }
    if (rest !== undefined) return json(405, { error: 'GET method not allowed' });
    const packument = this.#packuments.get(name);
    // The abbreviated document has no times.
    const isShort = /vnd\.npm\.install-v1/.test(request.headers.accept ?? '');
    if (packument) return json(200, isShort ? { ...packument, time: undefined } : packument);
    const owner = /^@([^/]+)/.exec(name)?.[1] ?? 'nobody';
    return json(404, {
      error: `npm package "${name.replace(/^@[^/]+\//, '')}" does not exist under owner "${owner}"`,
    });
  }

  #refusal(authorization: string | undefined, name: string): Answer | undefined {
    const { tokens } = this.#options;
    if (!tokens) return undefined;
    if (!authorization) return json(401, { error: 'authentication token not provided' });
    const rights = tokens[authorization.replace(/^Bearer /, '')];
    if (!rights)
      return json(401, {
        error: 'unauthenticated: User cannot be authenticated with the token provided.',
      });
    if (rights.readPackages === false)
      return json(403, {
        error: 'permission_denied: The token provided does not match expected scopes',
      });
    if (rights.sso === false)
      return {
        ...json(403, {
          error:
            'Resource protected by organization SAML enforcement. You must grant your token access to this organization.',
        }),
        headers: { 'x-github-sso': 'required; url=https://github.com/orgs/acme/sso' },
      };
    if (rights.denied?.includes(name))
      return json(403, { error: 'permission_denied: read_package' });
    return undefined;
  }

  /** npm publish. */
  #put(document: {
    name: string;
    versions: Record<string, { name: string; version: string }>;
    'dist-tags': Record<string, string>;
    _attachments: Record<string, { data: string }>;
  }): Answer {
    const [attachment] = Object.values(document._attachments);
    const [manifest] = Object.values(document.versions);
    if (!attachment || !manifest) return json(400, { error: 'no attachment' });
    if (this.#packuments.get(manifest.name)?.versions[manifest.version])
      return json(409, { error: 'Cannot publish over existing version' });
    this.#add(
      manifest,
      Buffer.from(attachment.data, 'base64'),
      Object.keys(document['dist-tags'])[0] ?? 'latest',
    );
    return json(201, { ok: true });
  }
}

interface Packument {
  name: string;
  'dist-tags': Record<string, string>;
  versions: Record<string, Record<string, unknown> & { dist: Record<string, unknown> }>;
  time?: Record<string, string>;
}

interface Answer {
  status: number;
  body: Buffer;
  headers: Record<string, string>;
}

function json(status: number, value: unknown): Answer {
  return {
    status,
    body: Buffer.from(JSON.stringify(value)),
    headers: { 'content-type': 'application/json' },
  };
}

async function send(
  honest: Answer,
  fault: Fault | undefined,
  response: ServerResponse,
): Promise<void> {
  // A test whose client has given up ends without waiting for the rest.
  if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false });
  if (fault?.reset) return void response.destroy();
  const body =
    fault?.body !== undefined
      ? Buffer.from(fault.body)
      : (fault?.transform?.(honest.body) ?? honest.body);
  response.writeHead(fault?.status ?? honest.status, {
    ...honest.headers,
    ...fault?.headers,
    'content-length': String(body.length),
  });
  if (fault?.truncateTo === undefined) return void response.end(body);
  response.write(body.subarray(0, fault.truncateTo));
  setTimeout(() => response.destroy(), 20);
}

function listen(server: Server): Promise<number> {
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}
