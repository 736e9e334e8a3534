// npm run demo: what a fresh clone needs first (dependencies, build), then scripts/demo.ts.
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '..');
const npm = process.env.npm_execpath;
let child;
let received;
// What was started ends with us: a signal goes on to it, and its end is ours.
const end = signal => {
  received = signal;
  child?.kill(signal);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
// npm starts this through a shell, which a SIGTERM ends without passing it on.
const parent = process.ppid;
setInterval(() => process.ppid === parent || end('SIGTERM'), 200).unref();

const run = args =>
  new Promise(resolve => {
    child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
    child.once('close', (code, signal) => {
      const stop = signal ?? received;
      if (stop) process.exit(128 + constants.signals[stop]);
      if (code) process.exit(code);
      resolve();
    });
  });

async function main() {
  if (!existsSync(join(root, 'node_modules', 'tsx'))) {
    if (!npm) throw new Error('run it as: npm run demo');
    await run([npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  await run(['--import', 'tsx', join('scripts', 'build.ts')]);
  await run(['--import', 'tsx', join('scripts', 'demo.ts'), ...process.argv.slice(2)]);
}

main().catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
