import { posix } from 'node:path';
import { NotFoundError, SettingError } from '../../errors';
import { likelyBackends } from '../../publish/startable';
import type { Repository } from '../repository';

interface Found {
  folder: string;
  manifest: Record<string, unknown>;
}

/** Finds the packages of a repository, and those of them that can be the backend. */
export function findBackends(repository: Repository): {
  packages: ReadonlyMap<string, Found>;
  candidates: Found[];
} {
  // A package.json in a build's output has the name of the one above it, which counts.
  const packages = new Map<string, Found>();
  for (const folder of repository.folders(3)) {
    const manifest = repository.manifest(posix.join(folder, 'package.json'));
    const own = manifest?.name;
    if (manifest && typeof own === 'string' && !packages.has(own))
      packages.set(own, { folder, manifest });
  }
  return { packages, candidates: likelyBackends([...packages.values()]) };
}

/**
 * Finds the backend package: the named one, or the only publishable package that has something to
 * start.
 * @returns with the names of all packages of the repository
 * @throws NotFoundError INIT_NO_BACKEND; SettingError INIT_MANY_BACKENDS or INIT_PRIVATE
 */
export function findBackend(
  repository: Repository,
  name: string | undefined,
): Found & { members: string[] } {
  const { packages, candidates } = findBackends(repository);
  const members = [...packages.keys()];
  if (members.length === 0)
    throw new NotFoundError('INIT_NO_BACKEND', 'there is no package.json with a name here', {
      fix: 'run it at the top of the repository that holds the backend, or choose --recipe python or --recipe docker',
    });
  const named = name === undefined ? undefined : packages.get(name);
  if (name !== undefined && !named)
    throw new NotFoundError('INIT_NO_BACKEND', `no package.json of this repository names ${name}`, {
      fix: `pass --package with one of: ${members.join(', ')}`,
    });
  if (named?.manifest.private === true)
    throw new SettingError(
      'INIT_PRIVATE',
      `${name} is private, so that npm refuses to publish it`,
      {
        fix: 'remove "private" from its package.json, or name another package: npx bootlace init --package NAME',
      },
    );
  if (named) return { ...named, members };
  const [first] = candidates;
  if (!first)
    throw new NotFoundError(
      'INIT_NO_BACKEND',
      'no package of this repository can be published and started',
      {
        fix: 'remove "private" from the package.json of the backend and give it "scripts": { "start": "node dist/main.js" }, or choose --recipe python or --recipe docker',
      },
    );
  if (candidates.length === 1) return { ...first, members };
  const names = candidates.map(({ manifest }) => String(manifest.name));
  throw new SettingError(
    'INIT_MANY_BACKENDS',
    `several packages can be started: ${names.join(', ')}`,
    {
      fix: `name the backend: npx bootlace init --package ${names[0]}`,
      facts: { packages: names },
    },
  );
}
