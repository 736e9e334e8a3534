import { DeployError, UsageError } from '../errors';
import { type Job, oneLine, type Service, timeOf } from './api/model';
import { createOnce } from './move/run';
import { waitForEnd } from './move/wait';
import type { Session } from './session';

/**
 * Runs a command as a one-off job of a service and waits for its end; its log is shown as it comes.
 * It runs the service's most recent successful build with its variables of now
 * (https://render.com/docs/one-off-jobs).
 * @throws UsageError JOB_NOT_HERE; DeployError JOB_FAILED, JOB_TIMEOUT
 */
export async function runJob(session: Session, service: Service, command: string): Promise<Job> {
  const { client } = session;
  const { id, name } = service;
  if (service.type === 'static_site')
    throw new UsageError('JOB_NOT_HERE', `${name} is a static site and runs no jobs`, {
      fix: 'name a web service, a private service, a worker or a cron job',
    });
  const [newest] = await client.jobs(id, undefined);
  const post = () => client.createJob(id, command);
  /** The job of the same command since then is ours. */
  const find = async () =>
    (await client.jobs(id, newest?.createdAt)).find(
      made =>
        made.id !== newest?.id &&
        made.command === command &&
        timeOf(made.createdAt) >= timeOf(newest?.createdAt),
    );
  const made = (await createOnce(session, 'job', post, find)) as Job;
  const job = await waitForEnd(session, service, made, {
    read: (jobId, deadlineMs) => client.job(id, jobId, deadlineMs),
    isOver: ({ status }) => ['succeeded', 'failed', 'canceled'].includes(status),
    log: { types: [], resource: made.id, title: made.id },
    late: ['JOB_TIMEOUT', ', and goes on'],
  });
  if (job.status === 'succeeded') return job;
  throw new DeployError('JOB_FAILED', `${name}: ${job.id} ${job.status}: ${oneLine(command)}`, {
    fix: 'correct what its log says, then run it again',
    facts: { service: name, job: job.id, status: job.status },
  });
}
