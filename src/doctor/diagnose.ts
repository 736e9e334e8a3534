import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import satisfies from 'semver/functions/satisfies';
import type { Context } from '../context';
import { BootlaceError, InstallError, SettingError } from '../errors';
import type { Io } from '../io';
import { createRegistryClient } from '../registry/client';
import { type RegistryConfig, secretsOf } from '../registry/config/config';
import { loadRegistryConfig } from '../registry/config/load-config';
import { resolveVersion } from '../registry/resolve';
import { loadSources } from '../settings/load';
import { readSettings, type SettingSources, type Settings, tokenOf } from '../settings/settings';
import { wishText } from '../settings/version-wish';
import { setupCommand } from '../setup/prepare';
import { count, megabytes } from '../ui/text';
import { type Check, failed, ok, warned } from './check';
import { checkRelease, type WantedRelease } from './check-release';

/** Runs every check; one that cannot run because an earlier one failed is left out. */
export async function diagnose(context: Context): Promise<Check[]> {
  const { dir, flags, io, redactor } = context;
  const checks: Check[] = [checkNode(io)];
  const wanted: WantedRelease = { setup: setupCommand(flags) };
  let sources: SettingSources | undefined;
  try {
    sources = loadSources(dir, flags, io.env);
    const settings = readSettings(sources);
    redactor.add(settings.token?.value);
    const { package: name, version } = settings;
    wanted.wish = version.value;
    const said = `${name.value}, version ${wishText(version.value)} from ${version.from}`;
    checks.push(ok('settings', said));
    const config = loadRegistryConfig(settings, sources, dir, io);
    for (const secret of secretsOf(settings, config)) redactor.add(secret);
    checks.push(checkToken(config));
    if (!config.tokenMissing)
      wanted.version = await checkRegistry(checks, settings, config, context);
  } catch (error) {
    const check = failed('settings', error);
    const token = sources && checkTokenAlone(sources, redactor);
    checks.push(check, ...(token && token.text !== check.text ? [token] : []));
  }
  checks.push(
    checkFolder(dir),
    checkDisk(dir),
    checkMemory(),
    ...checkRelease(dir, io.env, wanted),
  );
  return checks;
}

function checkNode({ nodeVersion, execPath }: Io): Check {
  const wanted = '^20.17.0 || >=22.9.0';
  if (satisfies(nodeVersion, wanted, { includePrerelease: true }))
    return ok('node', `${nodeVersion} at ${execPath}`);
  const what = `${nodeVersion} does not fit ${wanted}`;
  const fix = 'install Node 20.17, 22.9 or later';
  return failed('node', new SettingError('NODE_TOO_OLD', what, { fix }));
}

function checkToken(config: RegistryConfig): Check {
  if (config.tokenMissing) return failed('token', config.tokenMissing);
  if (config.tokenFrom) return ok('token', `set in ${config.tokenFrom}`);
  const [warning] = config.warnings;
  return warning
    ? warned('token', warning, 'set BACKEND_REGISTRY if the package is private')
    : ok('token', `none set, and ${config.registry.value} may not need one`);
}

/** The token is there or not, whatever else is wrong; no registry is known to try it at. */
function checkTokenAlone(sources: SettingSources, redactor: Context['redactor']): Check {
  try {
    const { name, token } = tokenOf(sources);
    redactor.add(token?.value);
    return token
      ? ok('token', `set in ${token.from}, not tried: the settings come first`)
      : warned('token', `${name} is not set; a private package needs a token`);
  } catch (error) {
    return failed('token', error);
  }
}

/** @returns the version that the wish means now, where the registry tells */
async function checkRegistry(
  checks: Check[],
  settings: Settings,
  config: RegistryConfig,
  { io, signal }: Context,
): Promise<string | undefined> {
  const registry = config.registry.value;
  const client = createRegistryClient({ io, config, signal, deadlineMs: 10_000 });
  const name = settings.package.value;
  try {
    const packument = await client.packument(name, config.before !== undefined);
    checks.push(
      ok('registry', `${registry} answers (${config.registry.from})`),
      ok('package', `${name} has ${count(Object.keys(packument.versions).length, 'version')}`),
    );
    const { manifest, why } = await resolveVersion({
      io,
      package: name,
      wish: settings.version.value,
      from: settings.version.from,
      config,
      client: { packument: async () => packument },
      signal,
    });
    const { version, deprecated } = manifest;
    checks.push(
      deprecated
        ? warned('version', `${version} is deprecated: ${deprecated}`, 'choose another version')
        : ok('version', `${version} (${why})`),
    );
    return version;
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
    accessSync(dir, constants.W_OK | constants.X_OK);
    if (statSync(dir).isDirectory()) return ok('folder', `${dir} can be written`);
  } catch {}
  const fix = 'run as its owner, or choose another with --dir';
  return failed('folder', new InstallError('NOT_WRITABLE', `${dir} cannot be written`, { fix }));
}

function checkDisk(dir: string): Check {
  try {
    const { bavail, bsize } = statfsSync(dir);
    const free = bavail * bsize;
    return free > 500_000_000
      ? ok('disk', `${megabytes(free)} free`)
      : warned('disk', `only ${megabytes(free)} free`, 'make room: three releases are kept');
  } catch {
    return warned('disk', 'free space is not known here');
  }
}

function checkMemory(): Check {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < 2 ** 50;
  return ok(
    'memory',
    isLimited ? `limit ${megabytes(limit)}` : `no limit, ${megabytes(freemem())} free`,
  );
}
