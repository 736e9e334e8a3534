// The second thread of an install: takes verified tarballs and unpacks them. It knows no registry
// and no credential.
import { parentPort } from 'node:worker_threads';
import { BootlaceError } from '../errors';
import type { Tarball } from './tarball';
import { tuneForInstall } from './tune';
import { type UnpackJob, unpack } from './unpack';
import type { WorkerAnswer } from './unpackers';

parentPort?.on('message', (sent: UnpackJob) => {
  const job = { ...sent, tarball: withBuffer(sent.tarball) };
  parentPort?.postMessage(answerTo(job));
});

// V8's flags are those of all threads.
tuneForInstall(process.versions.node);

function answerTo(job: UnpackJob): WorkerAnswer {
  try {
    return { unpacked: unpack(job) };
  } catch (error) {
    if (!(error instanceof BootlaceError))
      return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    const { name: family, code, message, fix, facts } = error;
    return { failure: { family, code, message, fix, facts } };
  }
}

/** A buffer arrives as the plain array that it is made of. */
function withBuffer(tarball: Tarball): Tarball {
  if (!('data' in tarball)) return tarball;
  const { buffer, byteOffset, byteLength } = tarball.data;
  return { ...tarball, data: Buffer.from(buffer, byteOffset, byteLength) };
}
