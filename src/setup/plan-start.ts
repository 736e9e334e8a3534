import { backendFolder } from '../release/layout';
import type { StartPlan } from '../release/receipt';
import { planStartIn } from '../start/plan/start-plan';
import type { SetupPlan } from './plan';

/**
 * How the backend in a release starts under a plan's settings.
 * @param release the release's folder, or the stage of one
 * @throws NotFoundError when nothing there can start
 */
export function planStart({ settings, config }: SetupPlan, release: string): StartPlan {
  const { entry, args, tokenEnv, memory } = settings;
  const place = { release, backend: backendFolder(release, settings.package.value) };
  return planStartIn(place, {
    asked: entry?.value,
    args: args?.value,
    tokenEnv: tokenEnv.value,
    ...(config.secretEnv.length && { secretEnv: config.secretEnv }),
    memory: memory.value === 'auto' ? undefined : memory.value,
  });
}
