import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Io } from '../io';
import type { RegistryConfig } from '../registry/config/config';
import { planNpmConfig, writeNpmConfig } from './config';
import { npmFailure } from './failure';
import { findNpm } from './find';

export interface NpmRun {
  io: Pick<Io, 'env' | 'execPath'>;
  config: RegistryConfig;
  /** Where npm runs, and a folder of ours beside it. */
  cwd: string;
  work: string;
  /** Packages whose scripts this run may execute. */
  scripts?: readonly string[];
  /** Only where npm asks registries itself, and never together with scripts. */
  withCredentials?: boolean;
  /** npm's output goes here, secrets taken out. */
  log: string;
  redact: (text: string) => string;
  signal?: AbortSignal;
  /** An address on this machine that serves in the place of every registry. */
  feed?: string;
}

/**
 * Runs npm as a child with its own clean configuration.
 * @returns its standard output
 * @throws the failure that npm's error stands for, naming the log
 */
export async function runNpm(args: readonly string[], run: NpmRun): Promise<string> {
  const npm = findNpm(run.io);
  const scripts = run.scripts ?? [];
  const npmConfig = planNpmConfig(run.config, run.io, run.work, {
    withCredentials: run.withCredentials === true && scripts.length === 0,
    scripts,
    feed: run.feed,
  });
  writeNpmConfig(npmConfig, run.config, run.work);
  addToLog(run.log, `$ npm ${args.join(' ')}\n`);
  const { code, stdout, stderr } = await new Promise<{
    code: number | null;
    stdout: string;
    stderr: string;
  }>((resolve, reject) => {
    const child = spawn(run.io.execPath, [npm, ...args], {
      cwd: run.cwd,
      env: npmConfig.env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: run.signal,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // What it was doing is thrown away with the stage, so there is nothing to end gently.
    const stop = () => child.kill('SIGKILL');
    run.signal?.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', code => {
      run.signal?.removeEventListener('abort', stop);
      if (run.signal?.aborted) reject(run.signal.reason);
      else resolve({ code, stdout, stderr });
    });
  });
  addToLog(run.log, run.redact(`${stderr}${stdout}\nnpm ended with ${code}\n`));
  if (code === 0) return stdout;
  throw npmFailure({ stdout: run.redact(stdout), stderr: run.redact(stderr), code, log: run.log });
}

/** Another setup that ends removes the folder while it is empty. */
function addToLog(log: string, text: string): void {
  mkdirSync(dirname(log), { recursive: true });
  appendFileSync(log, text);
}
