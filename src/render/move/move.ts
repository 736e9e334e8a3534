import type { BootlaceError } from '../../errors';
import { classOf, type Deploy } from '../api/model';
import type { Session } from '../api/session';
import { addressOf, type ProofWish } from '../proof/address';
import { type Evidence, prove } from '../proof/prove';
import { writeDown, writePin } from './pin';
import type { Plan, Rule } from './plan';
import { type DeployProgress, failureIn } from './progress';
import { replacementOf, startDeploy } from './run';
import { failureOf, waitForEnd } from './wait';

/** How a move ended. Only `bad` leads back. */
export type Outcome =
  | { state: 'proven'; deploy: Deploy; seen: readonly string[]; by: Evidence }
  /** Nothing shows the version, nothing shows that it is wrong: the new deploy stays live. */
  | { state: 'unproven'; deploy: Deploy; error: BootlaceError }
  /** Render says that it failed, or the evidence contradicts. */
  | { state: 'bad'; deploy: Deploy; error: BootlaceError };

interface MoveOptions {
  readonly wish: ProofWish;
  readonly package?: string | undefined;
  readonly followLogs?: boolean;
  /** Done before a new deploy takes the place of an artifact that is gone. */
  readonly beforeNew?: () => Promise<void>;
  /** Runs the migrations once the new deploy is live. @throws BootlaceError when they fail */
  readonly migrate?: (() => Promise<void>) | undefined;
}

const mostReplacements = 10;

/**
 * Moves one service to a target: the story of every deploy, rollback and way back. Its states are
 * planned → pinned → running → live → proven | unproven | bad.
 * @param progress kept up to date at every step, for what must be said after Ctrl-C
 * @throws what keeps it from reaching a live deploy: the client's failures, DEPLOY_TIMEOUT,
 *   DEPLOY_LOCKED; nothing is undone here
 */
export async function move(
  session: Session,
  plan: Plan,
  rule: Rule,
  progress: DeployProgress,
  options: MoveOptions,
): Promise<Outcome> {
  const { service } = plan.state;
  if (plan.kind !== 'back') await writePin(session, plan, progress);
  let deploy = await begin(session, plan, progress, options);
  for (let replacements = 0; ; replacements++) {
    progress.stage = 'running';
    progress.deploy = deploy.id;
    progress.isOver = false;
    let ended = await waitForEnd(session, service, deploy, options.followLogs);
    progress.isOver = true;
    if (classOf(ended) === 'live') {
      progress.stage = 'live';
      const failed = await failureIn(async () => {
        if (progress.hasMigrated || !options.migrate) return;
        progress.hasMigrated = true;
        await options.migrate();
      });
      // A job of which nothing is known may have migrated.
      if (failed) return end(failed.code === 'JOB_FAILED' ? 'bad' : 'unproven', ended, failed);
      const isNew = ended.id !== plan.before.live?.id;
      const verdict = await prove(session, {
        service,
        deploy: ended,
        version: options.wish.healthOnly ? undefined : plan.target.version,
        package: options.package,
        // On the way back the failed deploy's instances may fail on while they end.
        isNew: isNew && plan.kind !== 'back',
        place: placeOf(plan, rule, options.wish),
        startLines: isNew && (plan.writesStartLines || ended.trigger !== 'rollback'),
        address: addressOf(service, options.wish),
        before: plan.probe,
        asBefore: rule === 'as before',
      });
      if (verdict.state === 'proven') {
        progress.stage = 'proven';
        await writeDown(session, plan, ended, verdict.by);
        return { state: 'proven', deploy: ended, seen: verdict.seen, by: verdict.by };
      }
      if (verdict.state !== 'ended') return end(verdict.state, ended, verdict.error);
      ended = verdict.deploy;
    }
    const next = await replacementOf(session, plan, ended);
    if (!next || replacements >= mostReplacements)
      return end('bad', ended, await failureOf(session, plan, ended));
    session.say(
      `${service.name}: ${ended.id} was replaced by ${next.id} (${next.trigger}), which brings the same; waiting for that one`,
    );
    deploy = next;
  }

  function end(state: 'unproven' | 'bad', ended: Deploy, error: BootlaceError): Outcome {
    progress.stage = state;
    return { state, deploy: ended, error };
  }
}

async function begin(
  session: Session,
  plan: Plan,
  progress: DeployProgress,
  { beforeNew }: MoveOptions,
): Promise<Deploy> {
  if (plan.resume) return plan.resume;
  const { live, running } = plan.state;
  const isThere = plan.kind === 'rollback' && plan.target.artifact?.id === live?.id;
  if (live && isThere && !running) return live;
  progress.stage = 'creating';
  return startDeploy(session, plan, beforeNew ?? (async () => {}));
}

/** A value of the user's own belongs to the new version; the old one is not asked for it. */
function placeOf({ kind, target }: Plan, rule: Rule, { place }: ProofWish) {
  if (rule === 'health') return undefined;
  const isOther = kind === 'back' && (target.version === undefined || place?.value !== undefined);
  return isOther ? undefined : place;
}
