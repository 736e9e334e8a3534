import { BootlaceError, DeployError } from '../../errors';
import { classOf, type Deploy, timeOf } from '../api/model';
import type { Session } from '../api/session';
import type { ProofWish } from '../proof/address';
import { move, type Outcome } from './move';
import { restorePin, settle } from './pin';
import { type Plan, planBack, sinceOf } from './plan';
import { type DeployProgress, orWarn, pinText } from './progress';
import { endDeploy } from './wait';

/** How the way back ended. */
export interface WentBack {
  /** One sentence for the report. */
  text: string;
  /** What is live now; its version where that is known. */
  version: string | undefined;
  deploy: string | undefined;
  /** What came is a new deploy of whatever the pin stands for now. */
  isOther?: boolean;
}

/**
 * Leads a service back to what it was before a move: the pin first, then the deploy that was live, by
 * its artifact or, where that is gone, by a new deploy of the old version; then proves that one as far
 * as it could be proven before.
 * @param isAsked the user asked for it: afterwards nothing else may be live
 * @throws DeployError UNDO_FAILED with what stands now and what to do; DEPLOY_TAKEN_OVER
 */
export async function goBack(
  session: Session,
  plan: Plan,
  progress: DeployProgress,
  wish: ProofWish,
  isAsked = false,
): Promise<WentBack> {
  const { state, before } = plan;
  const { name } = state.service;
  const { stage } = progress;
  progress.isGoingBack = true;
  const failed = progress.deploy;
  try {
    session.say(`${name}: going back to ${before.version ?? before.live?.id ?? 'no deploy'}`);
    // A note of an interrupted run says when that began.
    const since = isAsked ? state.record.pending?.since : sinceOf(plan);
    const back = planBack(plan, isAsked);
    const isOurs = await restorePin(session, back, progress);
    const pinned =
      back.leaves === undefined || plan.keepsPin
        ? []
        : [
            isOurs
              ? `${state.key} is ${pinText(before.pin)} again`
              : `${state.key} stays as somebody else set it`,
          ];
    const isDeployed = stage !== 'pinning' && stage !== 'pinned';
    const done = isDeployed
      ? await restoreDeploy(session, back, progress, wish, since)
      : { text: '', version: before.version, deploy: before.live?.id };
    if (!isDeployed || done.isUnwritten) await forget(session, plan);
    const hasMigrations = progress.hasMigrated || (isDeployed && state.service.preDeployCommand);
    const story = [...pinned, done.text, hasMigrations ? 'migrations that ran stay' : ''];
    progress.stage = 'back';
    return { ...done, text: story.filter(Boolean).join(', ') };
  } catch (error) {
    if (session.signal.aborted || !(error instanceof BootlaceError)) throw error;
    if (['UNDO_FAILED', 'DEPLOY_TAKEN_OVER'].includes(error.code)) throw error;
    const goesOn = failed && !progress.isOver ? `; ${failed} may go on` : '';
    throw undoFailed(
      session,
      plan,
      `${name} could not be led back to ${before.version ?? 'what was live'}: ${error.message}${goesOn}`,
      error,
    );
  }
}

interface Restored extends WentBack {
  /** The record still has the note. */
  isUnwritten?: boolean;
}

async function restoreDeploy(
  session: Session,
  plan: Plan,
  progress: DeployProgress,
  wish: ProofWish,
  since: string | undefined,
): Promise<Restored> {
  const { state, before } = plan;
  const { client } = session;
  const { service } = state;
  const failed = progress.deploy;
  let deploys = await client.deploys(service.id);
  const own = deploys.find(({ id }) => id === failed);
  if (own && classOf(own) === 'running') {
    await endDeploy(session, service, own);
    progress.isOver = true;
    deploys = await client.deploys(service.id);
  }
  const live = deploys.find(deploy => classOf(deploy) === 'live');
  if (!before.live) return stays(live, 'no deploy was live before, so there is none to go back to');
  // Created while the pin was ours, so it brings what failed, whoever created it.
  const carriesPin = (deploy: Deploy) =>
    state.isPinned &&
    deploy.trigger !== 'rollback' &&
    timeOf(deploy.createdAt) > timeOf(since) &&
    deploy.id !== failed;
  const running = deploys.find(deploy => classOf(deploy) === 'running');
  if (!plan.isAsked) {
    const isOthers = live && live.id !== before.live.id && live.id !== failed;
    if (isOthers && !carriesPin(live))
      return stays(live, `${live.id} (${live.trigger}) of somebody else is live and stays`);
    if (running && !state.isPinned)
      return stays(
        live,
        `${running.id} (${running.trigger}) of somebody else is running and stays`,
      );
  }
  const bringsIt = running && carriesPin(running);
  if (bringsIt)
    session.warn(
      `${service.name}: ${running.id} (${running.trigger}) would bring ${plan.leaves}; the way back takes its place`,
    );
  const isStill = live?.id === before.live.id && !bringsIt;
  let isNewDeploy = false;
  let isRepinned = false;
  const outcome = await move(
    session,
    { ...plan, resume: isStill ? live : undefined },
    'as before',
    progress,
    {
      wish,
      beforeNew: async () => {
        isNewDeploy = true;
        isRepinned = await pinOldVersion(session, plan);
      },
    },
  );
  if (isRepinned) await client.setVariable(service.id, state.key, before.pin);
  return resultOf(outcome, isStill, isNewDeploy);

  function resultOf({ deploy, ...ended }: Outcome, isStill: boolean, isNew: boolean): Restored {
    if (ended.state === 'bad') {
      const isDead = classOf(deploy) !== 'live';
      const text = isDead
        ? `${deploy.id} ended as ${deploy.status}, so ${failed ?? 'the failed deploy'} may still be live`
        : ended.error.message;
      throw undoFailed(session, plan, `${service.name}: ${text}`, ended.error);
    }
    const { version } = before;
    const isUnwritten = ended.state === 'unproven';
    const isOther = isNew && state.isPinned && version === undefined;
    const named = version === undefined ? '' : ` (${version})`;
    const shown = isUnwritten ? ', its version not shown by anything' : ' and proven';
    const text = isOther
      ? `${deploy.id} is live, a new deploy of ${before.pin === undefined ? 'latest' : pinText(before.pin)}: the artifact of ${before.live?.id} is gone and its version unknown`
      : `${deploy.id}${named} is ${isStill ? 'still live' : 'live again'}${shown}`;
    return { text, version, deploy: deploy.id, isOther, isUnwritten };
  }
}

function stays(live: Deploy | undefined, text: string): Restored {
  return { text, version: undefined, deploy: live?.id, isUnwritten: true };
}

async function forget(session: Session, plan: Plan): Promise<void> {
  if (!plan.state.isPinned) return;
  const { name } = plan.state.service;
  await orWarn(session, `${name}: the note of this deploy could not be removed`, () =>
    settle(session, plan, undefined),
  );
}

/**
 * For a new deploy of the old version: while the pin was `latest`, a range or not set, the old
 * version is pinned exactly for that deploy, or the registry would hand out the bad one again.
 * @returns true when the pin must be put back afterwards
 */
async function pinOldVersion(
  { client }: Session,
  { state, before }: Pick<Plan, 'state' | 'before'>,
): Promise<boolean> {
  if (!state.isPinned || before.version === undefined || before.pin === before.version)
    return false;
  await client.setVariable(state.service.id, state.key, before.version);
  return true;
}

function undoFailed(
  session: Session,
  { state }: Plan,
  message: string,
  cause: BootlaceError,
): DeployError {
  const { name } = state.service;
  return new DeployError('UNDO_FAILED', message, {
    fix: `see the service in the Render dashboard; then: ${session.line('rollback', { services: [name] })}`,
    facts: { ...cause.facts, undoCode: cause.code },
    cause,
  });
}
