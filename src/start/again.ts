import type { Program } from './become';
import { absoluteFlags } from './node-flags';

/** Says in the environment of the second run that flags, .env and log lines are done. */
const mark = 'BOOTLACE_AGAIN';

/** True in the second run; the mark is gone before the backend looks. */
export function takeMark(env: Record<string, string | undefined>, name = mark): boolean {
  const isSet = env[name] !== undefined;
  delete env[name];
  return isSet;
}

/**
 * This same command line with Node flags that only a new process takes. It runs through the
 * launcher once more, so that everything else of a start stays the same.
 */
export function againWith(flags: readonly string[], folder: string): Program {
  return {
    file: process.execPath,
    args: [...process.execArgv, ...absoluteFlags(flags, folder), ...process.argv.slice(1)],
    env: { ...process.env, [mark]: '1' },
  };
}
