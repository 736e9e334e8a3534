// Shows that bootlace installs what npm installs: npm run parity -- PACKAGE@VERSION...
// --override NAME=VERSION stands in for a dependency that the registry does not have.
// For each package npm makes a lock, then `npm ci --ignore-scripts --omit=dev` and bootlace install
// from it, and every path, byte, mode and link target is compared. Ends with 1 on a difference.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findNpm } from '../src/install/find-npm';
import { readInstallHost } from '../src/install/host';
import { installLocked } from '../src/install/install-locked';
import { checkLock, readLockText } from '../src/install/lockfile';
import { openUnpackers } from '../src/install/unpackers';
import { realIo } from '../src/io';
import { planRegistry } from '../src/registry/config';
import { readNpmrcLevels } from '../src/registry/npmrc-files';
import { createTransport } from '../src/registry/transport';
import { hashTree } from '../src/release/tree';
import { loadSources } from '../src/settings/load';
import { readSettings } from '../src/settings/settings';
import { compareTrees } from '../test/support/compare-trees';

const io = realIo();

const overrides: Record<string, string> = {};

async function main(words: readonly string[]): Promise<void> {
  const { values, positionals: specs } = parseArgs({
    args: [...words],
    options: { override: { type: 'string', multiple: true, default: [] } },
    allowPositionals: true,
  });
  for (const override of values.override) {
    const [name = '', version = ''] = override.split('=');
    overrides[name] = version;
  }
  if (specs.length === 0) throw new Error('usage: npm run parity -- PACKAGE@VERSION...');
  const base = mkdtempSync(join(tmpdir(), 'bootlace-parity-'));
  try {
    for (const [i, spec] of specs.entries()) {
      const verdict = await compare(spec, join(base, String(i)));
      console.log(`${spec}: ${verdict.join('\n  ')}`);
      if (!verdict[0]?.startsWith('same')) process.exitCode = 1;
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** @returns `same …`, or what differs, one line each */
async function compare(spec: string, folder: string): Promise<string[]> {
  const byNpm = join(folder, 'npm');
  const byUs = join(folder, 'bootlace');
  const work = join(folder, 'work');
  for (const each of [byNpm, byUs, work]) mkdirSync(each, { recursive: true });
  const at = spec.lastIndexOf('@');
  const name = at > 0 ? spec.slice(0, at) : spec;
  writeFileSync(
    join(byNpm, 'package.json'),
    JSON.stringify({
      private: true,
      dependencies: { [name]: at > 0 ? spec.slice(at + 1) : 'latest' },
      overrides,
    }),
  );
  const common = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // A machine may be set to leave addresses out, and some of its npm's locks then miss packages.
  const whole = ['--omit-lockfile-registry-resolved=false'];
  const made = npm(['install', '--package-lock-only', ...common, ...whole], byNpm);
  if (made) return [`npm makes no lock: ${made}`];
  const failed = npm(['ci', '--omit=dev', ...common], byNpm);
  if (failed) return [`npm ci fails: ${failed}`];
  rmSync(join(byNpm, 'node_modules', '.package-lock.json'), { force: true });

  const warnings: string[] = [];
  const settings = readSettings(loadSources(byNpm, { package: name }, io.env));
  const unpackers = openUnpackers({ program: join(__dirname, '..', 'dist', 'unpack-worker.js') });
  const config = planRegistry(settings, readNpmrcLevels(byNpm, io.env, io.execPath), io.env);
  const transport = createTransport(config.network);
  const installed = await installLocked({
    transport,
    release: byUs,
    work,
    lock: checkLock(
      readLockText(readFileSync(join(byNpm, 'package-lock.json'), 'utf8'), 'package-lock.json'),
      'package-lock.json',
    ),
    config,
    host: readInstallHost(io),
    io,
    unpackers,
    warn: sentence => warnings.push(sentence),
  }).finally(() => {
    transport.close();
    return unpackers.close();
  });
  const differences = compareTrees(join(byNpm, 'node_modules'), join(byUs, 'node_modules'));
  const hashed = hashTree(join(byUs, 'node_modules'));
  if (hashed.sha256 !== installed.sha256) differences.push('the hash of the tree is wrong');
  if (differences.length === 0)
    return [`same (${installed.paths.length} packages, ${installed.files} files)`, ...warnings];
  return [`${differences.length} differences`, ...differences.slice(0, 40), ...warnings];
}

/** Runs npm. @returns its complaint, or undefined */
function npm(args: readonly string[], cwd: string): string | undefined {
  const { status, stderr } = spawnSync(io.execPath, [findNpm(io), ...args], {
    cwd,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : stderr.trim().split('\n').slice(0, 6).join('\n  ');
}

main(process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exitCode = 1;
});
