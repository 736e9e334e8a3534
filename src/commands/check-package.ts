import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { BootlaceError, IntegrityError, NotFoundError, SettingError, UsageError } from '../errors';
import { fetchTarball } from '../install/fetch-tarball';
import type { Tarball } from '../install/tarball';
import { placeInManifest } from '../publish/manifest-text';
import { readPackedPackage } from '../publish/preflight/packed-package';
import { preflight, type Surroundings } from '../publish/preflight/preflight';
import type { Problem } from '../publish/preflight/problem';
import { findPublishable } from '../publish/publishable';
import { findSeed } from '../publish/seed';
import { createRegistryClient } from '../registry/client';
import type { RegistryConfig } from '../registry/config/config';
import { resolveVersion } from '../registry/resolve';
import { createTransport } from '../registry/transport';
import { parsePackageName } from '../settings/package-name';
import { parseVersionWish } from '../settings/version-wish';
import { packLocal } from '../setup/local-tarball';
import { findIn } from '../start/plan/package-files';
import type { Finding } from '../ui/findings';
import { bootPackage } from './check-boot';
import type { Command, Context } from './command';
import { readConfig } from './lock';

export const packageOptions: Command['options'] = {
  boot: { type: 'boolean' },
  health: { type: 'string' },
  registry: { type: 'string' },
  'token-env': { type: 'string' },
};

export const packageHelp: Command['help'] = [
  ['TGZ|SPEC', 'a tarball, or a published package such as @acme/backend@1.4.2'],
  ['--boot', 'install it into an empty folder, start every server of it, and stop it'],
  ['--health PATH', 'what --boot asks for; an answer below 500 will do (/)'],
];

/** A package to check, as a tarball, and what its findings need. */
interface Source {
  tarball: Tarball;
  label: string;
  config: RegistryConfig;
  around?: Omit<Surroundings, 'nodeVersion'>;
  /** Where in the repository a problem is; by default in a file of what was named. */
  place?: (problem: Problem) => Pick<Finding, 'file' | 'line' | 'column'>;
}

/**
 * Would this package launch? Reads a folder as npm packs it, a tarball, or a version of a registry.
 * @param spec as it was typed; undefined for the working folder
 * @returns what is wrong with the package, errors first
 * @throws when there is no package to check, or it cannot be fetched or, with --boot, installed
 */
export async function checkPackage(
  spec: string | undefined,
  context: Context,
): Promise<readonly Finding[]> {
  const { flags, io, report } = context;
  const health = healthPath(flags);
  const work = mkdtempSync(join(tmpdir(), 'bootlace-check-'));
  const remove = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const source = await readSource(spec ?? '.', { ...context, work });
    const pkg = await readPackedPackage(source.tarball, source.label);
    const problems = preflight(pkg, { ...source.around, nodeVersion: io.nodeVersion });
    if (health !== undefined && problems.some(({ severity }) => severity === 'error'))
      report.warn('not started: correct the errors first');
    else if (health !== undefined) {
      const file = 'file' in source.tarball ? source.tarball.file : join(work, 'backend.tgz');
      if ('data' in source.tarball) writeFileSync(file, source.tarball.data);
      const { name } = pkg.manifest;
      problems.push(...(await bootPackage({ file, name, health, ...source, work }, context)));
    }
    remove();
    const { label, place = ({ file }: Problem) => ({ file: `${label}/${file}` }) } = source;
    return problems.map(problem => ({ ...problem, ...place(problem) }));
  } catch (error) {
    removeButLog(error, remove);
    throw error;
  } finally {
    process.removeListener('exit', remove);
  }
}

/** The log that a failure of npm names is the only file that stays. */
function removeButLog(error: unknown, remove: () => void): void {
  const log = error instanceof BootlaceError ? error.facts.log : undefined;
  const text = typeof log === 'string' && existsSync(log) ? readFileSync(log) : undefined;
  remove();
  if (typeof log !== 'string' || text === undefined) return;
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, text);
}

/** @returns the path to ask for; undefined without --boot */
function healthPath({ boot, health }: Context['flags']): string | undefined {
  if (!boot && health !== undefined)
    throw new UsageError('FLAG_INVALID', '--health belongs to --boot', { fix: 'add --boot' });
  const path = String(health ?? '/');
  if (!/^\/[!-~]*$/.test(path))
    throw new UsageError('FLAG_INVALID', `--health ${JSON.stringify(path)} is no path`, {
      fix: 'write a path such as --health /health',
    });
  return boot ? path : undefined;
}

interface Work extends Context {
  /** A folder that is removed in the end. */
  work: string;
}

async function readSource(spec: string, context: Work): Promise<Source> {
  const path = resolve(context.dir, spec);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return readFolder(path, context);
  if (stat) return readTgz(path, spec, context);
  if (/^[./~]|^[a-z]:\\|\.(tgz|tar\.gz)$/i.test(spec) || /^[^@][^@]*\//.test(spec))
    throw new NotFoundError('CHECK_NOT_FOUND', `there is no ${spec} in ${context.dir}`, {
      fix: "name the backend's folder, the .tgz that npm pack made, or a published version such as @acme/backend@1.4.2",
    });
  return fetchSpec(spec, context);
}

async function readFolder(folder: string, context: Work): Promise<Source> {
  const { io, work, redactor, signal } = context;
  const log = join(work, 'npm.log');
  const { target, manifest, text, workspace } = findPublishable(folder, 'check');
  const config = readConfig({ folder, manifest }, context);
  if (manifest.version === undefined)
    throw new SettingError('VERSION_MISSING', `${join(target, 'package.json')} has no version`, {
      fix: 'write one first, for npm packs nothing without: npm version --no-git-tag-version 0.0.0',
    });
  const file = await packLocal(target, {
    io,
    config,
    cwd: work,
    work,
    log,
    redact: redactor.redact,
    signal,
  });
  const find = findIn(target);
  return {
    tarball: { file, isKept: true },
    label: manifest.name,
    config,
    around: {
      isOnDisk: path => find(path) !== undefined,
      workspace,
      folder: relative(io.cwd, folder),
      otherLock: findSeed(folder, target, manifest.name)?.lock,
    },
    place: ({ file, path }) => ({
      file: relative(io.cwd, join(target, file)),
      ...(file === 'package.json' && placeInManifest(text, path)),
    }),
  };
}

async function readTgz(file: string, spec: string, context: Work): Promise<Source> {
  const tarball: Tarball = { file, isKept: true };
  let name: string;
  try {
    name = (await readPackedPackage(tarball, spec)).manifest.name;
  } catch (error) {
    if (!(error instanceof IntegrityError && error.code === 'TARBALL_INVALID')) throw error;
    throw new SettingError('CHECK_INVALID', `${spec} is no package's tarball`, {
      fix: "name the .tgz that npm pack made, or the backend's folder",
      cause: error,
    });
  }
  parsePackageName(name, `"name" in package.json of ${spec}`);
  const config = readConfig({ folder: context.dir, manifest: { name } }, context);
  return { tarball, label: spec, config };
}

async function fetchSpec(spec: string, context: Work): Promise<Source> {
  const { dir, io, report, signal, work } = context;
  const at = spec.lastIndexOf('@');
  const name = parsePackageName(at > 0 ? spec.slice(0, at) : spec, 'SPEC');
  const wish = parseVersionWish(at > 0 ? spec.slice(at + 1) : 'latest', 'SPEC');
  const config = readConfig({ folder: dir, manifest: { name } }, context);
  if (config.tokenMissing) throw config.tokenMissing;
  const transport = createTransport(config.network);
  const onRetry = report.warn;
  const options = { io, config, transport, signal, onRetry, deadlineMs: 120_000 };
  try {
    const { manifest } = await resolveVersion({
      io,
      package: name,
      wish,
      from: 'SPEC',
      config,
      client: createRegistryClient({ io, config, transport, signal, onRetry }),
      ignoreEngines: true,
      signal,
    });
    const tarball = await fetchTarball(manifest, join(work, 'fetched.tgz'), options);
    return { tarball, label: `${name}@${manifest.version}`, config };
  } finally {
    transport.close();
  }
}
