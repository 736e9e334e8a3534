import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { SettingError } from '../errors';
import { checkLock, writeLock } from '../publish/lock';
import { dependencyBins } from '../publish/preflight/dependencies';
import { findPublishable, type Publishable } from '../publish/publishable';
import { readOwnLock } from '../publish/seed';
import { foldersAbove } from '../publish/workspace';
import { type RegistryConfig, secretsOf } from '../registry/config/config';
import { loadRegistryConfig } from '../registry/config/load-config';
import { sayUnknownKeys } from '../settings/config-file';
import { definitions } from '../settings/definitions';
import { loadSources } from '../settings/load';
import { readSettings } from '../settings/settings';
import { shellWord } from '../settings/words';
import { publisherProblems } from '../start/plan/named-command';
import { findIn } from '../start/plan/package-files';
import { count } from '../ui/text';
import type { Command, Context } from './command';

export const command: Command = {
  usage: 'bootlace lock [DIR] [--check] [--fresh]',
  help: [
    ['DIR', "the backend package's folder"],
    ['--check', 'say whether the lock still fits package.json; write nothing'],
    ['--fresh', 'choose every version again, whatever was locked before'],
  ],
  options: {
    check: { type: 'boolean' },
    fresh: { type: 'boolean' },
    registry: { type: 'string' },
    'insecure-registry': { type: 'boolean' },
    'token-env': { type: 'string' },
  },
  positionals: 1,
  async run(context) {
    const { dir, positionals, flags, report } = context;
    const folder = resolve(dir, positionals[0] ?? '.');
    const publishable = findPublishable(folder, 'lock');
    // What the host would refuse of a `bootlace` object; the files may not be built yet.
    const [problem] = publisherProblems(
      publishable.manifest,
      path => path,
      () => true,
    );
    if (problem) throw problem;
    const unknown = sayUnknownKeys(publishable.manifest.bootlace, publishable.manifest.name);
    if (unknown) report.warn(unknown);
    const { io, redactor, signal } = context;
    const run = {
      io,
      config: readConfig(publishable, context),
      redact: redactor.redact,
      signal,
    };
    if (flags.check) return check(publishable, folder, context, run);
    const result = await writeLock(publishable, {
      ...run,
      fresh: flags.fresh === true,
      warn: report.warn,
    });
    report.line(`${result.file}: ${count(result.packages, 'package')}`);
    report.line(result.seed ? `versions kept from ${result.seed}` : 'every version was chosen now');
    for (const file of result.changed) report.line(`wrote ${file}`);
    if (result.changed.length === 0) report.line('nothing changed');
    if (flags.json) report.json({ ok: true, ...result, warnings: report.warnings });
    return 0;
  },
};

async function check(
  publishable: Publishable,
  folder: string,
  { report, flags, io }: Context,
  run: Parameters<typeof checkLock>[1],
): Promise<number> {
  const problems = await checkLock(publishable, run);
  const { target, manifest } = publishable;
  const lock = readOwnLock(target, manifest.name);
  const hasBin = dependencyBins(manifest, typeof lock === 'string' ? undefined : lock);
  const [missing] = publisherProblems(manifest, findIn(target), hasBin);
  if (problems.length === 0 && missing) throw missing;
  if (problems.length === 0) {
    report.line('the lock fits package.json');
    if (flags.json) report.json({ ok: true, problems, warnings: report.warnings });
    return 0;
  }
  const named = relative(io.cwd, folder);
  throw new SettingError(
    'LOCK_STALE',
    `the lock does not fit package.json: ${problems.slice(0, 20).join('; ')}`,
    { fix: `run: npx bootlace lock${named && ` ${shellWord(named)}`}`, facts: { problems } },
  );
}

/** Registries and credentials of the publisher; what a host would set about versions is no matter. */
export function readConfig(
  { folder, manifest }: { folder: string; manifest: { name: string } },
  { flags, io, redactor }: Context,
): RegistryConfig {
  const at = npmrcFolder(folder);
  const sources = loadSources(at, {}, io.env);
  const named = [definitions.registry, definitions.tokenEnv].map(({ env }) => env as string);
  const only = (values: Readonly<Record<string, string | undefined>>) =>
    Object.fromEntries(
      Object.entries(values).filter(
        ([name]) => !name.startsWith('BACKEND_') || named.includes(name),
      ),
    );
  const settings = readSettings({
    flags: { ...flags, package: manifest.name },
    env: only(io.env),
    dotenv: only(sources.dotenv) as Record<string, string>,
    config: { values: {}, file: 'package.json' },
  });
  redactor.add(settings.token?.value);
  const config = loadRegistryConfig(settings, sources, at, io);
  for (const secret of secretsOf(settings, config)) redactor.add(secret);
  return config;
}

/** In a monorepo .npmrc lies at the workspace's top. */
function npmrcFolder(folder: string): string {
  const around = [folder, ...foldersAbove(folder)];
  return around.find(at => existsSync(join(at, '.npmrc'))) ?? folder;
}
