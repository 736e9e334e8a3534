import { classOf, type Deploy } from '../api/model';
import { runJob } from '../job';
import { prove, type Verdict } from '../proof/prove';
import type { Session } from '../session';
import { writeDown, writePin } from './pin';
import type { Plan } from './plan';
import { failedFix, failureIn, unprovenFix } from './progress';
import { replacementOf, startDeploy } from './run';
import { writesStartLines } from './state';
import { failureOf, waitForDeploy } from './wait';

/** How a move ended. Only `bad` leads back. */
export type Outcome = Exclude<Verdict, { state: 'ended' }> & { deploy: Deploy };

const mostReplacements = 10;

/**
 * Moves one service to a target: the story of every deploy, rollback and way back. Its states are
 * planned → pinned → running → live → proven | unproven | bad. The plan's progress tells how far it is.
 * @throws what keeps it from reaching a live deploy: the client's failures, DEPLOY_TIMEOUT,
 *   DEPLOY_LOCKED; nothing is undone here
 */
export async function move(session: Session, plan: Plan): Promise<Outcome> {
  const { kind, state, target, before, progress } = plan;
  const { service } = state;
  if (kind !== 'back') await writePin(session, plan);
  let deploy = await begin(session, plan);
  for (let replacements = 0; ; replacements++) {
    Object.assign(progress, { stage: 'running', deploy: deploy.id, isOver: false });
    let ended = await waitForDeploy(session, service, deploy);
    progress.isOver = true;
    if (kind !== 'back') progress.isUnbuilt = ended.status === 'build_failed';
    if (classOf(ended) === 'live') {
      progress.stage = 'live';
      const failed = await failureIn(() => migrate(session, plan));
      // A job of which nothing is known may have migrated.
      const how = failed?.code === 'JOB_FAILED' ? 'bad' : 'unproven';
      if (failed) return end({ state: how, error: failed, deploy: ended });
      const isNew = ended.id !== before.deploy?.id;
      const verdict = await prove(session, {
        service,
        deploy: ended,
        version: session.proof.healthOnly ? undefined : target.version,
        package: target.package,
        // On the way back the failed deploy's instances may fail on while they end.
        isNew: isNew && kind !== 'back',
        place: placeOf(session, plan),
        // What is built anew must write start lines, an artifact need not.
        startLines: isNew && (writesStartLines(state) || ended.trigger !== 'rollback'),
        before: plan.probe,
        asBefore: kind === 'back',
        fix: (code, lastLines) =>
          code === 'DEPLOY_UNPROVEN'
            ? unprovenFix(session, session.line(undefined, { version: target.version }))
            : failedFix(session, plan, lastLines),
      });
      if (verdict.state !== 'ended') return end({ ...verdict, deploy: ended });
      ended = verdict.deploy;
    }
    const next = await replacementOf(session, plan, ended);
    if (!next || replacements >= mostReplacements) {
      const error = await failureOf(session, plan, ended);
      return end({ state: 'bad', error, deploy: ended });
    }
    session.say(
      `${service.name}: ${ended.id} was replaced by ${next.id} (${next.trigger}), which brings the same; waiting for that one`,
    );
    deploy = next;
  }

  async function end(outcome: Outcome): Promise<Outcome> {
    progress.stage = outcome.state;
    if (outcome.state === 'proven') await writeDown(session, plan, outcome.deploy, outcome.by);
    return outcome;
  }
}

async function begin(session: Session, plan: Plan): Promise<Deploy> {
  if (plan.resume) return plan.resume;
  const { live, running } = plan.state;
  const isThere = plan.kind === 'rollback' && plan.target.deploy?.id === live?.id;
  if (live && isThere && !running) return live;
  plan.progress.stage = 'creating';
  return startDeploy(session, plan);
}

async function migrate(session: Session, { migrate, state, progress }: Plan): Promise<void> {
  if (progress.hasMigrated || migrate === undefined) return;
  progress.hasMigrated = true;
  session.say(`${state.service.name}: migrating: ${migrate}`);
  await runJob(session, state.service, migrate);
}

/** A value of the user's own belongs to the new version; the old one is not asked for it. */
function placeOf({ proof: { place } }: Session, { kind, target }: Plan) {
  const isOther = kind === 'back' && (target.version === undefined || place?.value !== undefined);
  return isOther ? undefined : place;
}
