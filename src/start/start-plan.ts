import type { StartPlan } from '../release/receipt';
import type { Entry } from './entry';
import { roleEntry } from './named-command';
import { chooseEntryIn, findIn, readPackageJson } from './package-files';
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
  const find = findIn(folder);
  const roles = Object.fromEntries(
    Object.entries(publisher.roles).map(([role, what]) => [
      role,
      roleEntry(json, role, what, find),
    ]),
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
