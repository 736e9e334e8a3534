import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InstallError, IntegrityError } from '../errors';
import type { Unpacked, UnpackJob } from './unpack';

/** What the second thread answers to a job; jobs are answered in their order. */
export interface WorkerAnswer {
  unpacked?: Unpacked;
  /** An expected failure, as plain data. */
  failure?: {
    exitCode: number;
    code: string;
    message: string;
    fix: string;
    facts: Record<string, unknown>;
  };
  bug?: string;
}

export interface Unpacker {
  /** @throws what unpacking fails with */
  run(job: UnpackJob): Promise<Unpacked>;
  /** Bytes of memory that tarballs hold until they are unpacked. */
  held(): number;
  /** Ends the second thread; nothing is written after it resolves. */
  close(): Promise<void>;
}

interface Waiting {
  readonly bytes: number;
  resolve(unpacked: Unpacked): void;
  reject(error: unknown): void;
}

/**
 * Starts a second thread that unpacks tarballs: writing thousands of files would keep this thread from
 * its downloads.
 * @param program the thread's code, beside the bundle that this is in
 */
export function openUnpacker(program = join(__dirname, 'unpack-worker.js')): Unpacker {
  const waiting: Waiting[] = [];
  const worker = new Worker(program, {
    execArgv: [],
    // The thread needs no variable, least of all a token.
    env: {},
    // Most of what it allocates is garbage a moment later.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
    // It closes its files itself, and there are thousands of them.
    trackUnmanagedFds: false,
  });
  let ended: unknown;
  const end = (error: unknown) => {
    ended ??= error;
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the second thread ended')));
  worker.on('message', (answer: WorkerAnswer) => {
    const first = waiting.shift();
    if (answer.unpacked) first?.resolve(answer.unpacked);
    else first?.reject(failureOf(answer));
  });
  return {
    run: job =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const { tarball } = job;
        const isInMemory = 'data' in tarball;
        waiting.push({ bytes: isInMemory ? tarball.data.length : 0, resolve, reject });
        const handOver = isInMemory && tarball.isOurs ? [tarball.data.buffer as ArrayBuffer] : [];
        worker.postMessage(job, handOver);
      }),
    held: () => waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    async close() {
      await worker.terminate();
    },
  };
}

function failureOf({ failure, bug }: WorkerAnswer): Error {
  if (!failure) return new Error(bug);
  const { exitCode, code, message, fix, facts } = failure;
  const Family = exitCode === 6 ? IntegrityError : InstallError;
  return new Family(code, message, { fix, facts });
}
