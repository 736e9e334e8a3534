// Shows that bootlace installs what npm installs: npm run parity -- [PACKAGE@VERSION...]
// Without packages it compares well-known servers and frameworks, which takes half an hour.
// --override NAME=VERSION stands in for a dependency that the registry does not have.
// For each package npm makes a lock and `npm ci --ignore-scripts --omit=dev` installs it. Then
// `bootlace setup` installs from that lock, and from what it resolves itself unless overrides are at
// work (it honours the package's own, and npm only the root's). Every path, byte, mode and link target
// is compared. Ends with 1 on a difference.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realIo } from '../src/io';
import { findNpm } from '../src/npm/find';
import { compareTrees } from '../test/support/compare-trees';

const io = realIo();
const cli = join(__dirname, '..', 'bin', 'bootlace.js');

const wellKnown = [
  'pino@10.4.0',
  'json-server@0.17.4',
  'http-server@14.1.1',
  'serve@14.2.7',
  'express@5.3.0',
  'fastify@5.12.8',
  '@nestjs/core@12.5.1',
  'pm2@7.0.4',
  'sails@1.5.18',
  '@apollo/server@5.5.1',
  'socket.io@4.8.4',
  'parse-server@9.10.0',
  'unleash-server@8.2.0',
  'node-red@5.0.7',
  '@strapi/strapi@5.23.0',
  'koa@3.3.0',
  'hexo@8.1.2',
  'statsd@0.9.0',
  'peer@1.0.2',
  '@feathersjs/express@5.0.50',
];

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
  const base = mkdtempSync(join(tmpdir(), 'bootlace-parity-'));
  try {
    for (const [i, spec] of (specs.length ? specs : wellKnown).entries()) {
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
  mkdirSync(byNpm, { recursive: true });
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
  const tree = join(byNpm, 'node_modules');
  rmSync(join(tree, '.package-lock.json'), { force: true });
  const manifest = JSON.parse(readFileSync(join(tree, name, 'package.json'), 'utf8'));

  const differences: string[] = [];
  let said = '';
  const ways: [string, string[]][] = [
    ['from the lock', ['--lock', join(byNpm, 'package-lock.json')]],
  ];
  if (Object.keys({ ...overrides, ...manifest.overrides }).length === 0)
    ways.push(['resolved', []]);
  for (const [way, args] of ways) {
    const byUs = join(folder, way);
    mkdirSync(byUs);
    const wanted = ['--package', name, '--backend-version', manifest.version, '--ignore-engines'];
    const { status, stdout, stderr } = bootlace(['setup', '--json', ...wanted, ...args], byUs);
    if (status !== 0) return [`${way}: setup ends with ${status}`, stdout, stderr];
    const report = JSON.parse(stdout);
    said = `${report.packages} packages, ${report.files} files`;
    const ours = join(byUs, '.bootlace', 'releases', report.release, 'node_modules');
    differences.push(...compareTrees(tree, ours).map(line => `${way}: ${line}`));
    if (bootlace(['status', '--verify'], byUs).status !== 0)
      differences.push(`${way}: the hash of the tree is wrong`);
  }
  const ending = ways.map(([way]) => way).join(' and ');
  if (differences.length === 0) return [`same, ${ending} (${said})`];
  return [`${differences.length} differences`, ...differences.slice(0, 40)];
}

function bootlace(args: readonly string[], cwd: string) {
  return spawnSync(io.execPath, [cli, ...args], { cwd, encoding: 'utf8' });
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
