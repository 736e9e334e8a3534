import { relative } from 'node:path';
import { BootlaceError } from '../errors';
import type { Io } from '../io';
import { createRegistryClient } from '../registry/client';
import { resolveVersion } from '../registry/resolve';
import { layoutOf } from '../release/layout';
import { listReleases, type Release } from '../release/store';
import type { Setting } from '../settings/settings';
import { wishText } from '../settings/version-wish';
import { chooseEntry } from '../start/plan/entry';
import { table } from '../ui/text';
import { findInstalled, planStart, type SetupPlan } from './plan';

export interface Description {
  lines: string[];
  json: Record<string, unknown>;
}

interface DescribeContext {
  io: Io;
  signal?: AbortSignal;
  dir: string;
  flags: Readonly<Record<string, unknown>>;
}

interface Row {
  name: string;
  value: unknown;
  from: string;
}

/**
 * The plan as --dry-run shows it: every value, its source, and the rule that chose registry,
 * version and entry. Asks the registry which version it would be, and changes nothing.
 * @throws the failures that setup would meet up to the download
 */
export async function describePlan(
  plan: SetupPlan,
  context: DescribeContext,
): Promise<Description> {
  const { settings, config } = plan;
  const rows: Row[] = [
    // A local build names itself.
    row('package', {
      ...settings.package,
      ...(plan.from && !plan.typed.includes('--package') && { from: '--from' }),
    }),
    { name: 'version', value: wishText(settings.version.value), from: settings.version.from },
    row('registry', config.registry),
    {
      name: 'token',
      value: config.tokenFrom ? 'set' : 'none',
      from: config.tokenFrom ?? 'not needed so far',
    },
    row('entry', settings.entry),
    row('args', settings.args && { ...settings.args, value: settings.args.value.join(' ') }),
    row('memory', settings.memory),
    {
      name: 'scripts',
      value: settings.scripts.value.join(' ') || 'none run',
      from: settings.scripts.from,
    },
    row('installer', settings.installer),
    row('slim', settings.slim),
    {
      name: 'lock',
      value: plan.lock?.path ?? "the package's own, or one kept",
      from: plan.lock ? '--lock' : 'default',
    },
  ];
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
      settings: Object.fromEntries(rows.map(({ name, value, from }) => [name, { value, from }])),
      ...chosen,
      reuse: present,
      writes: files,
      warnings: config.warnings,
    },
  };
}

function row(name: string, setting: Setting<unknown> | undefined): Row {
  return { name, value: setting?.value ?? 'by the rule', from: setting?.from ?? 'default' };
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
  { dir, io, signal, flags }: DescribeContext,
): Promise<{ version: string; why: string; entry: string; present?: string }> {
  const { settings, config, reuse } = plan;
  if (plan.from)
    return { version: plan.from, why: 'a local build', entry: 'what its package.json says' };
  if (reuse) {
    const { version } = reuse.receipt;
    return { version, why: 'pinned', entry: entryOnDisk(plan, reuse), present: reuse.name };
  }
  if (config.tokenMissing) throw config.tokenMissing;
  const client = createRegistryClient({ io, config, signal });
  const locator = await resolveVersion({
    io,
    package: settings.package.value,
    wish: settings.version.value,
    from: settings.version.from,
    config,
    client,
    full: true,
    ignoreEngines: flags['ignore-engines'] === true,
    signal,
  });
  const { manifest, version, why } = locator;
  const present = findInstalled(locator, plan, listReleases(layoutOf(dir)));
  if (present) return { version, why, entry: entryOnDisk(plan, present), present: present.name };
  // The files are not known before the download, so package.json is taken at its word.
  const choice = chooseEntry(manifest, settings.entry?.value, path =>
    /^(index|server)\.js$/.test(path) ? undefined : path,
  );
  const entry =
    'entry' in choice ? `${choice.entry.file} (${choice.entry.why})` : 'what its files show';
  return { version, why, entry };
}
