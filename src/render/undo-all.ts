import { BootlaceError } from '../errors';
import type { ProofWish } from './deploy-one';
import { withStory } from './failure';
import type { Look } from './look';
import type { DeployPlan, DeployWish } from './plan';
import type { ServiceResult } from './result';
import type { Session } from './session';
import { describeTrail, type Trail } from './trail';
import { undo } from './undo';

/** One service of a deploy, and how far it has come. */
export interface Step {
  look: Look;
  wish: DeployWish;
  plan?: DeployPlan;
  trail: Trail;
  result: ServiceResult;
}

/** Completes a result whose step was stopped on its way. */
export function noteInterrupted({ trail, result }: Step): void {
  if (['untouched', 'proven', 'done'].includes(trail.stage)) return;
  result.outcome = 'interrupted';
  result.deploy ??= trail.deploy;
}

/**
 * Leads the failed service and the ones already moved back, the last first. One that cannot be led
 * back does not keep the others from it.
 * @param options.undo false: all are left as they are, and it is said
 * @param failure what ended the deploy
 * @returns the failure to end with: what is left to do first, then how it came to that
 * @throws the signal's reason, after saying of each service what stands
 */
export async function undoAll(
  session: Session,
  options: { undo: boolean; proof: ProofWish },
  failure: BootlaceError,
  failed: Step,
  moved: readonly Step[],
): Promise<BootlaceError> {
  const story: string[] = [];
  const stuck: BootlaceError[] = [];
  const steps = [failed, ...[...moved].reverse()].filter(
    ({ plan, trail }) => plan && trail.stage !== 'untouched' && trail.stage !== 'done',
  );
  for (const [i, { plan, trail, result }] of steps.entries()) {
    if (!plan) continue;
    if (!options.undo) {
      session.warn(`left as it is (--no-undo): ${describeTrail(plan, trail)}`);
      continue;
    }
    try {
      const { text, isLeft } = await undo(session, plan, trail, options.proof);
      if (!isLeft) result.outcome = 'undone';
      story.push(`${result.service}: ${text}`);
    } catch (error) {
      if (session.signal.aborted) {
        for (const sentence of [failure.message, ...story]) session.warn(sentence);
        for (const left of steps.slice(i)) {
          if (left.plan) session.warn(describeTrail(left.plan, left.trail));
          noteInterrupted(left);
        }
        throw error;
      }
      if (!(error instanceof BootlaceError)) throw error;
      result.outcome = 'failed';
      stuck.push(error);
    }
  }
  const [first, ...others] = stuck;
  if (!first) return withStory(failure, story, {});
  return withStory(
    first,
    [
      ...others.map(({ message, fix }) => `${message} (${fix})`),
      `it began with: ${failure.message}`,
      ...story,
    ],
    { first: failure.code },
  );
}
