import intersects from 'semver/ranges/intersects';
import validRange from 'semver/ranges/valid';
import { SettingError } from '../../errors';
import type { Io } from '../../io';
import { createRegistryClient } from '../../registry/client';
import { secretsOf } from '../../registry/config/config';
import { loadRegistryConfig } from '../../registry/config/load-config';
import { resolveVersion } from '../../registry/resolve';
import type { Secret } from '../../secret';
import { loadSources } from '../../settings/load';
import { readSettings } from '../../settings/settings';
import { parseVersionWish } from '../../settings/version-wish';
import { oneLine } from '../api/model';

interface ResolveContext {
  dir: string;
  flags: Readonly<Record<string, unknown>>;
  io: Pick<Io, 'env' | 'now' | 'sleep' | 'execPath' | 'nodeVersion'>;
  signal: AbortSignal;
  addSecret: (secret: Secret | undefined) => void;
  say: (sentence: string) => void;
  warn: (sentence: string) => void;
  waitForMs?: number;
}

export interface ResolvedWish {
  package: string;
  version: string;
  why: string;
  /** engines.node, where the package names it. */
  engines: string | undefined;
}

/**
 * Turns what the user wants into one exact version of the registry, with the user's token.
 * @param servicePackage the service's own BACKEND_PACKAGE, for when no setting here names one
 * @param ownWish a version, range or tag in place of the settings' wish
 * @throws SettingError, AuthError, NotFoundError, NetworkError as setup does
 */
export async function resolveWish(
  context: ResolveContext,
  servicePackage: string | undefined,
  ownWish?: string,
): Promise<ResolvedWish> {
  const { dir, flags, io, signal } = context;
  const sources = loadSources(dir, flags, io.env);
  const isNamed =
    flags.package !== undefined ||
    io.env.BACKEND_PACKAGE ||
    sources.dotenv.BACKEND_PACKAGE ||
    sources.config.values.package;
  const settings = readSettings(
    isNamed || servicePackage === undefined
      ? sources
      : { ...sources, flags: { ...flags, package: servicePackage } },
  );
  const config = loadRegistryConfig(settings, sources, dir, io);
  for (const secret of secretsOf(settings, config)) context.addSecret(secret);
  for (const warning of config.warnings) context.warn(warning);
  if (config.tokenMissing) throw config.tokenMissing;
  const client = createRegistryClient({ io, config, signal, onRetry: context.say });
  const wish =
    ownWish === undefined ? settings.version.value : parseVersionWish(ownWish, 'BACKEND_VERSION');
  const { manifest, why } = await resolveVersion({
    io,
    package: settings.package.value,
    wish,
    config,
    client,
    // The Node that matters is the service's; see checkServiceNode.
    ignoreEngines: true,
    waitForMs: context.waitForMs,
    signal,
    onWait: context.say,
  });
  const engines = manifest.engines?.node;
  return {
    package: manifest.name,
    version: manifest.version,
    why,
    engines: typeof engines === 'string' ? engines : undefined,
  };
}

/**
 * Checks engines.node against the Node of a service.
 * @param nodeVersion the service's NODE_VERSION, which is a version or a range
 * @throws SettingError ENGINE_MISMATCH
 */
export function checkServiceNode(
  { package: name, version, engines }: ResolvedWish,
  nodeVersion: string | undefined,
  service: string,
): void {
  const wanted = engines && validRange(engines);
  const has = nodeVersion && validRange(nodeVersion.trim().replace(/^v/, ''));
  if (!wanted || !has || intersects(has, wanted, { includePrerelease: true })) return;
  throw new SettingError(
    'ENGINE_MISMATCH',
    `${name}@${version} needs Node ${engines}, ${service} runs NODE_VERSION=${oneLine(nodeVersion)}`,
    {
      fix: `set NODE_VERSION of ${service} to a Node that fits, or choose another version`,
      facts: { package: name, version, wanted: engines, node: nodeVersion },
    },
  );
}
