import { DeployError, NetworkError } from '../errors';
import { count, seconds } from '../ui/text';
import { classOf, type Deploy, type Service } from './model';
import { findReason, lastLines, phaseText } from './reason';
import type { Session } from './session';

const words: Readonly<Record<string, string>> = {
  created: 'created',
  queued: 'waiting for its turn',
  build_in_progress: 'building',
  pre_deploy_in_progress: 'running the pre-deploy command',
  update_in_progress: 'starting the new version',
  live: 'live',
};

/** What a status is called in a report. */
export function statusText({ status }: Deploy): string {
  return words[status] ?? status.replaceAll('_', ' ');
}

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
  let from = first.createdAt;
  const seen = new Set<string>();
  for (;;) {
    if (deploy.status !== said) say(`${service.name}: ${deploy.id} ${statusText(deploy)}`);
    said = deploy.status;
    if (follow) await showNewLines();
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

  async function showNewLines(): Promise<void> {
    try {
      const page = await client.logs(service, {
        types: ['build'],
        since: from,
        direction: 'forward',
        limit: 100,
        deadlineMs: limits.pollMs,
      });
      const fresh = page.lines.filter(({ id }) => !seen.has(id));
      for (const { id } of fresh) seen.add(id);
      from = fresh.at(-1)?.timestamp ?? from;
      if (fresh.length) session.showLog(`${service.name}: build`, fresh);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
    }
  }
}

/**
 * The failure of a deploy that ended without going live, with Render's reason; shows the last
 * lines of its log.
 * @param before the newest deploy before it, to tell who replaced it
 */
export async function failureOf(
  session: Session,
  service: Service,
  deploy: Deploy,
): Promise<DeployError> {
  const { client } = session;
  const facts = { service: service.name, deploy: deploy.id, status: deploy.status };
  const now = await client.service(service.id).catch(quiet);
  if (now?.suspended)
    return new DeployError('SERVICE_SUSPENDED', `${service.name} was suspended during the deploy`, {
      fix: 'resume the service in the Render dashboard, then run the same command again',
      facts,
    });
  if (classOf(deploy) === 'superseded' || deploy.status === 'canceled') {
    const newer = (await client.deploys(service.id, deploy.createdAt).catch(quiet))?.find(
      other => other.id !== deploy.id && isAfter(other, deploy),
    );
    if (newer)
      return new DeployError(
        'DEPLOY_SUPERSEDED',
        `${service.name}: ${deploy.id} was replaced by ${newer.id} (${newer.trigger ?? 'unknown trigger'}) before it was proven`,
        {
          fix: `when ${newer.id} has ended, run: npx bootlace verify ${service.name}`,
          facts: { ...facts, by: newer.id },
        },
      );
  }
  const reason = await findReason(client, service, deploy);
  const lines = await lastLines(client, service, deploy);
  if (lines.length)
    session.showLog(`${service.name}: the last ${count(lines.length, 'log line')}`, lines);
  const code =
    classOf(deploy) === 'superseded'
      ? 'DEPLOY_SUPERSEDED'
      : `DEPLOY_${deploy.status.toUpperCase()}`;
  const phase = classOf(deploy) === 'superseded' ? 'it was replaced' : phaseText(deploy.status);
  return new DeployError(code, `${service.name}: ${phase}${reason ? `: ${reason}` : ''}`, {
    fix: `correct what the log says, then run: npx bootlace deploy ${service.name}`,
    facts: { ...facts, reason, lastLines: lines.map(({ message }) => message) },
  });
}

function isAfter(a: Deploy, b: Deploy): boolean {
  return (Date.parse(a.createdAt ?? '') || 0) >= (Date.parse(b.createdAt ?? '') || 0);
}

function quiet(error: unknown): undefined {
  if (error instanceof Error && 'exitCode' in error) return undefined;
  throw error;
}
