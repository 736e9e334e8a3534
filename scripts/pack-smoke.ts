// Packs bootlace as it would be published and uses the tarball as a new user would: in an empty
// folder, through npx, against a registry of its own.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FakeRegistry } from '../test/support/fake-registry';
import { cleanEnv } from '../test/support/run';

const run = promisify(execFile);
const root = join(__dirname, '..');
/** In bytes; the pages of docs/ are part of it. */
const largest = 290 * 1024;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlace-pack-'));
  const registry = await FakeRegistry.start({ tokens: { 'a-token-for-the-smoke-test': {} } });
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [tarball = ''] = readdirSync(folder);
    const { size } = statSync(join(folder, tarball));
    assert(size <= largest, `${tarball} has ${size} bytes`);
    const files = execFileSync('tar', ['-tzf', join(folder, tarball)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .sort();
    assert.deepEqual(
      files.filter(
        name =>
          !/^package\/(bin\/bootlace\.js|dist\/[\w-]+\.c?js|[A-Z][A-Z-]*(\.md|\.txt)?|docs\/.*\.(md|svg)|templates\/\w+\/[\w.-]+|package\.json)$/.test(
            name,
          ),
      ),
      [],
    );
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'THIRD-PARTY-LICENSES.txt'])
      assert(files.includes(`package/${name}`), `${name} is not packed`);
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.equal(dependencies, undefined, 'nothing is installed beside it');

    registry.publish(
      { name: '@acme/backend', version: '1.0.0', main: 'main.js' },
      { 'main.js': 'console.log("ready", process.argv.slice(2).join())' },
    );
    const env = cleanEnv({
      HOME: folder,
      BACKEND_PACKAGE: '@acme/backend',
      BACKEND_REGISTRY: registry.url,
      NPM_TOKEN: 'a-token-for-the-smoke-test',
    });
    const npx = await run('npx', ['--yes', `./${tarball}`, 'setup'], { cwd: folder, env });
    assert.match(npx.stdout, /^@acme\/backend 1\.0\.0 \(the tag latest/);
    const started = await run(process.execPath, ['server.js', 'a', 'b'], { cwd: folder, env });
    assert.equal(started.stdout, 'ready a,b\n');
    const repository = join(folder, 'repository');
    mkdirSync(repository);
    writeFileSync(join(repository, 'package.json'), '{"name":"@acme/backend","main":"main.js"}');
    await run('npx', ['--yes', `../${tarball}`, 'init', '--docker'], { cwd: repository, env });
    await run('npx', ['--yes', `../${tarball}`, 'init', '--check'], { cwd: repository, env });
    console.log(
      `${tarball}: ${size} bytes, ${files.length} files; setup through npx, start and init work`,
    );
  } finally {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
