import type { StartPlan } from '../release/receipt';
import { planStartIn } from '../start/start-plan';
import type { SetupPlan } from './plan';

/**
 * How the backend in a folder starts under a plan's settings.
 * @throws NotFoundError when nothing there can start
 */
export function planStart(plan: SetupPlan, backend: string): StartPlan {
  const { entry, args, tokenEnv, memory } = plan.settings;
  return planStartIn(backend, {
    asked: entry?.value,
    args: args?.value,
    tokenEnv: tokenEnv.value,
    ...(plan.config.secretEnv.length && { secretEnv: plan.config.secretEnv }),
    memory: memory.value === 'auto' ? undefined : memory.value,
  });
}
