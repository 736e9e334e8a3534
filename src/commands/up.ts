import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Unpacker } from '../install/unpacker';
import { writeAtomic } from '../release/atomic';
import {
  activateKept,
  type FallBack,
  findStartable,
  insteadOfCrashing,
  insteadOfFailing,
} from '../setup/fall-back';
import type { SetupPlan } from '../setup/plan';
import { removeSecrets } from '../start/backend-env';
import { become } from '../start/become';
import type { Command, Context } from './command';
import { preparePlan, reportSetup, runSetup, setupHelp, setupOptions, withUnpacker } from './setup';

export const command: Command = {
  usage: 'bootlace up [--strict] [-- ARGS]',
  help: [['--strict', 'never start another release than the one that is wanted'], ...setupHelp],
  options: { ...setupOptions, strict: { type: 'boolean' } },
  positionals: 0,
  takesRest: true,
  async run(context) {
    const { io, dir, rest } = context;
    context.report.leaveStdout();
    const plan = await withUnpacker(context, async unpacker => {
      const plan = await preparePlan(context);
      await setUp(plan, context, unpacker);
      return plan;
    });
    // A fresh process: what setup loaded does not stay in the backend's memory, and the token is
    // not even in what /proc shows of its environment.
    const env: Record<string, string | undefined> = { ...io.env };
    removeSecrets(env, plan.config);
    const file = join(dir, plan.serverFile);
    return { finally: () => void become({ file: io.execPath, args: [file, ...rest], env }) };
  },
};

/**
 * Sets up; where that needs a registry out of reach or room on a full disk, or gives a release that
 * ends at once whenever it starts, goes back to one that started well and says so. On a terminal a person stops and
 * starts as they like, so there a short run proves nothing.
 */
async function setUp(
  plan: SetupPlan,
  context: Context,
  unpacker: Unpacker | undefined,
): Promise<void> {
  const { io, dir, flags } = context;
  const begun = io.now();
  const mayFallBack = !flags.strict && !plan.from;
  let fallBack: FallBack | undefined;
  try {
    const isImpatient = mayFallBack && findStartable(dir, plan) !== undefined;
    const result = await runSetup(plan, context, { isImpatient, unpacker });
    reportSetup(plan, result, context, io.now() - begun);
    if (mayFallBack && !io.errIsTerminal) fallBack = insteadOfCrashing(dir, plan);
  } catch (error) {
    if (!mayFallBack) throw error;
    fallBack = insteadOfFailing(error, dir, plan);
    // The rest belongs to a setup that went well: a wrong registry must not get into .npmrc.
    const server = join(dir, plan.serverFile);
    for (const { path, text } of plan.changes)
      if (path === server && !existsSync(server)) writeAtomic(path, text);
  }
  if (!fallBack) return;
  const { release, isGood, why, undo } = fallBack;
  const { receipt } = release;
  context.report.warn(
    `starting ${receipt.package} ${receipt.version}, which is on disk${isGood ? ' and started well' : ''}, instead: ${why}; --strict forbids this${undo ? `; ${undo}` : ''}`,
  );
  const wanted = { text: receipt.version, from: 'up', why: `went back: ${why}` };
  await activateKept(dir, release, wanted, io);
}
