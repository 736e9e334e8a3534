import { NotFoundError } from '../../errors';
import { isObject } from '../../json';
import type { StartPlan } from '../../release/receipt';
import {
  binsOf,
  chooseEntry,
  type Entry,
  exportTarget,
  type FindFile,
  type PackageJson,
} from './entry';
import { roleEntry } from './named-command';
import { type Place, resolveFlags, resolveNodeOptions } from './node-flags';
import { findIn, readPackageJson } from './package-files';
import { readPublisher } from './publisher';

type StartSettings = Pick<StartPlan, 'asked' | 'args' | 'tokenEnv' | 'secretEnv' | 'memory'>;

/**
 * Plans how an installed backend starts, so that the launcher needs to read nothing of it. The
 * role `web` comes before scripts.start and main: it was written for bootlace, they were not.
 * @throws NotFoundError ENTRY_NOT_FOUND, ENTRY_AMBIGUOUS or ENTRY_MISSING, with the candidates, or
 *   SettingError PACKAGE_CONFIG_INVALID
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
  const role = settings.asked ?? 'web';
  const entry = Object.hasOwn(roles, role)
    ? (roles[role] as Entry)
    : resolvePaths(ownEntry(json, settings.asked, find, Object.keys(roles)), place);
  return {
    entry,
    ...settings,
    ...(Object.keys(names).length && { names }),
    ...(Object.keys(roles).length && { roles }),
    ...(publisher.requires.length && { requires: publisher.requires }),
  };
}

/** @param roles the names that BACKEND_ENTRY could mean as well, for the candidates */
function ownEntry(
  json: PackageJson,
  asked: string | undefined,
  find: FindFile,
  roles: readonly string[],
): Entry {
  const choice = chooseEntry(json, asked, find);
  if ('entry' in choice) return choice.entry;
  const list = [...(asked === undefined ? [] : roles), ...choice.candidates].join(', ');
  throw new NotFoundError(choice.failure, choice.message, {
    fix: list
      ? 'set BACKEND_ENTRY to one of the candidates, or to another file in the package'
      : 'build before you publish, list the built folder in "files", and name the server in "main" or scripts.start',
    facts: { ...(list && { candidates: list }) },
  });
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
