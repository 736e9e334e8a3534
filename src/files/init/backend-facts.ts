import { posix } from 'node:path';
import satisfies from 'semver/functions/satisfies';
import minVersion from 'semver/ranges/min-version';
import validRange from 'semver/ranges/valid';
import { SettingError } from '../../errors';
import { isObject } from '../../json';
import { parsePackageName, scopeOf } from '../../settings/package-name';
import { parseRegistryUrl } from '../../settings/registry-url';
import { readPublisher } from '../../start/plan/publisher';
import { isPlainPath, type Repository, serviceName } from '../repository';
import { findBackend } from './find-backend';
import { readToolchain, type Toolchain } from './toolchain';

/** What the repository declares about its backend. */
export interface BackendFacts {
  package: string;
  scope: string | undefined;
  folder: string;
  /** Where `npm publish` runs: publishConfig.directory of the folder, or the folder. */
  publishFolder: string;
  /** The beginning of the services' names. */
  name: string;
  roles: string[];
  /** Role → cron expression. */
  schedules: Record<string, string>;
  requires: string[];
  migrates: boolean;
  /** What its package.json does not say and init would use; the example says it. */
  undeclared: { requires?: readonly string[]; migrate?: string };
  health: string;
  isNext: boolean;
  node: string;
  /** publishConfig.registry; undefined for GitHub Packages. */
  registry: string | undefined;
  /** Dependencies of the backend's own scope that the repository does not hold. */
  needsToken: boolean;
  toolchain: Toolchain;
}

/**
 * Reads the backend that `name` names, or the only one that there is. Facts only; nothing is chosen.
 * @throws SettingError INIT_NO_BACKEND, INIT_MANY_BACKENDS, INIT_PRIVATE, INIT_NO_REGISTRY,
 *   INIT_NAME_INVALID or PACKAGE_CONFIG_INVALID
 */
export function readBackend(repository: Repository, name: string | undefined): BackendFacts {
  const { folder, manifest, members } = findBackend(repository, name);
  const own = parsePackageName(
    String(manifest.name),
    `"name" in ${posix.join(folder, 'package.json')}`,
  );
  const scope = scopeOf(own);
  const publishConfig = isObject(manifest.publishConfig) ? manifest.publishConfig : {};
  const registry =
    typeof publishConfig.registry === 'string' &&
    !/^https:\/\/npm\.pkg\.github\.com\/?$/.test(publishConfig.registry)
      ? parseRegistryUrl(publishConfig.registry, 'publishConfig.registry')
      : undefined;
  if (!scope && !registry)
    throw new SettingError('INIT_NO_REGISTRY', `${own} does not say where it is published`, {
      fix: `rename it to @OWNER/${own} for GitHub Packages, or write "publishConfig": { "registry": "https://…" } in its package.json`,
    });
  const publishFolder =
    typeof publishConfig.directory === 'string'
      ? posix.join(folder, publishConfig.directory)
      : folder;
  // They stand in YAML and in commands.
  for (const text of [own, folder, publishFolder])
    if (!isPlainPath(text))
      throw new SettingError(
        'INIT_NAME_INVALID',
        `${JSON.stringify(text)} holds more than letters, digits, dots and dashes`,
        {
          fix: 'rename that package or folder',
        },
      );
  const { roles, requires, migrate } = readPublisher({ ...manifest, name: own });
  const { schedules, health } = readHosting(manifest, own, Object.keys(roles));
  const dependencies = tableOf(manifest.dependencies);
  const isNext = 'next' in dependencies;
  const engines = isObject(manifest.engines) ? manifest.engines.node : undefined;
  const unscoped = own.replace(/^@[^/]+\//, '');
  const owner = scope?.slice(1) ?? '';
  return {
    package: own,
    scope,
    folder,
    publishFolder,
    name: serviceName(unscoped.startsWith(owner) ? unscoped : `${owner}-${unscoped}`),
    roles: Object.keys(roles),
    schedules,
    requires: requires.filter(each => !given.test(each)),
    migrates: migrate !== undefined,
    undeclared: undeclaredOf(manifest),
    health: health ?? (isNext ? '/' : '/health'),
    isNext,
    node: pickNode(
      typeof engines === 'string' ? engines : undefined,
      repository.text('.node-version') ?? repository.text('.nvmrc'),
    ),
    registry,
    needsToken: Object.keys({ ...dependencies, ...tableOf(manifest.devDependencies) }).some(
      each => scope !== undefined && each.startsWith(`${scope}/`) && !members.includes(each),
    ),
    toolchain: readToolchain(repository, folder),
  };
}

/** The keys of `bootlace` that are missing, each with an example. */
function undeclaredOf({ bootlace, scripts }: Record<string, unknown>): BackendFacts['undeclared'] {
  const { requires, migrate, release } = tableOf(bootlace);
  const script = tableOf(scripts).migrate;
  const own = typeof script === 'string' ? script : undefined;
  const migrates = (migrate ?? release) !== undefined;
  return {
    ...(requires === undefined && { requires: ['DATABASE_URL', 'JWT_SECRET'] }),
    // Many backends have no database: one that lists its variables has said so.
    ...(!migrates && (own || requires === undefined) && { migrate: own ?? 'node dist/migrate.js' }),
  };
}

/** What Render or bootlace sets. */
const given = /^(PORT|NODE_ENV|NPM_TOKEN|RENDER(_\w+)?|BACKEND_\w+)$/;

/** `schedules` and `health` of the `bootlace` object, which only init reads. */
function readHosting(
  manifest: Record<string, unknown>,
  own: string,
  roles: readonly string[],
): { schedules: Record<string, string>; health: string | undefined } {
  const invalid = (what: string) =>
    new SettingError('PACKAGE_CONFIG_INVALID', `in ${own}'s package.json ${what}`, {
      fix: 'write for example "bootlace": { "roles": { "web": "dist/main.js", "nightly": "dist/nightly.js" }, "schedules": { "nightly": "0 3 * * *" }, "health": "/healthz" }',
    });
  const { schedules = {}, health } = isObject(manifest.bootlace) ? manifest.bootlace : {};
  if (!isObject(schedules)) throw invalid('"schedules" is no object');
  for (const [role, when] of Object.entries(schedules))
    if (!roles.includes(role) || !/^[\w*/,-]+( [\w*/,-]+){4}$/.test(String(when)))
      throw invalid(
        `the schedule ${JSON.stringify(role.slice(0, 40))} names no role, or no five fields of cron`,
      );
  if (health !== undefined && !/^\/[\w./-]*$/.test(String(health)))
    throw invalid('"health" is no path');
  return {
    schedules: { ...(schedules as Record<string, string>) },
    health: health === undefined ? undefined : String(health),
  };
}

function tableOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

/** The newest release of each supported line on 2026-11-28, the preferred line first. */
const newest = ['24.22.3', '26.12.1', '22.23.5', '20.20.2'];

/**
 * Chooses the exact Node of the hosts: a range would let a rebuild change it. Pure.
 * @param engines engines.node of the backend
 * @param pinned the text of .node-version or .nvmrc, which Render and setup-node read as well
 */
export function pickNode(engines: string | undefined, pinned: string | undefined): string {
  const range = validRange(engines ?? '*') ?? '*';
  const own = /^v?(\d+\.\d+\.\d+)$/.exec(pinned?.trim() ?? '')?.[1];
  if (own && satisfies(own, range)) return own;
  return (
    newest.find(version => satisfies(version, range)) ??
    minVersion(range)?.version ??
    (newest[0] as string)
  );
}
