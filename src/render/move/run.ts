import { BootlaceError, DeployError } from '../../errors';
import type { DeployRequest } from '../api/client';
import { classOf, type Deploy, type Service } from '../api/model';
import { isLost } from '../api/request';
import type { Session } from '../api/session';
import type { Plan } from './plan';
import { deploysAfter } from './wait';

/** How often the list of deploys is read after a 202, and after a lost answer. */
const readsAfterQueued = 12;
const readsAfterLost = 3;
const mostTries = 3;

/**
 * Starts the deploy that a plan asks for: an earlier deploy's artifact, or, where Render no longer
 * keeps that, a new deploy.
 * @param beforeNew done before a new deploy is created in place of an artifact
 * @throws DeployError DEPLOY_NOT_FOUND when it is in no list, RENDER_REFUSED; the client's failures
 */
export async function startDeploy(
  session: Session,
  { state, target }: Plan,
  beforeNew: () => Promise<void>,
): Promise<Deploy> {
  const { client } = session;
  const { service } = state;
  const { artifact, request } = target;
  if (artifact) {
    try {
      const post = () => client.rollback(service.id, artifact.id);
      return await create(session, service, 'rollback', {}, post);
    } catch (error) {
      if (!isGone(error)) throw error;
      session.say(`${service.name}: the artifact of ${artifact.id} is gone; deploying it anew`);
    }
    if (service.type === 'cron_job' && request.commitId !== undefined)
      throw new DeployError(
        'ARTIFACT_GONE',
        `${service.name}: Render keeps no artifact of ${artifact.id}, and deploys no chosen commit of a cron job`,
        { fix: "put the branch back to that commit, then deploy the branch's newest commit" },
      );
    await beforeNew();
  }
  return create(session, service, 'api', request, () => client.createDeploy(service.id, request));
}

async function create(
  session: Session,
  service: Service,
  trigger: string,
  request: DeployRequest,
  post: () => Promise<Deploy | undefined>,
): Promise<Deploy> {
  // By Render's clock and ids: with a wrong clock on this machine it could be another user's deploy.
  const before = await session.client.deploys(service.id);
  const since = before[0]?.createdAt;
  for (let tries = 1; ; tries++) {
    try {
      const deploy = await post();
      if (deploy) return deploy;
    } catch (error) {
      if (!isLost(error)) throw error;
      session.say(`${(error as Error).message}; looking whether the deploy was created`);
      const found = await find(readsAfterLost);
      if (found) return found;
      if (tries >= mostTries) throw error;
      continue;
    }
    session.say('Render has queued the deploy; looking for it');
    const found = await find(readsAfterQueued);
    if (found) return found;
    throw new DeployError(
      'DEPLOY_NOT_FOUND',
      `Render accepted a deploy of ${service.name} and lists none`,
      {
        fix: `look at its deploys in the dashboard, then run: ${session.line('verify', { services: [service.name] })}`,
      },
    );
  }

  /** Of several that were asked for the same, the newest: they bring the same. */
  async function find(reads: number): Promise<Deploy | undefined> {
    for (let read = 1; read <= reads; read++) {
      const listed = (await session.client.deploys(service.id, since)).filter(
        deploy => deploy.trigger === trigger && !before.some(({ id }) => id === deploy.id),
      );
      const fitting = listed.filter(deploy => fits(deploy, request));
      const alive = fitting.find(deploy => classOf(deploy) !== 'failed');
      const found = alive ?? fitting[0];
      if (found) return found;
      if (read < reads) await session.io.sleep(session.limits.pollMs, session.signal);
    }
    return undefined;
  }
}

/** True when Render refuses or no longer knows what it was asked for. */
export function isGone(error: unknown): error is BootlaceError {
  return (
    error instanceof BootlaceError && ['RENDER_REFUSED', 'RENDER_NOT_FOUND'].includes(error.code)
  );
}

/** True unless a deploy is of another commit or image than was asked for. */
function fits(deploy: Deploy, { commitId, imageUrl }: DeployRequest): boolean {
  return (
    (commitId === undefined || deploy.commit?.startsWith(commitId) !== false) &&
    (imageUrl === undefined || deploy.image?.includes(imageUrl) !== false)
  );
}

/**
 * The deploy that replaced this run's and brings the same version: under Render's overlap policy
 * "override" (the default, https://render.com/changelog/wait-for-an-in-progress-service-deploy-to-finish-before-starting-a-new-one)
 * a push cancels a running deploy, and what it builds installs our pin. A rollback brings an older
 * artifact, whatever the pin is.
 */
export async function replacementOf(
  { client }: Session,
  { state, target }: Plan,
  ended: Deploy,
): Promise<Deploy | undefined> {
  const { service, key, isPinned } = state;
  if (ended.status !== 'canceled' && classOf(ended) !== 'superseded') return undefined;
  // An artifact of a service without a pin has a commit of its own, which no push brings.
  if (!isPinned && target.artifact) return undefined;
  const newer = (await deploysAfter(client, service, ended)).filter(
    deploy => deploy.trigger !== 'rollback' && fits(deploy, target.request),
  );
  const found = newer.find(deploy => ['running', 'live'].includes(classOf(deploy))) ?? newer[0];
  if (!found || !isPinned) return found;
  const pin = await client.variable(service.id, key);
  return [target.pin, target.version].includes(pin) ? found : undefined;
}
