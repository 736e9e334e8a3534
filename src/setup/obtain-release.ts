import { openUnpacker, type Unpacker } from '../install/unpacker';
import { createRegistryClient } from '../registry/client';
import type { Locator } from '../registry/pick';
import { resolveVersion } from '../registry/resolve';
import { createTransport, type Transport } from '../registry/transport';
import { layoutOf } from '../release/layout';
import type { VersionChoice } from '../release/receipt';
import { isSameInstall, listReleases, type Release } from '../release/store';
import { wishText } from '../settings/version-wish';
import { installRelease } from './install-release';
import { type ApplyOptions, findInstalled, type SetupPlan } from './plan';

/** The release to activate. */
export interface ChosenRelease {
  release: Release;
  wanted: VersionChoice;
  /** True when it was on disk already. */
  reused: boolean;
}

/**
 * Resolves the version and gives its release: one that is on disk, or a new install.
 * @param damaged a release that is not used, and that the new one replaces
 * @throws whatever fails; nothing new is then visible
 */
export async function obtainRelease(
  plan: SetupPlan,
  options: ApplyOptions,
  damaged?: Release,
): Promise<ChosenRelease> {
  if (plan.config.tokenMissing && !plan.from) throw plan.config.tokenMissing;
  // Every new connection costs two ways to the registry and a handshake: the same for all of it.
  const transport = createTransport(plan.config.network);
  // npm unpacks in its own process.
  let unpacker = plan.settings.installer.value === 'npm' ? undefined : options.unpacker;
  const unpackerOf = () => {
    if (plan.settings.installer.value !== 'npm') unpacker ??= openUnpacker();
    return unpacker;
  };
  try {
    return await obtainOver(transport, unpackerOf, plan, options, damaged);
  } finally {
    transport.close();
    await unpacker?.close();
  }
}

async function obtainOver(
  transport: Transport,
  unpackerOf: () => Unpacker | undefined,
  plan: SetupPlan,
  options: ApplyOptions,
  damaged: Release | undefined,
): Promise<ChosenRelease> {
  const locator = plan.from === undefined ? await resolve(plan, options, transport) : undefined;
  if (locator?.manifest.deprecated)
    options.warn(
      `${locator.name}@${locator.version} is deprecated: ${locator.manifest.deprecated}`,
    );
  const { value, from } = plan.settings.version;
  const wanted: VersionChoice = plan.from
    ? { text: plan.from, from: '--from', why: 'a local build' }
    : { text: wishText(value), from, why: locator?.why ?? '' };
  const others = listReleases(layoutOf(options.dir)).filter(
    release => !isSameInstall(release, damaged),
  );
  const present = locator && findInstalled(locator, plan, others);
  if (present) return { release: present, wanted, reused: true };
  const release = await installRelease(plan, locator, options, transport, unpackerOf(), damaged);
  return { release, wanted, reused: false };
}

function resolve(plan: SetupPlan, options: ApplyOptions, transport: Transport): Promise<Locator> {
  const { config, settings } = plan;
  options.progress(`asking ${config.registry.value} for ${settings.package.value}`);
  const client = createRegistryClient({
    io: options.io,
    config,
    transport,
    ...(options.failFast && { deadlineMs: 0, tryMs: 5000 }),
    signal: options.signal,
    onRetry: options.warn,
  });
  return resolveVersion({
    io: options.io,
    package: settings.package.value,
    wish: settings.version.value,
    from: settings.version.from,
    config,
    client,
    ignoreEngines: options.ignoreEngines,
    waitForMs: options.waitForMs,
    signal: options.signal,
    onWait: options.progress,
  });
}
