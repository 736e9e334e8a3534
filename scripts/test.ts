// Runs the tests: `npm test` all of them, `npm test -- PATH...` some. End-to-end tests on real
// packages skip with a reason when the registry is out of reach.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..');
const asked = process.argv.slice(2);
const flags = asked.filter(word => word.startsWith('--'));
const places = asked.filter(word => !word.startsWith('--'));
const files = (places.length ? places : ['test']).flatMap(place =>
  place.endsWith('.ts') ? [place] : testsIn(place),
);

function testsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .map(name => join(folder, name))
    .sort();
}

const result = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=2', '--test-reporter=spec', ...flags, ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exitCode = result.status ?? 1;
