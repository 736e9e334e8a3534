import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Io } from '../io';
import { makeFolder, writeFailure } from '../release/atomic';
import { type Layout, logsFolder } from '../release/layout';
import { removeSecrets } from '../start/backend-env';
import { compileCacheFolder } from '../start/compile-cache';
import { keptFile } from '../start/kept-file';

export interface WarmOptions {
  layout: Layout;
  /** The release that was activated, and the file that starts it. */
  release: string;
  serverFile: string;
  tokenEnv: string;
  io: Pick<Io, 'env' | 'now' | 'sleep' | 'execPath'>;
  /** How long the backend may take until it listens. */
  limitMs: number;
  signal?: AbortSignal;
}

export interface WarmResult {
  /** True when the backend listened on PORT. */
  booted: boolean;
  /** What happened, as a sentence's end. */
  how: string;
  /** Compiled files that were kept; none on Node 20, which cannot. */
  kept: number;
  /** True when where its requires and its imports lead was kept as well. */
  requiresKept: boolean;
  importsKept: boolean;
  ms: number;
  /** What the backend printed. */
  log: string;
}

/** A server that listens still loads what it needs for its first answers. */
const settleMs = 500;
const stopMs = 10_000;

/**
 * Starts the backend once, on a free port and without any token, so that V8's compiled code is
 * kept for the real starts. A backend that fails for want of a database has compiled by then what
 * it loaded. Its failure is told and is none of setup's.
 * @throws the signal's reason when it is aborted; the backend is then ended first. InstallError
 *   NOT_WRITABLE or DISK_FULL where nothing can be kept; nothing is then started
 */
export async function warm(options: WarmOptions): Promise<WarmResult> {
  const { layout, io, signal } = options;
  const begun = io.now();
  const log = join(logsFolder(layout), 'warm.log');
  const port = await freePort();
  const env: Record<string, string | undefined> = { ...io.env };
  removeSecrets(env, options);
  const fd = openLog(log);
  const child = spawn(io.execPath, [join(layout.dir, options.serverFile)], {
    cwd: layout.dir,
    env: { ...env, PORT: String(port), BOOTLACE_WARM: '1' } as NodeJS.ProcessEnv,
    stdio: ['ignore', fd, fd],
    // A group of its own, so that what it starts can be ended with it.
    detached: hasGroups,
  });
  closeSync(fd);
  const guard = guardGroup(child, io.env.PATH);
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(`could not start (${error.message})`));
    child.once('exit', (code, name) => resolve(name ? `ended by ${name}` : `ended with ${code}`));
  });
  // No wait outlasts the child: a timer that is left keeps setup from ending.
  const over = new AbortController();
  void ended.then(() => over.abort());
  const until = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  try {
    const how = await Promise.race([ended, untilListening(port, options, until)]);
    const booted = how === undefined;
    if (booted) await Promise.race([ended, io.sleep(settleMs, until)]);
    await stop(child, ended);
    return {
      booted,
      how: how ?? 'listened',
      kept: countCompiled(compileCacheFolder(layout, options.release)),
      requiresKept: existsSync(keptFile(layout, options.release, 'requires')),
      importsKept: existsSync(keptFile(layout, options.release, 'imports')),
      ms: io.now() - begun,
      log,
    };
  } finally {
    killGroup(child);
    guard?.kill();
  }
}

const hasGroups = process.platform !== 'win32';

/** Ends the backend with all that it started, also when it has ended itself. */
function killGroup(child: ChildProcess): void {
  if (!hasGroups || child.pid === undefined) return void child.kill('SIGKILL');
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {}
}

/** A setup that is killed can end nothing any more: a shell that waits for its end does. */
function guardGroup({ pid }: ChildProcess, PATH: string | undefined): ChildProcess | undefined {
  if (!hasGroups || pid === undefined) return undefined;
  const guard = spawn('sh', ['-c', 'read nothing; kill -s KILL -- "-$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // No token in it.
    env: { PATH },
    detached: true,
  });
  // Without a shell there is no guard.
  guard.on('error', () => {});
  guard.unref();
  return guard;
}

function openLog(log: string): number {
  try {
    // Another setup that ends removes the folder while it is empty.
    makeFolder(dirname(log));
    return openSync(log, 'w');
  } catch (error) {
    throw writeFailure(error, log);
  }
}

/** Asks the launcher to keep what was compiled and to end. */
async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGUSR2');
  const killer = setTimeout(() => killGroup(child), stopMs);
  await ended;
  clearTimeout(killer);
}

/** @returns undefined when something listens, or what to say when the time is over */
async function untilListening(
  port: number,
  { io, limitMs }: WarmOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  const end = io.now() + limitMs;
  for (;;) {
    if (await canConnect(port)) return undefined;
    if (io.now() > end) return `did not listen on PORT within ${Math.round(limitMs / 1000)} s`;
    await io.sleep(100, signal);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host: 'localhost' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** In the folders that Node makes, one for each of its versions. */
function countCompiled(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true }).filter(name => /[\\/]/.test(String(name)))
      .length;
  } catch {
    return 0;
  }
}
