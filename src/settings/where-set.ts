import type { Io } from '../io';

/** Where a variable is set on the host of this process; undefined where that is the user's to know. */
export function whereSet(env: Io['env']): string | undefined {
  if (env.RENDER) return "on the service's page under Environment";
  if (env.GITHUB_ACTIONS === 'true') return "in the step's env, from a secret";
  return undefined;
}

/** A variable's name for a fix, with the place. */
export function nameHere(name: string, env: Io['env']): string {
  const place = whereSet(env);
  return place === undefined ? name : `${name} (${place})`;
}
