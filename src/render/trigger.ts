import { DeployError } from '../errors';
import type { DeployRequest } from './client';
import { classOf, type Deploy, type Service } from './model';
import { isLost } from './request';
import type { Session } from './session';

/** How often the list is asked for a deploy of ours after a 202, and after a lost answer. */
const looksAfterQueued = 12;
const looksAfterLost = 3;
const mostTries = 3;

/**
 * Creates a deploy and finds out which one it is.
 * @throws DeployError DEPLOY_NOT_FOUND when it is in no list, DEPLOY_AMBIGUOUS when two could be
 *   it, RENDER_REFUSED; the client's failures
 */
export function createDeploy(
  session: Session,
  service: Service,
  request: DeployRequest,
): Promise<Deploy> {
  return create(session, service, 'api', request, () =>
    session.client.createDeploy(service.id, request),
  );
}

/** Goes back to a deploy's artifact; the same promises as createDeploy. */
export function createRollback(
  session: Session,
  service: Service,
  deployId: string,
): Promise<Deploy> {
  return create(session, service, 'rollback', {}, () =>
    session.client.rollback(service.id, deployId),
  );
}

async function create(
  session: Session,
  service: Service,
  trigger: string,
  request: DeployRequest,
  post: () => Promise<Deploy | undefined>,
): Promise<Deploy> {
  // By Render's own clock and ids: a clock of ours that is wrong must not find another's deploy.
  const before = await session.client.deploys(service.id);
  const isOurs = (deploy: Deploy) =>
    deploy.trigger === trigger && !before.some(({ id }) => id === deploy.id);
  const since = before[0]?.createdAt;
  for (let tries = 1; ; tries++) {
    try {
      const deploy = await post();
      if (deploy) return deploy;
    } catch (error) {
      if (!isLost(error)) throw error;
      session.say(`${(error as Error).message}; looking whether the deploy was created`);
      const found = await find(looksAfterLost);
      if (found) return found;
      if (tries >= mostTries) throw error;
      continue;
    }
    session.say('Render has queued the deploy; looking for it');
    const found = await find(looksAfterQueued);
    if (found) return found;
    throw new DeployError(
      'DEPLOY_NOT_FOUND',
      `Render accepted a deploy of ${service.name} and lists none`,
      {
        fix: `look at its deploys in the dashboard, then run: npx bootlace verify ${service.name}`,
      },
    );
  }

  async function find(looks: number): Promise<Deploy | undefined> {
    for (let look = 1; look <= looks; look++) {
      const listed = (await session.client.deploys(service.id, since)).filter(isOurs);
      const [deploy, ...more] = listed.length > 1 ? narrow(listed, request) : listed;
      if (deploy && more.length === 0) return deploy;
      if (deploy)
        throw new DeployError(
          'DEPLOY_AMBIGUOUS',
          `somebody else deploys ${service.name} through the API at the same time (${[deploy, ...more].map(({ id }) => id).join(', ')})`,
          {
            fix: 'let one deploy run at a time, for example with a concurrency group in the workflow',
          },
        );
      if (look < looks) await session.io.sleep(session.limits.pollMs, session.signal);
    }
    return undefined;
  }
}

/** Among several, the ones that carry what was asked for; a canceled one was passed over. */
function narrow(deploys: readonly Deploy[], request: DeployRequest): Deploy[] {
  return deploys.filter(
    deploy =>
      classOf(deploy) !== 'failed' &&
      (request.commitId === undefined || deploy.commit?.startsWith(request.commitId) !== false) &&
      (request.imageUrl === undefined || deploy.image?.includes(request.imageUrl) !== false),
  );
}
