import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context';
import { IntegrityError, SettingError } from '../errors';
import { fetchTarball, plainAddress } from '../install/fetch-tarball';
import { installTree } from '../install/install';
import type { Tarball } from '../install/tarball';
import { openUnpacker } from '../install/unpacker';
import type { Io } from '../io';
import { type BackendTarball, integrityOfBytes, readBackendTarball } from '../lock/backend-tarball';
import { type ChosenLock, chooseLock } from '../lock/choose';
import { composeLock } from '../lock/compose';
import {
  hashLock,
  type LockDocument,
  orderLock,
  renderLock,
  rootOverrides,
} from '../lock/document';
import type { NpmRun } from '../npm/run';
import type { DownloadContext } from '../registry/download';
import { cleanVersion } from '../registry/packument';
import type { Locator } from '../registry/pick';
import type { Transport } from '../registry/transport';
import { fullDisk } from '../release/atomic';
import { backendFolder, layoutOf } from '../release/layout';
import type { Receipt } from '../release/receipt';
import { newLogFile, openStage } from '../release/stage';
import { listReleases, type Release } from '../release/store';
import { sayUnknownKeys } from '../settings/config-file';
import type { Setting } from '../settings/settings';
import { checkCommands } from '../start/plan/package-files';
import { sayProgress } from '../ui/install-progress';
import type { Reporter } from '../ui/reporter';
import { packLocal, readLocalTarball } from './local-tarball';
import { planStart, type SetupPlan } from './plan';

/** The backend's tarball, verified, and where it is from. */
interface FetchedBackend {
  tarball: Tarball;
  integrity: string;
  /** Its address in the lock. */
  resolved: string;
  backend: BackendTarball;
  version: string;
}

const patientMs = 120_000;
/** A host waits a minute for its port. */
const failFastMs = 5000;

/**
 * Installs one exact version into a stage and publishes the stage as a release: the backend's
 * tarball, its lock, and the tree that the lock names.
 * @param locator undefined for a local build
 * @param transport kept open
 * @param damaged a release that makes way for this one
 * @throws whatever fails; nothing of the release is then visible
 */
export async function installRelease(
  plan: SetupPlan,
  locator: Locator | undefined,
  context: Context,
  transport: Transport,
  damaged: Release | undefined,
): Promise<Release> {
  const { settings, config, host } = plan;
  const { io, report, signal } = context;
  const name = settings.package.value;
  const layout = layoutOf(context.dir);
  const stage = openStage(layout, io);
  // Its thread takes as long to start as the first tarball takes to arrive.
  const unpacker = settings.installer.value === 'npm' ? undefined : openUnpacker();
  const run = {
    io,
    config,
    transport,
    work: stage.work,
    log: newLogFile(layout),
    redact: context.redactor.redact,
    signal,
    onRetry: report.warn,
    ...(plan.failFast && { deadlineMs: failFastMs }),
  };
  try {
    report.progress(`installing ${name}${locator ? `@${locator.version}` : ` from ${plan.from}`}`);
    const fetched = await fetchBackend(plan, locator, run);
    const { backend, version, integrity, resolved } = fetched;
    const chosen =
      chooseLock({
        backend,
        version,
        integrity,
        file: plan.lock,
        releases: listReleases(layout),
      }) ?? (await resolveNow(backend, report, run));
    const source = { ...backend, version, integrity, resolved };
    const lock = orderLock(composeLock(chosen.bare, source));
    const lockText = renderLock(lock);
    writeProject(stage.release, lock, lockText, backend);
    const { tree, slim, withScripts } = await installTree({
      ...run,
      release: stage.release,
      lock,
      lockText,
      where: `the lock of ${name}@${version}`,
      backend: name,
      tarball: fetched.tarball,
      slim: settings.slim.value,
      unpacker,
      scripts: settings.scripts.value,
      progress: sayProgress({
        now: io.now,
        isInteractive: report.isInteractive,
        say: report.progress,
      }),
      warn: report.warn,
    });
    // Its thread ends while the rest is written; it is waited for below.
    void unpacker?.close();
    warnOfScripts(settings.scripts, withScripts, report.warn);
    // The stage must hold something that can start before anything of it is visible.
    planStart(plan, stage.release);
    checkCommands(backendFolder(stage.release, name));
    const unknown = sayUnknownKeys(backend.manifest.bootlace, name);
    if (unknown) report.warn(unknown);
    const receipt: Receipt = {
      format: 1,
      package: name,
      version,
      integrity,
      source: plan.from ? { path: plan.from } : { registry: config.registry.value },
      host,
      scripts: settings.scripts.value,
      tree,
      lock: chosen.receipt,
      installer: settings.installer.value,
      ...(config.omit.length && { omit: config.omit }),
      slim,
      bootlace: context.version,
      node: io.nodeVersion,
      installedAt: new Date(io.now()).toISOString(),
    };
    const release = stage.publish(receipt, damaged);
    rmSync(run.log, { force: true });
    return release;
  } catch (error) {
    // No failure names the log of an aborted setup.
    if (signal.aborted) rmSync(run.log, { force: true });
    throw fullDisk(error, stage.release);
  } finally {
    // Before the stage goes, so that nothing is written into it any more.
    await unpacker?.close();
    stage.discard();
  }
}

type Run = Omit<NpmRun, 'cwd' | 'scripts' | 'io' | 'signal'> &
  Omit<DownloadContext, 'io' | 'deadlineMs'> & { io: Io };

/** Fetches or packs the backend's tarball, once. */
async function fetchBackend(
  plan: SetupPlan,
  locator: Locator | undefined,
  run: Run,
): Promise<FetchedBackend> {
  const name = plan.settings.package.value;
  if (locator) {
    const { version, integrity } = locator;
    const resolved = plainAddress(locator.tarball);
    const label = `${name}@${version}`;
    const tarball = await fetchTarball(locator.manifest, join(run.work, 'fetched.tgz'), {
      deadlineMs: patientMs,
      ...run,
    });
    const backend = await readBackendTarball(tarball, label, plan.lock !== undefined);
    // npm publish cleans the version for the registry and leaves the tarball as it is.
    if (backend.manifest.name !== name || cleanVersion(backend.manifest.version) !== version)
      throw new IntegrityError(
        'TARBALL_OTHER_PACKAGE',
        `the tarball of ${label} holds ${backend.manifest.name}@${backend.manifest.version}`,
        { fix: 'publish the version again; if it happens again, do not trust the registry' },
      );
    return { tarball, integrity, resolved, backend, version };
  }
  const file = await packLocal(String(plan.from), { ...run, cwd: run.work });
  const backend = await readLocalTarball(file, String(plan.from), plan.lock !== undefined);
  if (backend.manifest.name !== name)
    throw new SettingError(
      'FROM_OTHER_PACKAGE',
      `${plan.from} holds ${backend.manifest.name}, and ${plan.settings.package.from} says ${name}`,
      { fix: `set BACKEND_PACKAGE=${backend.manifest.name}, or give --from another build` },
    );
  return {
    tarball: { file },
    integrity: integrityOfBytes(readFileSync(file)),
    resolved: 'file:backend.tgz',
    backend,
    version: cleanVersion(backend.manifest.version),
  };
}

/** Without any lock: npm chooses now, and what it chose is kept. */
async function resolveNow(
  { manifest }: BackendTarball,
  report: Reporter,
  run: Run,
): Promise<ChosenLock> {
  report.progress(`${manifest.name}@${manifest.version} carries no lock; npm resolves its tree`);
  const { resolveLock } = await import('../lock/resolve/resolve');
  const bare = await resolveLock({ ...run, manifest });
  // Without dependencies there was nothing to choose.
  if (Object.keys(bare.packages).some(path => path.startsWith('node_modules/')))
    report.warn(
      'npm chose these versions, since their publisher locked none; see README.md#the-lock',
    );
  return { bare, receipt: { kind: 'resolved', sha256: hashLock(bare) } };
}

/** Says which install scripts did not run, and which names allow nothing. */
export function warnOfScripts(
  { value: named, from }: Setting<readonly string[]>,
  withScripts: readonly string[],
  warn: (sentence: string) => void,
): void {
  const idleScripts = withScripts.filter(name => !named.includes(name));
  if (idleScripts.length)
    warn(
      `${idleScripts.length === 1 ? 'the install script' : 'the install scripts'} of ${idleScripts.join(', ')} did not run; BACKEND_SCRIPTS=${[...named, ...idleScripts].join()} allows ${idleScripts.length === 1 ? 'it' : 'them'}`,
    );
  const idle = named.filter(name => !withScripts.includes(name));
  if (idle.length)
    warn(
      `${from} names ${idle.join(', ')}, without an install script in this tree; with one: ${withScripts.join(', ') || 'none'}`,
    );
}

/** The release as an npm project, so that npm's own commands understand it. */
function writeProject(
  release: string,
  lock: LockDocument,
  lockText: string,
  { manifest }: BackendTarball,
): void {
  const overrides = rootOverrides(manifest);
  // What the lock says of overrides holds the backend's own, too.
  const project = { private: true, ...(overrides && { overrides }), ...lock.packages[''] };
  writeFileSync(join(release, 'package.json'), `${JSON.stringify(project, null, 2)}\n`);
  writeFileSync(join(release, 'package-lock.json'), lockText);
}
