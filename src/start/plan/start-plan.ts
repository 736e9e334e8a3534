import { isObject } from '../../json';
import type { StartPlan } from '../../release/receipt';
import { binsOf, type Entry, exportTarget, type FindFile, type PackageJson } from './entry';
import { roleEntry } from './named-command';
import { type Place, resolveFlags, resolveNodeOptions } from './node-flags';
import { chooseEntryIn, findIn, readPackageJson } from './package-files';
import { readPublisher } from './publisher';

export type StartSettings = Pick<StartPlan, 'asked' | 'args' | 'tokenEnv' | 'secretEnv' | 'memory'>;

/**
 * Plans how an installed backend starts, so that the launcher needs to read nothing of it. The
 * role `web` comes before scripts.start and main: it was written for bootlace, they were not.
 * @throws NotFoundError when there is nothing to start, SettingError PACKAGE_CONFIG_INVALID
 */
export function planStartIn(place: Place, settings: StartSettings): StartPlan {
  const { backend } = place;
  const json = readPackageJson(backend);
  const publisher = readPublisher(json);
  const find = findIn(backend);
  const roles = Object.fromEntries(
    Object.entries(publisher.roles).map(([role, what]) => [
      role,
      resolvePaths(roleEntry(json, role, what, find), place),
    ]),
  );
  const names = namedFiles(json, find);
  const { asked } = settings;
  const role = asked ?? 'web';
  const entry = Object.hasOwn(roles, role)
    ? (roles[role] as Entry)
    : resolvePaths(chooseEntryIn(backend, asked, Object.keys(roles)), place);
  return {
    entry,
    ...settings,
    ...(Object.keys(names).length && { names }),
    ...(Object.keys(roles).length && { roles }),
    ...(publisher.requires.length && { requires: publisher.requires }),
  };
}

/** Bins and export subpaths that a later BACKEND_ENTRY may name, without patterns; 50 at most. */
function namedFiles(json: PackageJson, find: FindFile): Record<string, string> {
  const subpaths = isObject(json.exports) ? Object.keys(json.exports) : [];
  const targets = [
    ...Object.entries(binsOf(json)),
    ...subpaths
      .filter(path => /^\.\/[^*]+$/.test(path))
      .map(path => [path, exportTarget(json, path)] as const),
  ];
  const found = targets.flatMap(([name, target]) => {
    const file = target && find(target);
    return file ? [[name, file]] : [];
  });
  return Object.fromEntries(found.slice(0, 50));
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
