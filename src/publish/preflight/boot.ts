import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import type { Io } from '../../io';

interface BootOptions {
  /** The folder that setup filled, and the file in it that starts the backend. */
  dir: string;
  serverFile: string;
  /** undefined for the main entry. */
  role: string | undefined;
  /** Asked until it answers below 500, such as `/health`. */
  healthPath: string;
  /** The backend's environment, without secrets; PORT is added. */
  env: Io['env'];
  io: Pick<Io, 'now' | 'sleep' | 'execPath'>;
  signal: AbortSignal;
}

/** How a start went. Times are in milliseconds, memory in bytes. */
export interface Boot {
  /** What went wrong, as a sentence's end; undefined when it answered. */
  failure?: string;
  status?: number;
  answeredMs: number;
  /** Of its process and those that it started; undefined where the system does not say. */
  rss: number | undefined;
  stoppedMs: number;
  /** True when it had to be killed after SIGTERM. */
  wasKilled: boolean;
  /** The end of what it printed. */
  output: string;
}

const startMs = 60_000;
const tryMs = 5_000;
const pollMs = 50;
/** Render kills 30 s after SIGTERM, Docker after 10 s. */
const stopMs = 10_000;
/** What it printed last may still be on its way when it has ended. */
const outputMs = 500;
const mostOutput = 4_000;

/**
 * Starts an installed backend on a free port, waits for its first answer, and stops it with SIGTERM.
 * Its process group is gone afterwards, also when this process exits meanwhile.
 * @throws the signal's reason when it is aborted
 */
export async function boot(options: BootOptions): Promise<Boot> {
  const { io, signal, role } = options;
  const begun = io.now();
  const port = await freePort();
  const child = spawn(io.execPath, [options.serverFile, ...(role === undefined ? [] : [role])], {
    cwd: options.dir,
    env: { ...options.env, PORT: String(port) } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it starts can be ended with it.
    detached: hasGroups,
  });
  const kill = () => killGroup(child);
  process.once('exit', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-mostOutput);
    });
  // No wait outlasts the child: a timer that is left keeps the command from ending.
  const over = new AbortController();
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(`could not start: ${error.message}`));
    child.once('exit', (code, name) => resolve(`ended ${name ? `by ${name}` : `with ${code}`}`));
  }).finally(() => over.abort());
  const closed = new Promise(resolve => child.once('close', resolve));
  const until = AbortSignal.any([over.signal, signal]);
  try {
    const answer = await untilAnswer(port, options, begun + startMs, until).catch(async error => {
      if (signal.aborted) throw error;
      await Promise.race([closed, io.sleep(outputMs)]);
      return { failure: `${await ended} before it answered` };
    });
    const answeredMs = io.now() - begun;
    const rss = child.pid === undefined ? undefined : groupMemory(child.pid);
    const stopped = io.now();
    child.kill('SIGTERM');
    const wasKilled = await io.sleep(stopMs, until).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    return {
      ...answer,
      answeredMs,
      rss,
      stoppedMs: io.now() - stopped,
      wasKilled,
      output,
    };
  } finally {
    kill();
    process.removeListener('exit', kill);
    await ended;
  }
}

/** @throws the signal's reason, also when the backend has ended */
async function untilAnswer(
  port: number,
  { healthPath, io }: BootOptions,
  deadline: number,
  signal: AbortSignal,
): Promise<Pick<Boot, 'status' | 'failure'>> {
  for (;;) {
    const status = await ask(port, healthPath, signal);
    if (status !== undefined && status < 500) return { status };
    if (io.now() > deadline) {
      const said = status === undefined ? 'did not answer' : `still answered ${status}`;
      return { failure: `${said} at ${healthPath} on PORT after ${startMs / 1000} s` };
    }
    await io.sleep(pollMs, signal);
  }
}

/** @returns the status of one answer; undefined for none */
function ask(port: number, path: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise(resolve => {
    // No agent: it would keep the connection, and could go through a proxy.
    const where = { host: 'localhost', port, path };
    const request = get({ ...where, agent: false, timeout: tryMs, signal }, answer => {
      resolve(answer.statusCode);
      answer.destroy();
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
  });
}

const hasGroups = process.platform !== 'win32';

function killGroup(child: ChildProcess): void {
  if (!hasGroups || child.pid === undefined) return void child.kill('SIGKILL');
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {}
}

/** The resident memory of a process group in bytes, as /proc of Linux tells it (proc_pid_stat(5)). */
function groupMemory(group: number): number | undefined {
  let kilobytes = 0;
  for (const pid of existsSync('/proc/self/stat') ? readdirSync('/proc') : [])
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // What follows the program's name, which may hold blanks: state, parent, group.
      const [, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(itsGroup) !== group) continue;
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      kilobytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    } catch {
      // No process, or one that is gone by now.
    }
  return kilobytes > 0 ? kilobytes * 1024 : undefined;
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
