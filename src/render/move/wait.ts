import { BootlaceError, DeployError } from '../../errors';
import { seconds } from '../../ui/text';
import type { LogQuery } from '../api/client';
import { classOf, type Deploy, type Job, newestFirst, type Service, timeOf } from '../api/model';
import { findReason, newLines, phaseText, quiet, showLastLines, statusText } from '../api/reason';
import { pollMs, type Session } from '../session';
import { type Plan, suspended } from './plan';
import { failedFix } from './progress';
import type { ServiceState } from './state';

/**
 * Waits until a deploy or a job has ended, whatever its end is. Says each change of status once. An API
 * that is out of reach for a while does not end the wait; only the time limit does.
 * @param how.log what to show of its log as it comes
 * @param how.late the failure's code, and what becomes of it after the time limit
 * @throws DeployError DEPLOY_TIMEOUT, JOB_TIMEOUT
 */
export async function waitForEnd<T extends Deploy | Job>(
  session: Session,
  service: Service,
  first: T,
  how: {
    read: (id: string, deadlineMs: number) => Promise<T>;
    isOver: (item: T) => boolean;
    log: (Pick<LogQuery, 'types' | 'resource'> & { title: string }) | undefined;
    late: readonly [code: string, text: string];
  },
): Promise<T> {
  const { client, io, signal, limits, say } = session;
  const { log } = how;
  const end = io.now() + limits.deployMs;
  let item = first;
  let said = '';
  const readNew = log && newLines(client, service, { ...log, since: first.createdAt });
  for (;;) {
    if (item.status !== said) say(`${service.name}: ${item.id} ${statusText(item)}`);
    said = item.status;
    const lines = readNew ? await readNew() : [];
    if (lines.length) session.showLog(`${service.name}: ${log?.title}`, lines);
    if (how.isOver(item)) return item;
    if (io.now() >= end) {
      const [code, text] = how.late;
      const limit = seconds(limits.deployMs);
      const still = `${service.name}: ${item.id} is still ${statusText(item)} after ${limit}${text}`;
      throw new DeployError(code, still, {
        fix: 'see it in the Render dashboard; --timeout MINUTES waits longer',
      });
    }
    await io.sleep(Math.min(pollMs, Math.max(end - io.now(), 1)), signal);
    item = await how.read(item.id, Math.max(end - io.now(), pollMs));
  }
}

/** @throws DeployError DEPLOY_TIMEOUT */
export function waitForDeploy(session: Session, service: Service, deploy: Deploy): Promise<Deploy> {
  return waitForEnd(session, service, deploy, {
    read: (id, deadlineMs) => session.client.deploy(service.id, id, deadlineMs),
    isOver: now => classOf(now) !== 'running',
    log: session.followLogs ? { types: ['build'], title: 'build' } : undefined,
    late: ['DEPLOY_TIMEOUT', ''],
  });
}

/** Waits until no other deploy runs, for Render would cancel one of the two. */
export async function waitForOthers(
  session: Session,
  { running, service }: ServiceState,
): Promise<void> {
  if (!running) return;
  session.say(
    `${service.name}: ${running.id} (${running.trigger}) is running; waiting for its end`,
  );
  await waitForDeploy(session, service, running);
}

/** Cancels a running deploy and waits for its end; where Render cancels none, waits alone. */
export async function endDeploy(session: Session, service: Service, deploy: Deploy): Promise<void> {
  if (service.type !== 'cron_job')
    await session.client.cancelDeploy(service.id, deploy.id).catch(error => {
      // It has just ended by itself; what it ended as shows in the next look.
      if (!(error instanceof BootlaceError) || error.code !== 'RENDER_REFUSED') throw error;
    });
  await waitForDeploy(session, service, deploy);
}

/**
 * The failure of a deploy that ended without going live, with Render's reason; shows the last
 * lines of its log.
 */
export async function failureOf(
  session: Session,
  plan: Plan,
  deploy: Deploy,
): Promise<DeployError> {
  const { service } = plan.state;
  const { client } = session;
  const { name } = service;
  const facts = { service: name, deploy: deploy.id, status: deploy.status };
  const now = await client.service(service.id).catch(error => quiet(error, undefined));
  if (now?.suspended) return suspended(name, 'was suspended during the deploy', facts);
  const isReplaced = classOf(deploy) === 'superseded';
  if (isReplaced || deploy.status === 'canceled') {
    const [newer] = await deploysAfter(session, service, deploy).catch(error => quiet(error, []));
    if (newer)
      return new DeployError(
        'DEPLOY_SUPERSEDED',
        `${name}: ${deploy.id} was replaced by ${newer.id} (${newer.trigger}) before it was proven`,
        {
          fix: `when ${newer.id} has ended, run: ${session.line('verify', { services: [name] })}`,
          facts: { ...facts, by: newer.id },
        },
      );
  }
  const reason = await findReason(client, service, deploy);
  const lastLines = await showLastLines(session, service, deploy);
  const code = isReplaced ? 'DEPLOY_SUPERSEDED' : `DEPLOY_${deploy.status.toUpperCase()}`;
  const phase = isReplaced ? 'it was replaced' : phaseText(deploy.status);
  return new DeployError(code, `${name}: ${phase}${reason ? `: ${reason}` : ''}`, {
    fix: failedFix(session, plan, lastLines),
    facts: { ...facts, reason, lastLines },
  });
}

/** The deploys that came after one, the newest first. */
export async function deploysAfter(
  { client }: Session,
  service: Service,
  { id, createdAt }: Deploy,
): Promise<Deploy[]> {
  return newestFirst(await client.deploys(service.id)).filter(
    deploy => deploy.id !== id && timeOf(deploy.createdAt) >= timeOf(createdAt),
  );
}
