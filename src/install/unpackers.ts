import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InstallError, IntegrityError } from '../errors';
import { type Unpacked, type UnpackJob, unpack } from './unpack';

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
  /** @param size bytes of the tarball */
  run(job: UnpackJob, size: number): Promise<Unpacked>;
  /** Bytes of tarballs that nobody has begun with. */
  waiting(): number;
  /** Ends the second thread; nothing writes after it resolves. */
  close(): Promise<void>;
}

/** What lies at the second thread: enough that it never waits for this one. */
const mostBytesThere = 192 * 1024;
const mostJobsThere = 16;

interface Waiting {
  readonly job: UnpackJob;
  readonly size: number;
  resolve(unpacked: Unpacked): void;
  reject(error: unknown): void;
}

/**
 * Unpacks on this thread and, where there is a processor for it, on a second one: writing thousands
 * of files is work of one processor. The second takes the largest tarball that waits, this one the
 * smallest, one in each turn of its event loop, so that neither downloads nor the second thread wait
 * for it. A third does not help; they then wait for each other in the kernel.
 * @param options the second thread's program, and how many threads, where that is not to be decided here
 */
export function openUnpackers({
  program,
  threads = availableParallelism() > 1 ? 2 : 1,
}: {
  program?: string;
  threads?: 1 | 2;
} = {}): Unpackers {
  // Run from source there is none beside this file, and no need.
  const file = program ?? join(__dirname, 'unpack-worker.js');
  const worker = threads === 2 && existsSync(file) ? startWorker(file, handOver) : undefined;
  /** The smallest first. */
  const waiting: Waiting[] = [];
  let isTurnPlanned = false;
  /** What this thread unpacks. */
  let running: Promise<void> = Promise.resolve();

  function handOver(): void {
    while (worker?.hasRoom()) {
      const largest = waiting.pop();
      if (!largest) return;
      worker.take(largest);
    }
    if (waiting.length === 0 || isTurnPlanned) return;
    isTurnPlanned = true;
    setImmediate(takeTurn);
  }

  async function takeTurn(): Promise<void> {
    const smallest = waiting.shift();
    if (smallest) running = unpack(smallest.job).then(smallest.resolve, smallest.reject);
    await running;
    isTurnPlanned = false;
    handOver();
  }

  return {
    run: (job, size) =>
      new Promise((resolve, reject) => {
        const larger = waiting.findIndex(other => other.size > size);
        waiting.splice(larger < 0 ? waiting.length : larger, 0, { job, size, resolve, reject });
        handOver();
      }),
    waiting: () => bytesOf(waiting),
    async close() {
      waiting.length = 0;
      await Promise.all([running, worker?.close()]);
    },
  };
}

function bytesOf(waiting: readonly Waiting[]): number {
  return waiting.reduce((bytes, { size }) => bytes + size, 0);
}

/** @param whenDone called after each answer */
function startWorker(file: string, whenDone: () => void) {
  const there: Waiting[] = [];
  let isThere = true;
  const worker = new Worker(file, {
    execArgv: [],
    // It needs no variable of ours, least of all a token.
    env: {},
    resourceLimits: { maxYoungGenerationSizeMb: 3 },
    // It closes its files itself, and there are thousands of them.
    trackUnmanagedFds: false,
  });
  worker.on('message', (answer: WorkerAnswer) => {
    const done = there.shift();
    if (answer.unpacked) done?.resolve(answer.unpacked);
    else done?.reject(failureOf(answer));
    whenDone();
  });
  const end = (error: unknown) => {
    isThere = false;
    for (const { reject } of there.splice(0)) reject(error);
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('the second thread ended')));
  return {
    hasRoom: () => isThere && there.length < mostJobsThere && bytesOf(there) < mostBytesThere,
    take(waiting: Waiting) {
      there.push(waiting);
      const { job } = waiting;
      const { tarball } = job;
      worker.postMessage(
        job,
        'data' in tarball && tarball.isOurs ? [tarball.data.buffer as ArrayBuffer] : [],
      );
    },
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
