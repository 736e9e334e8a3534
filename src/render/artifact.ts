import { BootlaceError } from '../errors';
import type { DeployRequest } from './client';
import type { Deploy, Service } from './model';
import type { Session } from './session';
import { createDeploy, createRollback } from './trigger';

/**
 * Starts the way back to an earlier deploy: by its artifact, or, where Render no longer keeps
 * that, by a new deploy.
 * @param isPinned a variable says what a new deploy installs; else its commit or image is asked for
 * @param beforeNew done before a new deploy is created
 * @returns the running deploy; `isNew` when it is a new one, with the environment of now
 */
export async function startBackTo(
  session: Session,
  service: Service,
  target: Deploy | undefined,
  isPinned: boolean,
  beforeNew: () => Promise<void> = async () => {},
): Promise<{ deploy: Deploy; isNew: boolean }> {
  if (target) {
    try {
      return { deploy: await createRollback(session, service, target.id), isNew: false };
    } catch (error) {
      if (!isGone(error)) throw error;
      session.say(`${service.name}: the artifact of ${target.id} is gone; deploying it anew`);
    }
  }
  await beforeNew();
  const request = isPinned || !target ? {} : sourceOf(service, target);
  return { deploy: await createDeploy(session, service, request), isNew: true };
}

function sourceOf({ runtime }: Service, { image, commit }: Deploy): DeployRequest {
  if (runtime === 'image') return image === undefined ? {} : { imageUrl: image };
  return commit === undefined ? {} : { commitId: commit };
}

/** True when Render refuses or no longer knows what it was asked for. */
export function isGone(error: unknown): error is BootlaceError {
  return (
    error instanceof BootlaceError && ['RENDER_REFUSED', 'RENDER_NOT_FOUND'].includes(error.code)
  );
}
