// Needs the npm registry once, to install the npm versions; the packages come from a fake one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { hashTree } from '../../src/release/tree';
import { FakeRegistry } from '../support/fake-registry';
import { installNpm } from '../support/npm-versions';
import { bootlace, cleanEnv, type Ended, temporaryFolder } from '../support/run';

const ok = (ended: Ended): Ended => {
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  return ended;
};

for (const major of [10, 11, 12])
  test(`npm ${major} makes the lock, packs it, and installs from it`, async t => {
    const npm = await installNpm(major);
    if (typeof npm === 'string') return t.skip(npm);
    assert.equal(npm.version.startsWith(`${major}.`), true);
    const registry = await FakeRegistry.start({ redirectTarballs: false });
    t.after(() => registry.close());
    registry.publish(
      { name: 'a', version: '1.0.0', bin: { a: 'a.js' }, dependencies: { b: '^1.0.0' } },
      { 'a.js': '#!/usr/bin/env node\n' },
    );
    registry.publish({ name: 'b', version: '1.0.0' });
    registry.publish({ name: 'far', version: '1.0.0', os: ['aix'] });
    const env = { npm_config_registry: registry.url, npm_execpath: npm.script };
    const build = temporaryFolder(t);
    writeFileSync(
      join(build, 'package.json'),
      JSON.stringify({
        name: 'backend',
        version: '1.0.0',
        main: 'main.js',
        files: ['main.js'],
        dependencies: { a: '^1.0.0' },
        optionalDependencies: { far: '*' },
      }),
    );
    writeFileSync(join(build, 'main.js'), '');
    ok(await bootlace(['lock'], { cwd: build, env }));
    const lock = JSON.parse(readFileSync(join(build, 'bootlace-lock.json'), 'utf8'));
    assert.deepEqual(Object.keys(lock.packages), [
      '',
      'node_modules/a',
      'node_modules/b',
      'node_modules/far',
    ]);

    const { stdout } = await promisify(execFile)(
      process.execPath,
      [npm.script, 'pack', '--json', '--pack-destination', temporaryFolder(t)],
      { cwd: build, env: cleanEnv({ HOME: build }) },
    );
    const packed = Object.values(JSON.parse(stdout))[0] as { files: { path: string }[] };
    assert.deepEqual(packed.files.map(({ path }) => path).sort(), [
      'bootlace-lock.json',
      'main.js',
      'package.json',
    ]);

    const trees = [];
    for (const args of [[], ['--installer', 'npm']]) {
      const cwd = temporaryFolder(t);
      ok(await bootlace(['setup', '--from', build, ...args], { cwd, env }));
      const releases = join(cwd, '.bootlace', 'releases');
      const [name = ''] = readdirSync(releases);
      trees.push(hashTree(join(releases, name, 'node_modules')));
    }
    assert.deepEqual(trees[0], trees[1]);
  });
