import { BootlaceError, DeployError } from '../errors';
import { urlOf } from './address';
import { startBackTo } from './artifact';
import { orWarn, type ProofWish } from './deploy-one';
import { findLiveVersion } from './live-version';
import { classOf, type Deploy, newestFirst, type Service } from './model';
import { forgetNote, keepProven, pinOldVersion, pinText, restorePin } from './pin';
import type { DeployPlan } from './plan';
import { prove } from './prove';
import type { Session } from './session';
import type { Trail } from './trail';
import { waitForEnd } from './wait';

/** How undoing ended. */
export interface Undone {
  /** One sentence for the report. */
  text: string;
  version: string | undefined;
  deploy: string | undefined;
  /** What came is a new deploy of whatever the pin stands for now. */
  isOther?: true;
  /** Nothing was led back: somebody else has deployed since. */
  isLeft?: true;
}

/**
 * Leads a service back to what it was before a plan: variables first, then the deploy that was
 * live, by its artifact or, where that is gone, by a new deploy of the old version; then proves
 * it. A newer deploy of somebody else is left alone, unless going back is what the user asked for.
 * @param isAsked the user asked for it: after a rollback nothing else may be live
 * @throws DeployError UNDO_FAILED with what stands now and what to do
 */
export async function undo(
  session: Session,
  plan: DeployPlan,
  trail: Trail,
  wish: ProofWish,
  isAsked = false,
): Promise<Undone> {
  const { look, before } = plan;
  const { service } = look;
  const isTouched = trail.stage !== 'untouched';
  const mayHaveDeploy = !['untouched', 'pinning', 'pinned'].includes(trail.stage);
  if (!isTouched)
    return { text: 'nothing was changed', version: before.version, deploy: before.live?.id };
  trail.stage = 'undoing';
  try {
    const other = mayHaveDeploy && !isAsked ? await takenOver() : undefined;
    if (other) {
      trail.stage = 'done';
      return {
        text: `${other.id} (${other.trigger ?? 'unknown trigger'}) of somebody else is live with ${plan.to}, so ${look.key} stays ${plan.to}; to go back: npx bootlace rollback ${service.name}`,
        version: plan.to,
        deploy: other.id,
        isLeft: true,
      };
    }
    session.say(
      `${service.name}: going back to ${before.version ?? before.live?.id ?? 'no deploy'}`,
    );
    const isOurs = await restorePin(session, plan, trail.deploy);
    const variable =
      plan.to === undefined || plan.keepsPin
        ? ''
        : isOurs
          ? `${look.key} is ${pinText(before.pin)} again`
          : `${look.key} stays as somebody else set it`;
    const done: Restored = mayHaveDeploy
      ? await restoreDeploy()
      : { text: '', deploy: before.live?.id };
    if (!done.isWritten)
      await orWarn(session, `${service.name}: the note of this deploy could not be removed`, () =>
        forgetNote(session, plan),
      );
    trail.stage = 'done';
    return {
      text: [variable, done.text].filter(Boolean).join(', '),
      version: before.version,
      deploy: done.deploy,
      ...(done.isOther && { isOther: true }),
    };
  } catch (error) {
    if (session.signal.aborted) throw error;
    if (error instanceof BootlaceError && error.code === 'UNDO_FAILED') throw error;
    if (!(error instanceof BootlaceError)) throw error;
    throw new DeployError(
      'UNDO_FAILED',
      `${service.name} could not be led back to ${before.version ?? 'what was live'}: ${error.message}${trail.deploy && !trail.isOver ? `; ${trail.deploy} may go on` : ''}`,
      {
        fix: `see the service in the Render dashboard; then: npx bootlace rollback ${service.name}`,
        facts: { ...error.facts, undoCode: error.code },
        cause: error,
      },
    );
  }

  /** A deploy of somebody else that has brought our pin live: the two stay together, and the note. */
  async function takenOver(): Promise<Deploy | undefined> {
    const { client, signal } = session;
    if (plan.to === undefined || plan.keepsPin) return undefined;
    const deploys = await client.deploys(service.id);
    const live = deploys.find(deploy => classOf(deploy) === 'live');
    // An artifact of an older deploy has an older version, whatever the pin is.
    if (!live || live.id === trail.deploy || live.trigger === 'rollback') return undefined;
    const wasThere = live.id === before.live?.id || look.deploys.some(({ id }) => id === live.id);
    if (wasThere || (await client.variable(service.id, look.key)) !== plan.to) return undefined;
    const now = { ...look, deploys, live };
    const found = await findLiveVersion(client, now, {
      url: urlOf(service, wish),
      shown: wish.shown,
      signal,
    });
    return found === undefined || found.version === plan.to ? live : undefined;
  }

  async function restoreDeploy(): Promise<Restored> {
    const { client } = session;
    const own = trail.deploy;
    let deploys = await client.deploys(service.id);
    const ownNow = deploys.find(({ id }) => id === own);
    if (ownNow && classOf(ownNow) === 'running') {
      await endDeploy(session, service, ownNow);
      trail.isOver = true;
      deploys = await client.deploys(service.id);
    }
    const live = newestFirst(deploys).find(deploy => classOf(deploy) === 'live');
    if (!before.live)
      return {
        text: 'no deploy was live before, so there is none to go back to',
        deploy: live?.id,
      };
    if (live && live.id !== before.live.id && live.id !== own && !isAsked)
      return {
        text: `${live.id} (${live.trigger ?? 'unknown trigger'}) of somebody else is live and stays`,
        deploy: live.id,
      };
    const newer = deploys.find(deploy => classOf(deploy) === 'running');
    if (newer && plan.to !== undefined)
      session.warn(
        `${service.name}: ${newer.id} of somebody else is running and may bring ${plan.to}`,
      );
    if (live?.id === before.live.id) {
      const proven = await proveBack(live, false);
      return { text: `${live.id}${named()} is still live${proven}`, deploy: live.id };
    }
    const back = await goBack(before.live);
    const proven = await proveBack(back.deploy, true);
    if (plan.to !== undefined) await back.settle();
    if (back.isNew && plan.to !== undefined && before.version === undefined)
      return {
        text: `${back.deploy.id} is live, a new deploy of ${before.pin === undefined ? 'latest' : pinText(before.pin)}: the artifact of ${before.live.id} is gone and its version unknown`,
        deploy: back.deploy.id,
        isOther: true,
      };
    // The same version is live on another deploy now.
    const isWritten = plan.to !== undefined && before.version !== undefined;
    if (isWritten)
      await orWarn(session, `${service.name}: the way back could not be written down`, () =>
        keepProven(session, plan, before.version as string, back.deploy.id),
      );
    const text = `${back.deploy.id}${named()} is live again${proven}`;
    return { text, deploy: back.deploy.id, isWritten };
  }

  function named(): string {
    return before.version === undefined ? '' : ` (${before.version})`;
  }

  async function goBack(
    target: Deploy,
  ): Promise<{ deploy: Deploy; isNew: boolean; settle: () => Promise<void> }> {
    let settle = async () => {};
    const { deploy, isNew } = await startBackTo(
      session,
      service,
      target,
      plan.to !== undefined,
      async () => {
        settle = await pinOldVersion(session, plan);
      },
    );
    const ended = await waitForEnd(session, service, deploy);
    if (classOf(ended) !== 'live')
      throw new DeployError(
        'UNDO_FAILED',
        `${service.name}: ${ended.id} ended as ${ended.status}, so ${trail.deploy ?? 'the failed deploy'} may still be live`,
        {
          fix: `see the service in the Render dashboard; then: npx bootlace rollback ${service.name}`,
        },
      );
    return { deploy: ended, isNew, settle };
  }

  /** @returns what to say of the proof; nothing that shows the version is no reason to stop */
  async function proveBack(deploy: Deploy, isNew: boolean): Promise<string> {
    // A value of the user's own belongs to the version that failed.
    const shown = wish.shown?.value === undefined ? wish.shown : undefined;
    try {
      await prove(session, {
        service,
        deploy,
        version: before.version,
        package: undefined,
        // The failed deploy's instances may fail on while they end.
        isNew: false,
        nonce: undefined,
        shown: before.version === undefined ? undefined : shown,
        startLines: isNew && !wish.healthOnly,
        url: urlOf(service, wish),
      });
      return ' and proven';
    } catch (error) {
      if (!(error instanceof DeployError) || error.code !== 'DEPLOY_UNPROVEN') throw error;
      return ', its version not shown by anything';
    }
  }
}

/** How far the live deploy was restored. */
interface Restored {
  text: string;
  deploy: string | undefined;
  /** The record has been written already. */
  isWritten?: boolean;
  isOther?: true;
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
