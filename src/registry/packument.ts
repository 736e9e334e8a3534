import clean from 'semver/functions/clean';
import validVersion from 'semver/functions/valid';
import { NetworkError } from '../errors';
import { isObject } from '../json';

/** One version as the registry describes it; only what bootlace reads. */
export interface Manifest {
  name: string;
  version: string;
  dist: { tarball: string; integrity?: string; shasum?: string };
  deprecated?: string;
  engines?: { node?: string };
  bin?: string | Record<string, string>;
  main?: string;
  exports?: unknown;
  scripts?: Record<string, string>;
  type?: string;
}

/** A package's document. `versions` are checked one by one, when they are picked. */
export interface Packument {
  name: string;
  versions: Record<string, Manifest>;
  'dist-tags': Record<string, string>;
  /** When each version was published; a whole document has it on most registries. */
  time?: Record<string, string>;
}

/**
 * Checks a registry's answer at the door.
 * @throws NetworkError REGISTRY_BAD_ANSWER when it is not a packument of that package
 */
export function parsePackument(value: unknown, name: string, registry: string): Packument {
  if (!isObject(value) || !isObject(value.versions))
    throw badAnswer(
      `${registry} answered for ${name} with something that is no packument`,
      registry,
    );
  if (value.name !== undefined && value.name !== name)
    throw badAnswer(`${registry} answered for ${name} with another package`, registry);
  const tags: Record<string, string> = Object.create(null);
  if (isObject(value['dist-tags']))
    for (const [tag, version] of Object.entries(value['dist-tags']))
      if (typeof version === 'string') tags[tag] = version;
  const versions: Record<string, Manifest> = Object.create(null);
  for (const [version, manifest] of Object.entries(value.versions))
    if (isObject(manifest)) versions[version] = manifest as unknown as Manifest;
  return {
    name,
    versions,
    'dist-tags': tags,
    ...(isObject(value.time) && { time: value.time as Record<string, string> }),
  };
}

/**
 * Checks one version of a packument.
 * @throws NetworkError REGISTRY_BAD_ANSWER when it names no tarball or no checksum
 */
export function parseManifest(
  value: unknown,
  name: string,
  version: string,
  registry: string,
): Manifest {
  const dist = isObject(value) ? value.dist : undefined;
  if (!isObject(value) || !isObject(dist) || typeof dist.tarball !== 'string')
    throw badAnswer(`${registry} names no tarball for ${name}@${version}`, registry);
  if (value.name !== name || cleanVersion(value.version) !== cleanVersion(version))
    throw badAnswer(`${registry} describes ${name}@${version} as another package`, registry);
  // It becomes the name of a folder.
  if (validVersion(version)?.split('+')[0] !== version.split('+')[0] || !/^[\w.+-]+$/.test(version))
    throw badAnswer(`${registry} has a version of ${name} that is no version`, registry);
  if (!/^https?:\/\//i.test(dist.tarball) || !URL.canParse(dist.tarball))
    throw badAnswer(`the tarball of ${name}@${version} has no http address`, registry);
  if (typeof dist.integrity !== 'string' && typeof dist.shasum !== 'string')
    throw badAnswer(`${registry} gives no checksum for ${name}@${version}`, registry);
  return value as unknown as Manifest;
}

/** A version as npm publish cleans it for a registry: `v1.4.2+build` is 1.4.2. */
export function cleanVersion(version: unknown): string {
  return clean(String(version), { loose: true }) ?? String(version);
}

/** The checksum of a manifest's tarball as a Subresource Integrity text. */
export function integrityOf({ dist }: Manifest): string {
  return dist.integrity ?? `sha1-${Buffer.from(dist.shasum ?? '', 'hex').toString('base64')}`;
}

function badAnswer(message: string, registry: string): NetworkError {
  return new NetworkError('REGISTRY_BAD_ANSWER', message, {
    fix: 'check BACKEND_REGISTRY: is it the address of an npm registry?',
    facts: { registry },
  });
}
