import { createRegistryClient } from '../../registry/client';
import { secretsOf } from '../../registry/config/config';
import { loadRegistryConfig } from '../../registry/config/load-config';
import { resolveVersion } from '../../registry/resolve';
import { onceEach, type ResolvedWish, type Session } from '../../render/session';
import { loadSources } from '../../settings/load';
import { collectSettings, readSettings } from '../../settings/settings';
import { parseVersionWish } from '../../settings/version-wish';
import type { Context } from '../command';
import { minutes } from './flags';

/**
 * Turns what the user wants into one exact version of the registry, with the user's token; once for
 * each package and wish.
 * @throws SettingError, AuthError, NotFoundError, NetworkError as setup does
 */
export function resolver(context: Context): Session['resolve'] {
  const known = new Map<string, Promise<ResolvedWish>>();
  return (servicePackage, ownWish) => {
    const key = `${servicePackage ?? ''} ${ownWish ?? ''}`;
    const resolved = known.get(key) ?? resolve(context, servicePackage, ownWish);
    known.set(key, resolved);
    return resolved;
  };
}

async function resolve(
  { dir, flags, io, signal, report, redactor }: Context,
  servicePackage: string | undefined,
  ownWish: string | undefined,
): Promise<ResolvedWish> {
  const say = onceEach(sentence => report.progress(sentence));
  const sources = loadSources(dir, flags, io.env);
  const settings = readSettings(
    collectSettings(sources).package || servicePackage === undefined
      ? sources
      : { ...sources, flags: { ...flags, package: servicePackage } },
  );
  const config = loadRegistryConfig(settings, sources, dir, io);
  for (const secret of secretsOf(settings, config)) redactor.add(secret);
  for (const warning of config.warnings) report.warn(warning);
  if (config.tokenMissing) throw config.tokenMissing;
  const { value: wish, from } =
    ownWish === undefined
      ? settings.version
      : { value: parseVersionWish(ownWish, 'BACKEND_VERSION'), from: 'BACKEND_VERSION' };
  const { manifest } = await resolveVersion({
    io,
    package: settings.package.value,
    wish,
    from,
    config,
    client: createRegistryClient({ io, config, signal, onRetry: say }),
    // The Node that matters is the service's; a deploy checks that one.
    ignoreEngines: true,
    waitForMs: minutes(flags, 'wait-for'),
    signal,
    onWait: say,
  });
  const engines = manifest.engines?.node;
  return {
    package: manifest.name,
    version: manifest.version,
    engines: typeof engines === 'string' ? engines : undefined,
  };
}
