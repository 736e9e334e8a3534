import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { watchForLeaks } from './leak-watch';

export const root = join(__dirname, '..', '..');
export const bin = join(root, 'bin', 'bootlace.js');

/** A new folder, removed when the test ends. */
export function temporaryFolder(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'bootlace-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd: string;
  env?: Record<string, string | undefined>;
  /** The Node to run with; this one by default. */
  node?: string;
  /** Run as this user. */
  uid?: number;
  onSpawn?: (child: ChildProcess) => void;
}

/** An environment without anything of npm's, of CI's or of ours, and without a home's .npmrc. */
export function cleanEnv(extra: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(npm_|BACKEND_|BOOTLACE_|NPM_TOKEN|NODE_|RENDER|GITHUB_|CI$|NO_COLOR|FORCE_COLOR)/i.test(
          name,
        ),
    ),
  );
  return {
    ...kept,
    NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
    HOME: '/nonexistent',
    npm_config_globalconfig: '/nonexistent/npmrc',
    // scripts/matrix.ts runs the tests with other npm versions.
    ...(process.env.BOOTLACE_TEST_NPM && { npm_execpath: process.env.BOOTLACE_TEST_NPM }),
    ...extra,
  };
}

/** What a child prints until it ends; fails when the watch sees a secret anywhere. */
export function endOf(
  child: ChildProcessByStdio<Writable | null, Readable, Readable>,
  watch: ReturnType<typeof watchForLeaks>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      try {
        watch.end(stdout + stderr);
        resolve({ code, signal, stdout, stderr });
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Runs a file with Node to its end; fails when a secret of `env` shows anywhere. */
export function runNode(
  file: string,
  args: readonly string[],
  { cwd, env, uid, node = process.execPath, onSpawn }: RunOptions,
): Promise<Ended> {
  const child = spawn(node, [file, ...args], {
    cwd,
    env: cleanEnv(env),
    uid,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = endOf(child, watchForLeaks(child.pid, cwd, env));
  onSpawn?.(child);
  return ended;
}

/** Runs bootlace as it is built. */
export function bootlace(args: readonly string[], options: RunOptions): Promise<Ended> {
  return runNode(bin, args, options);
}

/** A running server and how to end it. */
export interface Running {
  child: ChildProcess;
  output: () => string;
  stop: (
    signal?: NodeJS.Signals,
  ) => Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts a file with Node and keeps it running; ended with the test at the latest. */
export function startNode(
  t: { after(fn: () => Promise<void>): void },
  file: string,
  args: readonly string[],
  { cwd, env, node = process.execPath }: RunOptions,
): Running {
  const child = spawn(node, [file, ...args], {
    cwd,
    env: cleanEnv(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      output += text;
    });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(resolve =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const watch = watchForLeaks(child.pid, cwd, env);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const end = await ended;
    clearTimeout(killer);
    // A folder that is gone already was removed by an earlier clean-up of the same test.
    if (existsSync(cwd)) watch.end(output);
    return end;
  };
  t.after(async () => void (await stop()));
  return { child, output: () => output, stop };
}

/** Asks until it answers with a status below 500, or the time is over. */
export async function waitForAnswer(
  url: string,
  seconds = 30,
): Promise<{ status: number; body: string }> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      const response = await fetch(url, { redirect: 'manual' });
      if (response.status < 500) return { status: response.status, body: await response.text() };
    } catch {}
    if (Date.now() > end) throw new Error(`${url} did not answer within ${seconds} s`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
