import type { Context } from '../context';
import { createRegistryClient } from '../registry/client';
import type { Locator } from '../registry/pick';
import { resolveVersion } from '../registry/resolve';
import { createTransport, type Transport } from '../registry/transport';
import { layoutOf } from '../release/layout';
import type { VersionChoice } from '../release/receipt';
import { isSameInstall, listReleases, type Release } from '../release/store';
import { wishText } from '../settings/version-wish';
import { installRelease } from './install-release';
import { findInstalled, type SetupPlan } from './plan';

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
  context: Context,
  damaged?: Release,
): Promise<ChosenRelease> {
  const { config, from, settings } = plan;
  if (config.tokenMissing && !from) throw config.tokenMissing;
  // Every new connection costs two ways to the registry and a handshake: the same for all of it.
  const transport = createTransport(config.network);
  try {
    let locator: Locator | undefined;
    if (!from) {
      context.report.progress(`asking ${config.registry.value} for ${settings.package.value}`);
      locator = await resolveWish(plan, context, { transport });
    }
    if (locator?.manifest.deprecated)
      context.report.warn(
        `${locator.name}@${locator.version} is deprecated: ${locator.manifest.deprecated}`,
      );
    const { value, from: wishFrom } = settings.version;
    const wanted: VersionChoice = from
      ? { text: from, from: '--from', why: 'a local build' }
      : { text: wishText(value), from: wishFrom, why: locator?.why ?? '' };
    const others = listReleases(layoutOf(context.dir)).filter(
      release => !isSameInstall(release, damaged),
    );
    const present = locator && findInstalled(locator, plan, others);
    if (present) return { release: present, wanted, reused: true };
    const release = await installRelease(plan, locator, context, transport, damaged);
    return { release, wanted, reused: false };
  } finally {
    transport.close();
  }
}

/** Asks the registry which version the plan means. @param full the whole document, with exports */
export function resolveWish(
  { config, settings, failFast, ignoreEngines, waitForMs }: SetupPlan,
  { io, report, signal }: Pick<Context, 'io' | 'report' | 'signal'>,
  { transport, full }: { transport?: Transport; full?: boolean },
): Promise<Locator> {
  const client = createRegistryClient({
    io,
    config,
    transport,
    ...(failFast && { deadlineMs: 0, tryMs: 5000 }),
    signal,
    onRetry: report.warn,
  });
  return resolveVersion({
    io,
    package: settings.package.value,
    wish: settings.version.value,
    from: settings.version.from,
    config,
    client,
    full,
    ignoreEngines,
    waitForMs,
    signal,
    onWait: report.progress,
  });
}
