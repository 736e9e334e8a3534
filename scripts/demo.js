// npm run demo: what a fresh clone needs first (dependencies, build), then scripts/demo.ts.
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const npm = process.env.npm_execpath;
const run = (file, args) => {
  const { status, signal } = spawnSync(process.execPath, [file, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(signal ? 1 : status);
};

if (!existsSync(join(root, 'node_modules', 'tsx'))) {
  if (!npm) throw new Error('run it as: npm run demo');
  run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs');
run(tsx, [join('scripts', 'build.ts')]);
run(tsx, [join('scripts', 'demo.ts'), ...process.argv.slice(2)]);
