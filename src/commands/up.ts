import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InstallError, NetworkError } from '../errors';
import { writeAtomic } from '../release/atomic';
import type { Release } from '../release/store';
import { applySetup, keepActive } from '../setup/apply';
import { findActiveInstead, type SetupPlan } from '../setup/plan';
import { prepareSetup } from '../setup/prepare';
import { expectedRelease, removeSecrets } from '../start/backend-env';
import { become } from '../start/become';
import type { Command, Context } from './command';
import { reportSetup, setupHelp, setupOptions } from './setup';

export const command: Command = {
  usage: 'bootlace up [-- ARGS]',
  help: setupHelp,
  options: setupOptions,
  positionals: 0,
  takesRest: true,
  async run(context) {
    const { io, dir, rest } = context;
    context.report.leaveStdout();
    const plan = await prepareSetup(context, 'up');
    const release = await setUp(plan, context);
    // A fresh process: what setup loaded does not stay in the backend's memory, and the token is
    // not even in what /proc shows of its environment.
    const env: Record<string, string | undefined> = { ...io.env };
    removeSecrets(env, plan.config);
    // Another setup may activate its release before this one starts.
    env[expectedRelease] = release.name;
    const file = join(dir, plan.serverFile);
    return { finally: () => void become({ file: io.execPath, args: [file, ...rest], env }) };
  },
};

/**
 * Sets up. Where the registry is out of reach, or the disk takes nothing, the active release starts
 * if it satisfies the wish; another version never does. It starts as the settings of now say.
 * @returns the release to start
 */
async function setUp(plan: SetupPlan, context: Context): Promise<Release> {
  const { io, dir, report } = context;
  const begun = io.now();
  const active = findActiveInstead(dir, plan);
  try {
    const result = await applySetup({ ...plan, failFast: active !== undefined }, context);
    reportSetup(plan, result, context, io.now() - begun);
    return result.release;
  } catch (error) {
    if (!active || !isTransient(error)) throw error;
    const { package: name, version } = active.receipt;
    report.warn(`starting the active ${name} ${version}: ${error.code}:\n  ${error.message}`);
    // A wrong registry must not get into .npmrc; the files of the start are needed.
    for (const { path, text } of plan.changes)
      if (!existsSync(path) && /\.[cm]?js$/.test(path)) writeAtomic(path, text);
    keepActive(plan, active, context);
    return active;
  }
}

/** True for a failure that passes: the registry is away, or the disk takes nothing. */
function isTransient(error: unknown): error is NetworkError | InstallError {
  return (
    error instanceof NetworkError ||
    (error instanceof InstallError &&
      (error.code === 'DISK_FULL' || error.facts.reason === 'EROFS'))
  );
}
