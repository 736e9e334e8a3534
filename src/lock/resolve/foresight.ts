import satisfies from 'semver/functions/satisfies';
import maxSatisfying from 'semver/ranges/max-satisfying';
import { isObject, pick } from '../../json';
import type { Packument } from '../../registry/packument';
import { bundledNames, type LockedManifest } from '../document';
import { isPackageName } from '../validate';

/** A dependency: the name that is published, and what is wanted of it. */
export interface Dependency {
  readonly name: string;
  readonly spec: string;
}

/** What one package asks for, of each of its versions. */
export interface Wishes {
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: ReadonlyMap<string, LockedManifest>;
}

/** What of a version's manifest says what else is asked for. */
export const wishFields = [
  ...['dependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta'],
  ...['bundleDependencies', 'bundledDependencies'],
];

/**
 * Guesses what npm will ask for next, so that it is there already. Only a guess: npm chooses. What
 * it reads comes from anybody, so anything but plain names and ranges is passed over. Pure.
 */
export function readWishes({ name, versions, 'dist-tags': tags }: Packument): Wishes {
  const kept = new Map<string, LockedManifest>();
  for (const [version, manifest] of Object.entries<unknown>(versions))
    if (isObject(manifest)) kept.set(version, { name, ...pick(manifest, wishFields) });
  return { tags, versions: kept };
}

/**
 * What the version that a spec most likely means depends on.
 * @returns its version and its dependencies; undefined when there is none
 */
export function guessNext(
  { tags, versions }: Wishes,
  spec: string,
): { version: string; wants: Dependency[] } | undefined {
  const version = guessVersion(tags, versions, spec);
  const manifest = version === undefined ? undefined : versions.get(version);
  if (version === undefined || !manifest) return undefined;
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest;
  // What a tarball brings is not asked for.
  const bundled = new Set(bundledNames(manifest));
  const isNeeded = (name: string) => {
    const meta = isObject(peerDependenciesMeta) ? peerDependenciesMeta[name] : undefined;
    return !(isObject(meta) && meta.optional === true);
  };
  return {
    version,
    wants: [
      ...readSpecs(dependencies, name => !bundled.has(name)),
      ...readSpecs(optionalDependencies),
      ...readSpecs(peerDependencies, isNeeded),
    ],
  };
}

/** The dependencies of a table that a registry serves. */
export function readSpecs(table: unknown, isNeeded = (_name: string) => true): Dependency[] {
  if (!isObject(table)) return [];
  return Object.entries(table).flatMap(([folder, text]) => {
    if (typeof text !== 'string' || !isNeeded(folder)) return [];
    const [, alias, wanted] = /^npm:((?:@[^/]+\/)?[^@/]+)(?:@(.*))?$/.exec(text) ?? [];
    const [name, spec] = alias === undefined ? [folder, text] : [alias, wanted ?? ''];
    return isPackageName(name) && !/[/:#]/.test(spec) ? [{ name, spec }] : [];
  });
}

function guessVersion(
  tags: Wishes['tags'],
  versions: Wishes['versions'],
  spec: string,
): string | undefined {
  if (Object.hasOwn(tags, spec)) return tags[spec];
  const { latest } = tags;
  if (latest !== undefined && satisfies(latest, spec, { loose: true })) return latest;
  return maxSatisfying([...versions.keys()], spec, { loose: true }) ?? undefined;
}
