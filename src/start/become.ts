import type { ChildProcess, StdioOptions } from 'node:child_process';
import { accessSync, constants, fsyncSync } from 'node:fs';

/** A program with its arguments and its whole environment. */
export interface Program {
  file: string;
  /** What it is called with, its argv[0]; the file by default. */
  name?: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
  cwd?: string;
}

type Execve = (file: string, args: readonly string[], env: Record<string, string>) => never;

/**
 * Ends this process as another program: in place where Node can (22.15, 23.11 and later), else as
 * a child whose signals, output and end are ours. Returns a promise only in the second case.
 */
export function become(program: Program): Promise<never> {
  if (canReplace(program.file)) {
    const { execve } = process as unknown as { execve: Execve };
    for (const fd of [1, 2]) {
      try {
        fsyncSync(fd);
      } catch {}
    }
    if (program.cwd) process.chdir(program.cwd);
    const env = Object.fromEntries(
      Object.entries(program.env).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
    execve.call(process, program.file, [program.name ?? program.file, ...program.args], env);
  }
  return runAsChild(program).then(code => process.exit(code));
}

/**
 * True where this process can become `file` in place. A channel to a parent would be lost. Process 1 of
 * a container stays, since the kernel gives it no default action for signals and its child has one.
 */
export function canReplace(file: string): boolean {
  const { execve } = process as { execve?: Execve };
  const mayEnd = !process.channel && process.pid !== 1;
  return execve !== undefined && process.platform !== 'win32' && mayEnd && isExecutable(file);
}

// Before Node 26 a call that fails ends the process with a core dump, so look first.
function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const forwarded: NodeJS.Signals[] = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
  'SIGCONT',
];
/** A terminal sends these to the whole foreground group, the child among it. */
const fromTerminal = new Set<NodeJS.Signals>(['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGWINCH']);

/**
 * Runs a program with this process's streams, hands signals on, and waits for its end.
 * @returns its exit code, or 128 + n when signal n ended it
 * @throws what spawn throws, when the program cannot be started
 */
function runAsChild({ file, name: argv0, args, env, cwd }: Program): Promise<number> {
  return new Promise((resolve, reject) => {
    // Loaded only here: most starts need no child, and each would pay milliseconds for it.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const { constants } = process.getBuiltinModule('node:os');
    const onTerminal = process.stdin.isTTY === true;
    let child: ChildProcess | undefined;
    // In place before the child is: once it runs, a signal must no longer end this process alone.
    const handlers = forwarded.map(signal => {
      const handler = () => {
        if (!(onTerminal && fromTerminal.has(signal))) child?.kill(signal);
      };
      process.on(signal, handler);
      return [signal, handler] as const;
    });
    const stdio: StdioOptions = ['inherit', 'inherit', 'inherit'];
    if (process.channel) stdio.push('ipc');
    // `advanced` also carries every value that `json` can.
    const serialization = 'advanced';
    const options = { stdio, serialization, env: env as NodeJS.ProcessEnv, cwd, argv0 } as const;
    // The backend was given the same port to be inspected at.
    if (process.execArgv.some(flag => flag.startsWith('--inspect')))
      process.getBuiltinModule('node:inspector').close();
    child = spawn(file, args, options);
    child.once('error', reject);
    const drained = process.channel ? joinChannels(child) : undefined;
    child.once('exit', (code, signal) => {
      for (const [name, handler] of handlers) process.removeListener(name, handler);
      const end = () => resolve(signal ? 128 + constants.signals[signal] : (code ?? 0));
      const drain = () => (drained ? void drained().then(end) : end());
      // Its last messages may not have been read.
      if (child?.connected) child.once('disconnect', drain);
      else drain();
    });
  });
}

/**
 * Hands messages on, with their handles, between the process that forked this one and its child.
 * @returns what waits until all have been written
 */
function joinChannels(child: ChildProcess): () => Promise<unknown> {
  const parent = process as unknown as ChildProcess;
  let writes: Promise<unknown> = Promise.resolve();
  for (const [from, to] of [
    [parent, child],
    [child, parent],
  ] as const) {
    from.on('message', (message, handle) => {
      const write = new Promise<void>(done =>
        to.send(message, handle, undefined, () => {
          // A server was duplicated, and this one would take its connections.
          if (handle && 'close' in handle) handle.close();
          done();
        }),
      );
      writes = Promise.all([writes, write]);
    });
    from.once('disconnect', async () => {
      await writes;
      if (to.connected) to.disconnect();
    });
  }
  return () => writes;
}

/**
 * The kernel gives process 1 of a container no default action: a SIGTERM without a handler is
 * lost, and the host waits until it kills. So there, and only there, a backend that listens to
 * none of these ends as it would end anywhere else.
 */
export function endBySignalsAsPidOne(): void {
  if (process.pid !== 1) return;
  const { constants } = process.getBuiltinModule('node:os');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
}
