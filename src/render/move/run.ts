import { BootlaceError, DeployError } from '../../errors';
import type { DeployRequest } from '../api/client';
import { classOf, type Deploy } from '../api/model';
import { isLost } from '../api/request';
import { pollMs, type Session } from '../session';
import type { Plan } from './plan';
import { deploysAfter } from './wait';

/** How often the list of deploys is read after a 202, and after a lost answer. */
const readsAfterQueued = 12;
const readsAfterLost = 3;
const mostTries = 3;

/**
 * Starts the deploy that a plan asks for: an earlier deploy's artifact, or, where Render no longer
 * keeps that, a new deploy.
 * @throws DeployError DEPLOY_NOT_FOUND when it is in no list, RENDER_REFUSED, ARTIFACT_GONE; the
 *   client's failures
 */
export async function startDeploy(session: Session, plan: Plan): Promise<Deploy> {
  const { client } = session;
  const { service } = plan.state;
  const { deploy: artifact, request } = plan.target;
  if (artifact) {
    try {
      const post = () => client.rollback(service.id, artifact.id);
      return await create(session, plan, 'rollback', {}, post);
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
    await pinExactly(session, plan);
  }
  const post = () => client.createDeploy(service.id, request);
  return create(session, plan, 'api', request, post);
}

/**
 * Before a version is built anew: while the pin is `latest`, a range or not set, the version is pinned
 * exactly, or the registry would hand out the one that is left. The way back puts the pin back.
 */
async function pinExactly({ client }: Session, { state, target, progress }: Plan): Promise<void> {
  if (!state.isPinned || target.version === undefined || target.pin === target.version) return;
  progress.isPinnedExactly = true;
  await client.setVariable(state.service.id, state.key, target.version);
}

async function create(
  session: Session,
  { state: { service } }: Plan,
  trigger: string,
  request: DeployRequest,
  post: () => Promise<Deploy | undefined>,
): Promise<Deploy> {
  const { client, io, signal } = session;
  // By Render's clock and ids: with a wrong clock on this machine it could be another user's deploy.
  const before = await client.deploys(service.id);
  const made = await createOnce(session, 'deploy', post, () => find(readsAfterLost));
  if (made) return made;
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

  /** Of several that were asked for the same, the newest: they bring the same. */
  async function find(reads: number): Promise<Deploy | undefined> {
    for (let read = 1; read <= reads; read++) {
      const fitting = (await client.deploys(service.id, before[0]?.createdAt)).filter(
        deploy =>
          deploy.trigger === trigger &&
          fits(deploy, request) &&
          !before.some(({ id }) => id === deploy.id),
      );
      const found = fitting.find(deploy => classOf(deploy) !== 'failed') ?? fitting[0];
      if (found) return found;
      if (read < reads) await io.sleep(pollMs, signal);
    }
    return undefined;
  }
}

/**
 * Creates something once: after a lost answer it is looked for before it is asked for again.
 * @param find what the lost request made
 * @returns undefined when it was accepted, and not said what was made
 */
export async function createOnce<T>(
  session: Session,
  what: string,
  post: () => Promise<T | undefined>,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await post();
    } catch (error) {
      if (!isLost(error)) throw error;
      session.say(`${(error as Error).message}; looking whether the ${what} was created`);
      const found = await find();
      if (found) return found;
      if (tries >= mostTries) throw error;
    }
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
  session: Session,
  { state, target }: Plan,
  ended: Deploy,
): Promise<Deploy | undefined> {
  const { service, key, isPinned } = state;
  if (ended.status !== 'canceled' && classOf(ended) !== 'superseded') return undefined;
  // An artifact of a service without a pin has a commit of its own, which no push brings.
  if (!isPinned && target.deploy) return undefined;
  const newer = (await deploysAfter(session, service, ended)).filter(
    deploy => deploy.trigger !== 'rollback' && fits(deploy, target.request),
  );
  const found = newer.find(deploy => ['running', 'live'].includes(classOf(deploy))) ?? newer[0];
  if (!found || !isPinned) return found;
  const pin = await session.client.variable(service.id, key);
  return [target.pin, target.version].includes(pin) ? found : undefined;
}
