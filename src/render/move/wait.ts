import { BootlaceError, DeployError } from '../../errors';
import { seconds } from '../../ui/text';
import { classOf, type Deploy, newestFirst, type Service, timeOf } from '../api/model';
import { findReason, newLines, phaseText, quiet, showLastLines, statusText } from '../api/reason';
import type { Session } from '../api/session';
import type { Plan } from './plan';
import type { ServiceState } from './state';

/**
 * Waits until a deploy has ended, whatever its end is. Says each change of status once. An API
 * that is out of reach for a while does not end the wait; only the time limit does.
 * @param follow show the build's log lines as they come
 * @throws DeployError DEPLOY_TIMEOUT
 */
export async function waitForEnd(
  session: Session,
  service: Service,
  first: Deploy,
  follow = false,
): Promise<Deploy> {
  const { client, io, signal, limits, say } = session;
  const end = io.now() + limits.deployMs;
  let deploy = first;
  let said = '';
  const readNew = newLines(client, service, {
    types: ['build'],
    since: first.createdAt,
    deadlineMs: limits.pollMs,
  });
  for (;;) {
    if (deploy.status !== said) say(`${service.name}: ${deploy.id} ${statusText(deploy)}`);
    said = deploy.status;
    const lines = follow ? await readNew() : [];
    if (lines.length) session.showLog(`${service.name}: build`, lines);
    if (classOf(deploy) !== 'running') return deploy;
    if (io.now() >= end)
      throw new DeployError(
        'DEPLOY_TIMEOUT',
        `${service.name}: ${deploy.id} is still ${statusText(deploy)} after ${seconds(limits.deployMs)}`,
        { fix: 'see the deploy in the Render dashboard; --timeout MINUTES waits longer' },
      );
    await io.sleep(Math.min(limits.pollMs, Math.max(end - io.now(), 1)), signal);
    const left = Math.max(end - io.now(), limits.pollMs);
    deploy = await client.deploy(service.id, deploy.id, left);
  }
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
  await waitForEnd(session, service, running);
}

/** Cancels a running deploy and waits for its end; where Render cancels none, waits alone. */
export async function endDeploy(
  session: Session,
  service: Service,
  deploy: Deploy,
): Promise<Deploy> {
  if (service.type === 'cron_job') return waitForEnd(session, service, deploy);
  try {
    await session.client.cancelDeploy(service.id, deploy.id);
  } catch (error) {
    // It has just ended by itself; what it ended as shows in the next look.
    if (!(error instanceof BootlaceError) || error.code !== 'RENDER_REFUSED') throw error;
  }
  const limits = { ...session.limits, deployMs: 5 * 60_000 };
  return waitForEnd({ ...session, limits }, service, deploy);
}

/**
 * The failure of a deploy that ended without going live, with Render's reason; shows the last
 * lines of its log.
 */
export async function failureOf(
  session: Session,
  { state: { service }, keepsPin, target }: Plan,
  deploy: Deploy,
): Promise<DeployError> {
  const { client } = session;
  const version = keepsPin ? undefined : target.version;
  const facts = { service: service.name, deploy: deploy.id, status: deploy.status };
  const now = await client.service(service.id).catch(error => quiet(error, undefined));
  if (now?.suspended)
    return new DeployError('SERVICE_SUSPENDED', `${service.name} was suspended during the deploy`, {
      fix: 'resume the service in the Render dashboard, then run the same command again',
      facts,
    });
  const isReplaced = classOf(deploy) === 'superseded';
  if (isReplaced || deploy.status === 'canceled') {
    const [newer] = await deploysAfter(client, service, deploy).catch(error => quiet(error, []));
    if (newer)
      return new DeployError(
        'DEPLOY_SUPERSEDED',
        `${service.name}: ${deploy.id} was replaced by ${newer.id} (${newer.trigger}) before it was proven`,
        {
          fix: `when ${newer.id} has ended, run: ${session.line('verify', { services: [service.name] })}`,
          facts: { ...facts, by: newer.id },
        },
      );
  }
  const reason = await findReason(client, service, deploy);
  const lastLines = await showLastLines(session, service, deploy);
  const code = isReplaced ? 'DEPLOY_SUPERSEDED' : `DEPLOY_${deploy.status.toUpperCase()}`;
  const phase = isReplaced ? 'it was replaced' : phaseText(deploy.status);
  return new DeployError(code, `${service.name}: ${phase}${reason ? `: ${reason}` : ''}`, {
    fix: `correct what the log says, then run: ${session.line(undefined, { version })}`,
    facts: { ...facts, reason, lastLines },
  });
}

/** The deploys that came after one, the newest first. */
export async function deploysAfter(
  client: Session['client'],
  service: Service,
  { id, createdAt }: Deploy,
): Promise<Deploy[]> {
  return newestFirst(await client.deploys(service.id)).filter(
    deploy => deploy.id !== id && timeOf(deploy.createdAt) >= timeOf(createdAt),
  );
}
