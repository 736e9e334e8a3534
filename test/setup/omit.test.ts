import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { warnOfScripts } from '../../src/setup/install-release';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, temporaryFolder } from '../support/run';

const ways: [name: string, line: string, env: Record<string, string>, args: string[]][] = [
  ['omit=optional in .npmrc', 'omit=optional', {}, []],
  ['optional=false in .npmrc', 'optional=false', {}, []],
  ['npm_config_omit', '', { npm_config_omit: 'optional' }, []],
  ['omit=optional, by npm', 'omit=optional', {}, ['--installer', 'npm']],
];

for (const [name, line, more, args] of ways)
  test(`${name} counts, and without it the release is another one`, async t => {
    const registry = await FakeRegistry.start();
    t.after(() => registry.close());
    registry.publish({ name: 'opt', version: '1.0.0' });
    registry.publish(
      { name: '@acme/backend', version: '1.0.0', optionalDependencies: { opt: '1.0.0' } },
      { 'index.js': '' },
    );
    const cwd = temporaryFolder(t);
    const common = { BACKEND_PACKAGE: '@acme/backend', BACKEND_REGISTRY: registry.url };
    const env = { ...common, BACKEND_VERSION: '1.0.0', npm_config_registry: registry.url };
    const hasOptional = async (npmrc: string, env: Record<string, string>) => {
      writeFileSync(join(cwd, '.npmrc'), `${npmrc}\n`);
      const ended = await bootlace(['setup', ...args], { cwd, env });
      assert.equal(ended.code, 0, ended.stderr);
      const { active } = JSON.parse(readFileSync(join(cwd, '.bootlace/current.json'), 'utf8'));
      return existsSync(join(cwd, '.bootlace/releases', active, 'node_modules/opt'));
    };
    assert.equal(await hasOptional(line, { ...env, ...more }), false);
    rmSync(join(cwd, '.npmrc'));
    assert.equal(await hasOptional('', env), true);
    assert.equal(await hasOptional(line, { ...env, ...more }), false);
  });

const scripts: [named: string[], found: string[], said: string[]][] = [
  [[], [], []],
  [[], ['a'], ['the install script of a did not run; BACKEND_SCRIPTS=a allows it']],
  [[], ['a', 'b'], ['the install scripts of a, b did not run; BACKEND_SCRIPTS=a,b allows them']],
  [
    ['a'],
    ['a', 'b', 'c'],
    ['the install scripts of b, c did not run; BACKEND_SCRIPTS=a,b,c allows them'],
  ],
  [
    ['x'],
    ['a'],
    [
      'the install script of a did not run; BACKEND_SCRIPTS=x,a allows it',
      '--scripts names x, without an install script in this tree; with one: a',
    ],
  ],
];

for (const [named, found, said] of scripts)
  test(`install scripts of ${found.join() || 'nothing'}, ${named.join() || 'none'} allowed`, () => {
    const warned: string[] = [];
    warnOfScripts({ value: named, from: '--scripts' }, found, text => warned.push(text));
    assert.deepEqual(warned, said);
  });
