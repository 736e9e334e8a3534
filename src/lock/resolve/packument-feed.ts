import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BootlaceError } from '../../errors';
import { isObject, pick } from '../../json';
import { type ClientOptions, createRegistryClient } from '../../registry/client';
import { registryOf } from '../../registry/config/config';
import type { Packument } from '../../registry/packument';
import type { Transport } from '../../registry/transport';
import { installScripts } from '../document';
import { isPackageName } from '../validate';
import { type Dist, openFeedTarballs } from './feed-tarballs';
import { type Dependency, guessNext, readWishes, type Wishes, wishFields } from './foresight';

/** The packuments of all registries on this machine, for one run of npm. */
export interface PackumentFeed {
  /** The address that npm gets as its registry; its path is random, so that no other program guesses it. */
  readonly url: string;
  /** What a registry failed with, when npm may have gone on without an optional package. */
  failure(): BootlaceError | undefined;
  /** The package that asks for a version, `left@1.0.0`, where that was seen ahead of npm. */
  asker(name: string, spec: string): string | undefined;
  /** The real address and checksum behind one of the feed's; undefined for another address. */
  original(address: string): Dist | undefined;
  /** Puts the real registries' addresses into what npm says. */
  restore(text: string): string;
  close(): void;
}

/** A packument that was asked for ahead. */
interface Asked {
  /** Until npm takes it. */
  body: Buffer | undefined;
  readonly wishes: Wishes;
}

/** Bytes of packuments that npm has not taken, before no more are asked for ahead of it. */
const mostHeld = 24 * 1024 * 1024;
/** Packuments asked for ahead at a time. */
const mostAhead = 16;

/**
 * Serves npm the packuments of the real registries, and asks for them before npm does: npm walks a
 * tree step by step and waits for a registry hundreds of times, one after the other. It still
 * chooses every version; it only waits less, and writes no cache.
 * @param options its transport is kept open
 * @param work a folder for what is thrown away
 * @param wanted the dependencies to begin with
 */
export async function openPackumentFeed(
  options: ClientOptions & { transport: Transport },
  work: string,
  wanted: readonly Dependency[],
): Promise<PackumentFeed> {
  // Many requests at a time listen to it.
  if (options.signal) setMaxListeners(0, options.signal);
  const client = createRegistryClient(options);
  // A guess that fails is no failure: npm may never ask, and if it does there are more tries.
  const scout = createRegistryClient({ ...options, deadlineMs: 0, onRetry: undefined });
  const asked = new Map<string, Promise<Asked | undefined>>();
  const seen = new Set<string>();
  const askers = new Map<string, string>();
  const open: Dependency[] = [];
  let ahead = 0;
  let held = 0;
  let isOpen = true;
  let failure: BootlaceError | undefined;

  const path = `/${randomBytes(16).toString('hex')}/`;
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${path}`;
  const tarballs = openFeedTarballs(url, work, {
    ...options,
    deadlineMs: options.deadlineMs ?? 60_000,
    signal: options.signal ?? new AbortController().signal,
  });
  want(wanted);
  return {
    url,
    failure: () => failure,
    asker: (name, spec) => askers.get(`${name}@${spec}`),
    original: tarballs.original,
    restore: text =>
      text
        .split(url)
        .map((part, i) => (i === 0 ? part : realBase(part) + part))
        .join(''),
    close() {
      isOpen = false;
      server.close();
      server.closeAllConnections();
    },
  };

  function realBase(rest: string): string {
    const name = /^(?:@[\w.~-]+(?:\/|%2f))?[\w.~-]+/i.exec(rest)?.[0] ?? '';
    return registryOf(name.replace(/%2f/i, '/'), options.config);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: address = '' } = request;
    if (method !== 'GET' || !address.startsWith(path)) return void response.writeHead(404).end();
    const rest = address.slice(path.length);
    try {
      const body = (await tarballs.fetch(url + rest)) ?? (await takePackument(rest));
      if (!body) return void response.writeHead(404).end();
      response.writeHead(200, { 'content-length': body.length, 'cache-control': 'no-store' });
      response.end(body);
    } catch (error) {
      if (!(error instanceof BootlaceError)) throw error;
      const { status, answer = error.message } = error.facts;
      const isRefusal = typeof status === 'number' && [401, 403, 404, 410].includes(status);
      if (!isRefusal) failure ??= error;
      // npm tries again what a registry may mend; that has been done.
      response.writeHead(isRefusal ? status : 424, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: answer }));
    }
  }

  async function takePackument(rest: string): Promise<Buffer | undefined> {
    const name = decodeURIComponent(rest);
    if (!isPackageName(name)) return undefined;
    const early = await asked.get(name);
    if (!early?.body) return render(await client.packument(name, true));
    const { body } = early;
    early.body = undefined;
    held -= body.length;
    goAhead();
    return body;
  }

  /** A packument without what npm does not read for a lock, which is most of it. */
  function render({ name, versions, 'dist-tags': tags, time }: Packument): Buffer {
    const served = Object.entries<unknown>(versions).flatMap(([version, manifest]) =>
      isObject(manifest) ? [[version, tarballs.serve(name, version, pickRead(manifest))]] : [],
    );
    return Buffer.from(
      JSON.stringify({
        name,
        'dist-tags': tags,
        versions: Object.fromEntries(served),
        // npm needs it only to leave out what is too new.
        ...(options.config.before && { time }),
      }),
    );
  }

  function want(more: readonly Dependency[], by?: string): void {
    for (const each of more) {
      const key = `${each.name}@${each.spec}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (by) askers.set(key, by);
      open.push(each);
    }
    goAhead();
  }

  function goAhead(): void {
    while (isOpen && ahead < mostAhead && held < mostHeld) {
      const next = open.shift();
      if (!next) return;
      ahead++;
      const goOn = () => {
        ahead--;
        goAhead();
      };
      follow(next).then(goOn, goOn);
    }
  }

  async function follow({ name, spec }: Dependency): Promise<void> {
    if (!asked.has(name)) asked.set(name, ask(name));
    const wishes = (await asked.get(name))?.wishes;
    const next = wishes && guessNext(wishes, spec);
    if (!next || seen.has(`${name}=${next.version}`)) return;
    seen.add(`${name}=${next.version}`);
    want(next.wants, `${name}@${next.version}`);
  }

  async function ask(name: string): Promise<Asked | undefined> {
    try {
      const packument = await scout.packument(name, true);
      const body = render(packument);
      held += body.length;
      return { body, wishes: readWishes(packument) };
    } catch {
      return undefined;
    }
  }
}

/** What npm reads of a version to choose it and to write its entry in a lock. */
const readFields = [
  ...['name', 'version', '_id', 'deprecated', 'license', 'licenses', 'funding', 'gypfile'],
  ...['engines', 'os', 'cpu', 'libc', 'bin', 'directories', 'hasInstallScript', '_hasShrinkwrap'],
  ...['acceptDependencies', 'overrides', 'workspaces'],
  ...wishFields,
];

function pickRead(manifest: Record<string, unknown>): Record<string, unknown> {
  const { dist, scripts } = manifest;
  const picked = pick(manifest, readFields);
  if (isObject(dist)) picked.dist = pick(dist, ['tarball', 'integrity', 'shasum']);
  if (isObject(scripts)) picked.scripts = pick(scripts, installScripts);
  return picked;
}
