import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InstallError, IntegrityError } from '../errors';
import { type Unpacked, type UnpackJob, unpack } from './unpack-job';

/** What the second thread answers to a job; jobs are answered in their order. */
export interface WorkerAnswer {
  unpacked?: Unpacked;
  /** An expected failure, as plain data. */
  failure?: {
    family: string;
    code: string;
    message: string;
    fix: string;
    facts: Record<string, unknown>;
  };
  bug?: string;
}

export interface Unpackers {
  run(job: UnpackJob): Promise<Unpacked>;
  /** Ends the second thread; nothing writes after it resolves. */
  close(): Promise<void>;
}

/** Jobs that wait at the second thread: enough that it never waits for this one. */
const waitingThere = 3;

/**
 * Unpacks on this thread and, where it pays, on a second one: writing thousands of files is work
 * of one processor, and on two the install takes little more than half of the time. A third does
 * not help; they then wait for each other in the kernel.
 * @param tarballs how many there will be
 * @param options the second thread's program, and how many threads, where that is not to be decided here
 */
export function openUnpackers(
  tarballs: number,
  { program, threads }: { program?: string; threads?: 1 | 2 } = {},
): Unpackers {
  // Run from source there is none beside this file, and no need.
  const file = program ?? join(__dirname, 'unpack-worker.js');
  const pays = tarballs > 20 && availableParallelism() > 1;
  const two = threads === undefined ? pays : threads === 2;
  const worker = two && existsSync(file) ? startWorker(file) : undefined;
  return {
    run: async job => (worker && worker.waiting() < waitingThere ? worker.run(job) : unpack(job)),
    close: async () => worker?.close(),
  };
}

function startWorker(file: string) {
  const waiting: { resolve(unpacked: Unpacked): void; reject(error: unknown): void }[] = [];
  const worker = new Worker(file, {
    execArgv: [],
    // It needs no variable of ours, least of all a token.
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 3 },
  });
  worker.on('message', (answer: WorkerAnswer) => {
    const job = waiting.shift();
    if (answer.unpacked) job?.resolve(answer.unpacked);
    else job?.reject(failureOf(answer));
  });
  const end = (error: unknown) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the second thread ended')));
  return {
    waiting: () => waiting.length,
    run: (job: UnpackJob) =>
      new Promise<Unpacked>((resolve, reject) => {
        waiting.push({ resolve, reject });
        const { tarball } = job;
        worker.postMessage(
          job,
          'data' in tarball && tarball.isOurs ? [tarball.data.buffer as ArrayBuffer] : [],
        );
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

function failureOf({ failure, bug }: WorkerAnswer): Error {
  if (!failure) return new Error(bug);
  const { family, code, message, fix, facts } = failure;
  const Family = family === 'IntegrityError' ? IntegrityError : InstallError;
  return new Family(code, message, { fix, facts });
}
