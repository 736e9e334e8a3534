import { relative } from 'node:path';
import type { Context } from '../context';
import { BootlaceError } from '../errors';
import { layoutOf } from '../release/layout';
import { listReleases, type Release } from '../release/store';
import type { Setting } from '../settings/settings';
import { wishText } from '../settings/version-wish';
import { chooseEntry } from '../start/plan/entry';
import { table } from '../ui/text';
import { resolveWish } from './obtain-release';
import { findInstalled, planStart, type SetupPlan } from './plan';

/**
 * The plan as --dry-run shows it: every value, its source, and the rule that chose registry,
 * version and entry. Asks the registry which version it would be, and changes nothing.
 * @throws the failures that setup would meet up to the download
 */
export async function describePlan(
  plan: SetupPlan,
  context: Context,
): Promise<{ lines: string[]; json: Record<string, unknown> }> {
  const { settings, config } = plan;
  const { version, args, scripts } = settings;
  const shown: Record<string, Setting<unknown> | undefined> = {
    // A local build names itself.
    package:
      plan.from && !plan.typed.includes('--package')
        ? { ...settings.package, from: '--from' }
        : settings.package,
    version: { value: wishText(version.value), from: version.from },
    registry: config.registry,
    token: {
      value: config.tokenFrom ? 'set' : 'none',
      from: config.tokenFrom ?? 'not needed so far',
    },
    entry: settings.entry,
    args: args && { value: args.value.join(' '), from: args.from },
    memory: settings.memory,
    scripts: { value: scripts.value.join(' ') || 'none run', from: scripts.from },
    installer: settings.installer,
    slim: settings.slim,
    lock: plan.lock && { value: plan.lock.path, from: '--lock' },
  };
  const rows = Object.entries(shown).map(([name, setting]) => {
    const byRule = name === 'lock' ? "the package's own, or one kept" : 'by the rule';
    return { name, ...(setting ?? { value: byRule, from: 'default' }) };
  });
  const { present, ...chosen } = await choose(plan, context);
  const files = plan.changes.map(({ path }) => path);
  const names = files.map(path => relative(context.dir, path));
  return {
    lines: [
      ...table([
        ['setting', 'value', 'from'],
        ...rows.map(({ name, value, from }) => [name, String(value), from]),
      ]),
      '',
      `would use ${settings.package.value} ${chosen.version} (${chosen.why})`,
      `would start ${chosen.entry}`,
      present
        ? `would install nothing: already on disk, ${present}`
        : 'would install it below .bootlace/releases',
      files.length
        ? `would write ${names.join(', ')}`
        : 'would leave .npmrc and the server file as they are',
    ],
    json: {
      dryRun: true,
      settings: Object.fromEntries(rows.map(({ name, ...setting }) => [name, setting])),
      ...chosen,
      reuse: present,
      writes: files,
      warnings: config.warnings,
    },
  };
}

/** How a release on disk would start; setup installs a damaged one again. */
function entryOnDisk(plan: SetupPlan, { folder }: Release): string {
  try {
    const { entry } = planStart(plan, folder);
    return `${entry.file} (${entry.why})`;
  } catch (error) {
    if (!(error instanceof BootlaceError) || error.code !== 'RELEASE_BROKEN') throw error;
    return 'what its files show; they are damaged, so it would be installed again';
  }
}

async function choose(
  plan: SetupPlan,
  context: Context,
): Promise<{ version: string; why: string; entry: string; present?: string }> {
  const { settings, config, reuse } = plan;
  if (plan.from)
    return { version: plan.from, why: 'a local build', entry: 'what its package.json says' };
  if (reuse) {
    const { version } = reuse.receipt;
    return { version, why: 'pinned', entry: entryOnDisk(plan, reuse), present: reuse.name };
  }
  if (config.tokenMissing) throw config.tokenMissing;
  const locator = await resolveWish({ ...plan, waitForMs: undefined }, context, { full: true });
  const { manifest, version, why } = locator;
  const present = findInstalled(locator, plan, listReleases(layoutOf(context.dir)));
  if (present) return { version, why, entry: entryOnDisk(plan, present), present: present.name };
  // The files are not known before the download, so package.json is taken at its word.
  const choice = chooseEntry(manifest, settings.entry?.value, path =>
    /^(index|server)\.js$/.test(path) ? undefined : path,
  );
  const entry =
    'entry' in choice ? `${choice.entry.file} (${choice.entry.why})` : 'what its files show';
  return { version, why, entry };
}
