import { NotFoundError } from '../errors';
import type { StartPlan } from '../release/receipt';
import { literal, splitWords } from '../settings/words';
import type { Entry } from './entry';
import { type Place, resolveFlags, resolveNodeOptions } from './node-flags';
import { chooseEntryIn, readPackageJson } from './package-files';
import { readPublisher } from './publisher';

export type StartSettings = Pick<StartPlan, 'asked' | 'args' | 'tokenEnv' | 'secretEnv' | 'memory'>;

/**
 * Plans how an installed backend starts, so that the launcher needs to read nothing of it. The
 * role `web` comes before scripts.start and main: it was written for bootlace, they were not.
 * @throws NotFoundError when there is nothing to start, SettingError PACKAGE_CONFIG_INVALID
 */
export function planStartIn(place: Place, settings: StartSettings): StartPlan {
  const { backend } = place;
  const publisher = readPublisher(readPackageJson(backend));
  const roles = Object.fromEntries(
    Object.entries(publisher.roles).map(([role, what]) => [role, readRole(backend, role, what)]),
  );
  const { asked } = settings;
  const role = asked ?? 'web';
  const entry = Object.hasOwn(roles, role)
    ? (roles[role] as Entry)
    : chooseEntryIn(backend, asked, Object.keys(roles));
  return {
    entry: resolvePaths(entry, place),
    ...settings,
    ...(Object.keys(roles).length && { roles }),
    ...(publisher.requires.length && { requires: publisher.requires }),
  };
}

/** What flags name is found now; the launcher only starts. */
function resolvePaths(entry: Entry, place: Place): Entry {
  return {
    ...entry,
    flags: resolveFlags(entry.flags, place),
    env: entry.env.map(([name, value]) => [
      name,
      name === 'NODE_OPTIONS' ? resolveNodeOptions(value, place) : value,
    ]),
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
