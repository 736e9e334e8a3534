import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import satisfies from 'semver/functions/satisfies';
import { BootlaceError } from '../errors';
import type { Io } from '../io';
import { createRegistryClient } from '../registry/client';
import { type RegistryConfig, secretsOf } from '../registry/config/config';
import { loadRegistryConfig } from '../registry/config/load-config';
import { resolveVersion } from '../registry/resolve';
import type { Secret } from '../secret';
import { loadSources } from '../settings/load';
import { readSettings, type Settings } from '../settings/settings';
import { wishText } from '../settings/version-wish';
import { setupCommand } from '../setup/prepare';
import { count, megabytes } from '../ui/text';
import { type Check, failed } from './check';
import { checkRelease } from './check-release';

interface DiagnoseOptions {
  dir: string;
  flags: Readonly<Record<string, unknown>>;
  io: Io;
  signal?: AbortSignal;
  addSecret: (secret: Secret | undefined) => void;
}

/** Runs every check; one that cannot run because an earlier one failed is left out. */
export async function diagnose(options: DiagnoseOptions): Promise<Check[]> {
  const { dir, io } = options;
  const checks: Check[] = [checkNode(io)];
  const settings = step(
    checks,
    'settings',
    () => {
      const sources = loadSources(dir, options.flags, io.env);
      const settings = readSettings(sources);
      options.addSecret(settings.token?.value);
      return { settings, sources };
    },
    ({ settings: { package: name, version } }) =>
      `${name.value}, version ${wishText(version.value)} from ${version.from}`,
  );
  let latest: string | undefined;
  if (settings) {
    const config = step(
      checks,
      'settings',
      () => loadRegistryConfig(settings.settings, settings.sources, dir, io),
      () => undefined,
    );
    if (config) {
      for (const secret of secretsOf(settings.settings, config)) options.addSecret(secret);
      checks.push(checkToken(config));
      if (!config.tokenMissing)
        latest = await checkRegistry(checks, settings.settings, config, options);
    }
  }
  checks.push(
    checkFolder(dir),
    checkDisk(dir),
    checkMemory(),
    ...checkRelease(dir, io.env, {
      wish: settings?.settings.version.value,
      version: latest,
      setup: setupCommand(options.flags),
    }),
  );
  return checks;
}

/** Runs one check; its failure becomes a line with the failure's own fix. */
function step<T>(
  checks: Check[],
  name: string,
  run: () => T,
  text: (result: T) => string | undefined,
): T | undefined {
  try {
    const result = run();
    const said = text(result);
    if (said) checks.push({ name, state: 'ok', text: said });
    return result;
  } catch (error) {
    checks.push(failed(name, error));
    return undefined;
  }
}

function checkNode({ nodeVersion, execPath }: Io): Check {
  const wanted = '^20.17.0 || >=22.9.0';
  if (satisfies(nodeVersion, wanted, { includePrerelease: true }))
    return { name: 'node', state: 'ok', text: `${nodeVersion} at ${execPath}` };
  return {
    name: 'node',
    state: 'fail',
    text: `NODE_TOO_OLD: ${nodeVersion} does not fit ${wanted}`,
    fix: 'install Node 20.17, 22.9 or later',
    code: 'NODE_TOO_OLD',
    exitCode: 3,
  };
}

function checkToken(config: RegistryConfig): Check {
  if (config.tokenMissing) return failed('token', config.tokenMissing);
  if (config.tokenFrom) return { name: 'token', state: 'ok', text: `set in ${config.tokenFrom}` };
  const [warning] = config.warnings;
  return warning
    ? {
        name: 'token',
        state: 'warn',
        text: warning,
        fix: 'set BACKEND_REGISTRY if the package is private',
      }
    : {
        name: 'token',
        state: 'ok',
        text: `none set, and ${config.registry.value} may not need one`,
      };
}

/** @returns the version that the wish means now, where the registry tells */
async function checkRegistry(
  checks: Check[],
  settings: Settings,
  config: RegistryConfig,
  { io, signal }: DiagnoseOptions,
): Promise<string | undefined> {
  const registry = config.registry.value;
  const client = createRegistryClient({ io, config, signal, deadlineMs: 10_000 });
  const name = settings.package.value;
  try {
    const packument = await client.packument(name, config.before !== undefined);
    checks.push({
      name: 'registry',
      state: 'ok',
      text: `${registry} answers (${config.registry.from})`,
    });
    checks.push({
      name: 'package',
      state: 'ok',
      text: `${name} has ${count(Object.keys(packument.versions).length, 'version')}`,
    });
    const { manifest, why } = await resolveVersion({
      io,
      package: name,
      wish: settings.version.value,
      from: settings.version.from,
      config,
      client: { packument: async () => packument },
      signal,
    });
    checks.push(
      manifest.deprecated
        ? {
            name: 'version',
            state: 'warn',
            text: `${manifest.version} is deprecated: ${manifest.deprecated}`,
            fix: 'choose another version',
          }
        : { name: 'version', state: 'ok', text: `${manifest.version} (${why})` },
    );
    return manifest.version;
  } catch (error) {
    const code = error instanceof BootlaceError ? error.code : '';
    const names: Record<string, string> = {
      VERSION_NOT_FOUND: 'version',
      ENGINE_MISMATCH: 'node',
      PACKAGE_NOT_FOUND: 'package',
      NO_ACCESS: 'package',
    };
    const check = failed(names[code] ?? (/TOKEN/.test(code) ? 'token' : 'registry'), error);
    // What was said of the token without asking is refuted.
    const said = checks.findIndex(({ name }) => name === 'token');
    if (check.name === 'token') checks.splice(said, 1, check);
    else checks.push(check);
    return undefined;
  }
}

function checkFolder(dir: string): Check {
  try {
    const stat = statSync(dir);
    accessSync(dir, constants.W_OK | constants.X_OK);
    if (stat.isDirectory()) return { name: 'folder', state: 'ok', text: `${dir} can be written` };
  } catch {}
  return {
    name: 'folder',
    state: 'fail',
    text: `NOT_WRITABLE: ${dir} cannot be written`,
    fix: 'run as its owner, or choose another with --dir',
    code: 'NOT_WRITABLE',
    exitCode: 8,
  };
}

function checkDisk(dir: string): Check {
  try {
    const { bavail, bsize } = statfsSync(dir);
    const free = bavail * bsize;
    return free > 500_000_000
      ? { name: 'disk', state: 'ok', text: `${megabytes(free)} free` }
      : {
          name: 'disk',
          state: 'warn',
          text: `only ${megabytes(free)} free`,
          fix: 'make room: three releases are kept',
        };
  } catch {
    return { name: 'disk', state: 'warn', text: 'free space is not known here' };
  }
}

function checkMemory(): Check {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < 2 ** 50;
  return {
    name: 'memory',
    state: 'ok',
    text: isLimited ? `limit ${megabytes(limit)}` : `no limit, ${megabytes(freemem())} free`,
  };
}
