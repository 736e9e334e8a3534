import { DeployError, UsageError } from '../errors';
import { seconds } from '../ui/text';
import { type Job, oneLine, type Service, timeOf } from './api/model';
import { newLines } from './api/reason';
import { isLost } from './api/request';
import { findService, type Session } from './api/session';

const mostTries = 3;
const ended = ['succeeded', 'failed', 'canceled'];

/** How a job ended. */
export interface JobResult {
  service: string;
  job: string;
  command: string;
  status: string;
}

/**
 * Runs a command as a one-off job of a service and waits for its end; its log is shown as it comes.
 * It runs the service's most recent successful build with its variables of now
 * (https://render.com/docs/one-off-jobs).
 * @throws UsageError JOB_NOT_HERE; DeployError JOB_FAILED, JOB_TIMEOUT
 */
export async function runJob(session: Session, name: string, command: string): Promise<JobResult> {
  return waitForJob(session, await findService(session, name), command);
}

/** Runs the migrations of a deploy. @throws what runJob throws */
export async function runMigrations(
  session: Session,
  service: Service,
  command: string,
): Promise<void> {
  session.say(`${service.name}: migrating: ${command}`);
  await waitForJob(session, service, command);
}

async function waitForJob(session: Session, service: Service, command: string): Promise<JobResult> {
  const { client, io, signal, limits } = session;
  if (service.type === 'static_site')
    throw new UsageError('JOB_NOT_HERE', `${service.name} is a static site and runs no jobs`, {
      fix: 'name a web service, a private service, a worker or a cron job',
    });
  let job = await createJob(session, service, command);
  const end = io.now() + limits.deployMs;
  const readNew = newLines(client, service, {
    types: [],
    resource: job.id,
    since: job.createdAt || undefined,
    deadlineMs: 20_000,
  });
  let said = '';
  for (;;) {
    const status = job.status ?? 'pending';
    if (status !== said) session.say(`${service.name}: ${job.id} ${status}`);
    said = status;
    const lines = await readNew();
    if (lines.length) session.showLog(`${service.name}: ${job.id}`, lines);
    if (ended.includes(status)) break;
    if (io.now() >= end)
      throw new DeployError(
        'JOB_TIMEOUT',
        `${service.name}: ${job.id} is still ${status} after ${seconds(limits.deployMs)}, and goes on`,
        { fix: 'see the job in the Render dashboard; --timeout MINUTES waits longer' },
      );
    await io.sleep(limits.pollMs, signal);
    job = await client.job(service.id, job.id);
  }
  if (job.status === 'succeeded')
    return { service: service.name, job: job.id, command, status: job.status };
  throw new DeployError(
    'JOB_FAILED',
    `${service.name}: ${job.id} ${job.status}: ${oneLine(command)}`,
    {
      fix: 'correct what its log says, then run it again',
      facts: { service: service.name, job: job.id, status: job.status },
    },
  );
}

/** A lost answer may have created it: the job of the same command since then is ours. */
async function createJob(session: Session, service: Service, command: string): Promise<Job> {
  const { client } = session;
  const [newest] = await client.jobs(service.id, undefined);
  for (let tries = 1; ; tries++) {
    try {
      return await client.createJob(service.id, command);
    } catch (error) {
      if (!isLost(error)) throw error;
      session.say(`${(error as Error).message}; looking whether the job was created`);
      const found = (await client.jobs(service.id, newest?.createdAt)).find(
        job =>
          job.id !== newest?.id &&
          job.command === command &&
          timeOf(job.createdAt) >= timeOf(newest?.createdAt),
      );
      if (found) return found;
      if (tries >= mostTries) throw error;
    }
  }
}
