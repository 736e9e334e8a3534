import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { adviceFor } from '../../src/start/explain';
import { FakeRegistry } from '../support/fake-registry';
import { launchable, sourceOf } from '../support/launched';
import { bin, bootlace, cleanEnv, runNode, temporaryFolder } from '../support/run';

const error = (message: string, more: object = {}) => Object.assign(new Error(message), more);
const receipt = {
  package: '@acme/backend',
  version: '1.2.3',
  node: '20.1.0',
  host: { platform: 'linux', arch: 'x64', abi: '1' },
};
const abi = (path: string) =>
  error(
    `The module '${path}'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115.`,
    {
      code: 'ERR_DLOPEN_FAILED',
    },
  );
const here = { ...receipt, host: { ...receipt.host, abi: process.versions.modules } };

/** What Node and the loaders of native modules say, and what we add. */
const cases: [string, Error, RegExp | undefined][] = [
  [
    'another Node major',
    error(
      "The module '/x/a.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version of Node.js requires\nNODE_MODULE_VERSION 137.",
      { code: 'ERR_DLOPEN_FAILED' },
    ),
    /^NATIVE_MODULE: .*installed under Node 20\.1\.0\n {2}fix: run npx bootlace setup with the Node/,
  ],
  [
    'another libc',
    error('Error loading shared library ld-linux-x86-64.so.2', { code: 'ERR_DLOPEN_FAILED' }),
    /^NATIVE_MODULE: [\s\S]*fix: run npx bootlace setup with/,
  ],
  [
    'bindings',
    error('Could not locate the bindings file. Tried:\n → /x/build/a.node'),
    /^NATIVE_MODULE/,
  ],
  [
    'node-gyp-build',
    error('No native build was found for platform=linux arch=x64 runtime=node'),
    /^NATIVE_MODULE/,
  ],
  [
    'a plain require',
    error("Cannot find module '../build/Release/sqlite.node'", { code: 'MODULE_NOT_FOUND' }),
    /^NATIVE_MODULE/,
  ],
  [
    'a dependency',
    error("Cannot find module 'left'", { code: 'MODULE_NOT_FOUND' }),
    /^DEPENDENCY_MISSING: @acme\/backend@1\.2\.3 needs left/,
  ],
  ['a file', error("Cannot find module './gone'", { code: 'MODULE_NOT_FOUND' }), /^FILE_MISSING/],
  ['anything else', error('boom'), undefined],
];

suite('failures of a start give a code and a fix', () => {
  const inTree = '/r/node_modules/@acme/backend/node_modules/better-sqlite3/build/a.node';
  for (const [name, failure, installed, wanted] of [
    [
      'by its path',
      error(`Could not locate the bindings file. Tried:\n → ${inTree}`),
      here,
      /^NATIVE_MODULE: better-sqlite3 does .*\n {2}fix: set BACKEND_SCRIPTS=better-sqlite3 and/,
    ],
    [
      'of another Node',
      abi('/r/node_modules/@a/b/c.node'),
      receipt,
      /^NATIVE_MODULE: @a\/b does .*\n {2}fix: run npx bootlace setup with the Node/,
    ],
    [
      'brought along',
      abi('/r/node_modules/@a/b/c.node'),
      here,
      /^NATIVE_MODULE: @a\/b does .*\n {2}fix: set BACKEND_SCRIPTS=@a\/b and/,
    ],
    [
      "the backend's own",
      abi('/r/node_modules/@acme/backend/c.node'),
      here,
      /^NATIVE_MODULE: a native module does .*\n {2}fix: set BACKEND_SCRIPTS=PACKAGE, the package that builds it, and/,
    ],
  ] as const)
    test(`a native module is named: ${name}`, () =>
      assert.match(adviceFor(failure, installed) ?? '', wanted));

  for (const [name, failure, wanted] of cases)
    test(name, () => {
      const advice = adviceFor(failure, receipt);
      if (wanted) assert.match(advice ?? '', wanted);
      else assert.equal(advice, undefined);
    });

  test('entry gone', async t => {
    const cwd = await launchable(t, { 'dist/main.js': '' });
    const releases = join(cwd, '.bootlace', 'releases');
    const [name] = readdirSync(releases);
    rmSync(join(releases, name as string, 'node_modules/@acme/backend/dist/main.js'));
    const { code, stderr } = await runNode(join(cwd, 'server.js'), [], { cwd });
    assert.equal(code, 5);
    assert.match(stderr, /RELEASE_BROKEN: .* is gone\n {2}fix: run: npx bootlace setup/);
  });

  test('SIGTERM while setup runs: it ends as asked, and the old release still starts', async t => {
    const registry = await FakeRegistry.start();
    t.after(() => registry.close());
    const cwd = temporaryFolder(t);
    const source = sourceOf(t, { 'dist/main.js': "console.log('old')" });
    assert.equal((await bootlace(['setup', '--from', source], { cwd })).code, 0);
    registry.publish({ name: '@acme/backend', version: '2.0.0', main: 'm.js' }, { 'm.js': '' });
    registry.misbehave({ match: /backend/, times: 9, delayMs: 20_000 });
    const before = readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8');
    for (const command of ['setup', 'up']) {
      const child = spawn(process.execPath, [bin, command], {
        cwd,
        env: cleanEnv({ BACKEND_PACKAGE: '@acme/backend', BACKEND_REGISTRY: registry.url }),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let isSent = false;
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', text => {
          output += text;
          if (!isSent && output.includes('asking')) isSent = child.kill('SIGTERM');
        });
      const code = await new Promise(resolve => child.once('close', resolve));
      assert.equal(code, 143, output);
      assert.doesNotMatch(output, /bug|BUG/);
    }
    assert.equal(readFileSync(join(cwd, '.bootlace', 'current.json'), 'utf8'), before);
    assert.equal((await runNode(join(cwd, 'server.js'), [], { cwd })).stdout, 'old\n');
  });
});
