// The second thread of an install: takes verified tarballs and unpacks them. It knows no registry
// and no credential.
import { parentPort } from 'node:worker_threads';
import { BootlaceError } from '../errors';
import type { Tarball } from './tarball';
import { type UnpackJob, unpack } from './unpack';
import type { WorkerAnswer } from './unpacker';

/** Jobs are done one after the other, and answered in their order. */
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (sent: UnpackJob) => {
  const job = { ...sent, tarball: withBuffer(sent.tarball) };
  last = last.then(async () => parentPort?.postMessage(await answerTo(job)));
});

async function answerTo(job: UnpackJob): Promise<WorkerAnswer> {
  try {
    return { unpacked: await unpack(job) };
  } catch (error) {
    if (!(error instanceof BootlaceError))
      return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    const { exitCode, code, message, fix, facts } = error;
    return { failure: { exitCode, code, message, fix, facts } };
  }
}

/** A buffer arrives as the plain array that it is made of. */
function withBuffer(tarball: Tarball): Tarball {
  if (!('data' in tarball)) return tarball;
  const { buffer, byteOffset, byteLength } = tarball.data;
  return { ...tarball, data: Buffer.from(buffer, byteOffset, byteLength) };
}
