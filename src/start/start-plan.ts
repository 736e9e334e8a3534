import { NotFoundError } from '../errors';
import type { StartPlan } from '../release/receipt';
import { literal, splitWords } from '../settings/words';
import type { Entry } from './entry';
import { chooseEntryIn, readPackageJson } from './package-files';
import { readPublisher } from './publisher';

export type StartSettings = Pick<StartPlan, 'asked' | 'args' | 'tokenEnv' | 'secretEnv' | 'memory'>;

/**
 * Plans how an installed backend starts, so that the launcher needs to read nothing of it. The
 * role `web` comes before scripts.start and main: it was written for bootlace, they were not.
 * @param folder the backend's
 * @throws NotFoundError when there is nothing to start, SettingError PACKAGE_CONFIG_INVALID
 */
export function planStartIn(folder: string, settings: StartSettings): StartPlan {
  const json = readPackageJson(folder);
  const publisher = readPublisher(json);
  const roles = Object.fromEntries(
    Object.entries(publisher.roles).map(([role, what]) => [role, readRole(folder, role, what)]),
  );
  const { asked } = settings;
  const role = asked ?? 'web';
  const entry = Object.hasOwn(roles, role)
    ? (roles[role] as Entry)
    : chooseEntryIn(folder, asked, Object.keys(roles));
  return {
    entry,
    ...settings,
    ...(Object.keys(roles).length && { roles }),
    ...(publisher.requires.length && { requires: publisher.requires }),
  };
}

function readRole(folder: string, role: string, what: string): Entry {
  const [file, ...args] = splitWords(what) ?? [];
  const name = literal(file);
  if (name === undefined)
    throw new NotFoundError('ENTRY_NOT_FOUND', `the role ${role} needs a shell: ${what}`, {
      fix: 'write a file of the package and plain arguments, and publish again',
    });
  return { ...chooseEntryIn(folder, name), why: `role ${role}`, args };
}
