import { BootlaceError, DeployError } from '../../errors';
import { classOf, type Deploy, timeOf } from '../api/model';
import { addressOf } from '../proof/address';
import type { Session } from '../session';
import { move, type Outcome } from './move';
import { forget, restorePin } from './pin';
import { type Plan, planBack, sinceOf } from './plan';
import { pinText, restoredText } from './progress';
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
  /** Nothing was written down, so the record still has the note. */
  isUnwritten?: boolean;
}

/**
 * Leads a service back to what it was before a move: the pin first, then the deploy that was live, by
 * its artifact or, where that is gone, by a new deploy of the old version; then proves that one as far
 * as it could be proven before.
 * @param isAsked the user asked for it: afterwards nothing else may be live
 * @throws DeployError UNDO_FAILED with what stands now and what to do; DEPLOY_TAKEN_OVER
 */
export async function goBack(session: Session, plan: Plan, isAsked: boolean): Promise<WentBack> {
  const { state, before, progress } = plan;
  const { name, preDeployCommand } = state.service;
  const isDeployed = !['pinning', 'pinned'].includes(progress.stage);
  const failed = progress.deploy;
  progress.isGoingBack = true;
  try {
    const to = before.version ?? before.deploy?.id;
    session.say(to ? `${name}: going back to ${to}` : `${name}: nothing was live before`);
    // A note of an interrupted run says when that began.
    const since = isAsked ? state.leftOver?.since : sinceOf(plan);
    const back = planBack(plan, isAsked);
    const isOurs = await restorePin(session, back);
    const done: WentBack = isDeployed
      ? await restoreDeploy(session, back, since)
      : { text: '', version: before.version, deploy: before.deploy?.id, isUnwritten: true };
    if (done.isUnwritten) await forget(session, plan);
    const mayHaveMigrated = isDeployed && !progress.isUnbuilt && preDeployCommand;
    progress.stage = 'back';
    const story = [
      back.leaves !== undefined && restoredText(plan, isOurs),
      done.text,
      (progress.hasMigrated || mayHaveMigrated) && 'migrations that ran stay',
    ];
    return { ...done, text: story.filter(Boolean).join(', ') };
  } catch (error) {
    if (session.signal.aborted || !(error instanceof BootlaceError)) throw error;
    if (['UNDO_FAILED', 'DEPLOY_TAKEN_OVER'].includes(error.code)) throw error;
    const goesOn = failed && !progress.isOver ? `; ${failed} may go on` : '';
    const where = before.version ?? 'what was live';
    const text = `${name} could not be led back to ${where}: ${error.message}${goesOn}`;
    throw undoFailed(session, plan, text, error);
  }
}

async function restoreDeploy(
  session: Session,
  plan: Plan,
  since: string | undefined,
): Promise<WentBack> {
  const { state, before, progress } = plan;
  const { client } = session;
  const { service, isPinned, key } = state;
  const failed = progress.deploy;
  let deploys = await client.deploys(service.id);
  const own = deploys.find(({ id }) => id === failed);
  if (own && classOf(own) === 'running') {
    await endDeploy(session, service, own);
    progress.isOver = true;
    deploys = await client.deploys(service.id);
  }
  const live = deploys.find(deploy => classOf(deploy) === 'live');
  const stays = (text: string) => ({
    text,
    version: undefined,
    deploy: live?.id,
    isUnwritten: true,
  });
  if (!before.deploy) return stays('no deploy was live before, so there is none to go back to');
  // Created while the pin was ours, so it brings what failed, whoever created it.
  const carriesPin = (deploy: Deploy) =>
    isPinned &&
    deploy.trigger !== 'rollback' &&
    timeOf(deploy.createdAt) > timeOf(since) &&
    deploy.id !== failed;
  const running = deploys.find(deploy => classOf(deploy) === 'running');
  if (!plan.isAsked) {
    const isOthers = live && live.id !== before.deploy.id && live.id !== failed;
    if (isOthers && !carriesPin(live))
      return stays(`${live.id} (${live.trigger}) of somebody else is live and stays`);
    if (running && !isPinned)
      return stays(`${running.id} (${running.trigger}) of somebody else is running and stays`);
  }
  const bringsIt = running && carriesPin(running);
  if (bringsIt)
    session.warn(
      `${service.name}: ${running.id} (${running.trigger}) would bring ${plan.leaves}; the way back takes its place`,
    );
  const isStill = live?.id === before.deploy.id && !bringsIt;
  const outcome = await move(session, { ...plan, resume: isStill ? live : undefined });
  if (progress.isPinnedExactly) await client.setVariable(service.id, key, before.pin);
  const { deploy } = outcome;
  if (outcome.state === 'bad') {
    const text =
      classOf(deploy) === 'live'
        ? outcome.error.message
        : `${deploy.id} ended as ${deploy.status}, so ${failed ?? 'the failed deploy'} may still be live`;
    throw undoFailed(session, plan, `${service.name}: ${text}`, outcome.error);
  }
  const { version } = before;
  const isUnwritten = outcome.state === 'unproven';
  const isOther =
    isPinned &&
    version === undefined &&
    deploy.id !== before.deploy.id &&
    deploy.trigger !== 'rollback';
  const now = before.pin === undefined ? 'latest' : pinText(before.pin);
  const named = version === undefined ? '' : ` (${version})`;
  const text = isOther
    ? `${deploy.id} is live, a new deploy of ${now}: the artifact of ${before.deploy.id} is gone and its version unknown`
    : `${deploy.id}${named} is ${isStill ? 'still live' : 'live again'}${shownText(session, plan, outcome)}`;
  return { text, version, deploy: deploy.id, isOther, isUnwritten };
}

/** What was seen of it; nothing is required of an address that failed before. */
function shownText(session: Session, { probe, state }: Plan, outcome: Outcome): string {
  if (outcome.state !== 'proven') return ', its version not shown by anything';
  if (probe && probe.state !== 'ok') return '';
  if (['answer', 'start line'].includes(outcome.by)) return ' and proven';
  return addressOf(state.service, session.proof) ? ' and healthy' : '';
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
