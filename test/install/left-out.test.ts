import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readInstallHost } from '../../src/install/host';
import { realIo } from '../../src/io';
import { findNpm } from '../../src/npm/find';
import { hashTree } from '../../src/release/tree';
import { compareTrees } from '../support/compare-trees';
import { FakeRegistry } from '../support/fake-registry';
import { configFor, installIn, parseLockfile } from '../support/locked';
import { runNode, temporaryFolder } from '../support/run';

type Test = { after(fn: () => unknown): void };

/** A project with required, optional and peer dependencies, its lock, and what npm makes of it. */
async function world(t: Test) {
  const registry = await FakeRegistry.start({ redirectTarballs: false });
  t.after(() => registry.close());
  const publish = (name: string, more: object = {}) =>
    registry.publish({ name, version: '1.0.0', ...more }, { 'cli.js': '#!/usr/bin/env node\n' });
  publish('left', { dependencies: { shared: '1' }, peerDependencies: { peer: '1' } });
  publish('shared');
  publish('peer');
  publish('only-opt', { bin: { only: 'cli.js' } });
  publish('opt', { bin: 'cli.js', dependencies: { 'only-opt': '1', shared: '1' } });
  const bundled = { 'node_modules/inner/package.json': '{"name":"inner","version":"1.0.0"}' };
  registry.publish(
    {
      name: 'opt-bundler',
      version: '1.0.0',
      dependencies: { inner: '1' },
      bundleDependencies: ['inner'],
    },
    bundled,
  );
  publish('inner');
  const folder = temporaryFolder(t);
  const project = join(folder, 'npm');
  mkdirSync(project);
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({
      dependencies: { left: '1.0.0' },
      optionalDependencies: { opt: '1.0.0', 'opt-bundler': '1.0.0' },
    }),
  );
  const npm = (args: string[]) =>
    runNode(findNpm(realIo()), [...args, '--no-audit', '--no-fund', '--omit=dev'], {
      cwd: project,
      env: { npm_config_registry: registry.url, npm_config_cache: join(folder, 'cache') },
    });
  const made = await npm(['install', '--package-lock-only']);
  assert.equal(made.code, 0, made.stderr);
  rmSync(join(folder, 'cache'), { recursive: true, force: true });
  const text = readFileSync(join(project, 'package-lock.json'), 'utf8');
  const warnings: string[] = [];
  const progress: { done: number; total: number }[] = [];
  const install = (config = {}) =>
    installIn(folder, {
      lock: parseLockfile(text, 'the lock'),
      config: { ...configFor(registry.url), ...config },
      host: readInstallHost(realIo()),
      warn: sentence => warnings.push(sentence),
      progress: ({ done, total }) => progress.push({ done, total }),
    });
  const trees = () => {
    rmSync(join(project, 'node_modules', '.package-lock.json'), { force: true });
    return [join(project, 'node_modules'), join(folder, 'release', 'node_modules')] as const;
  };
  return { registry, project, npm, install, trees, warnings, progress };
}

const missing: [name: string, match: RegExp, status: number, warned: RegExp[]][] = [
  ['nothing', /nothing/, 404, []],
  ['an optional dependency', /download\/opt\//, 404, [/opt@1\.0\.0/]],
  ['one that a firewall blocks', /download\/opt\//, 403, [/opt@1\.0\.0/]],
  ['one that was taken down', /download\/opt\//, 410, [/opt@1\.0\.0/]],
  ['what an optional dependency needs', /download\/only-opt\//, 404, [/only-opt@1\.0\.0/]],
  ['one that bundles others', /download\/opt-bundler\//, 404, [/opt-bundler@1\.0\.0/]],
  [
    'two',
    /download\/opt(-bundler)?\//,
    404,
    [/optional dependency opt@/, /optional dependency opt-bundler@/],
  ],
];

for (const [name, match, status, warned] of missing)
  test(`the registry does not give ${name} (${status}): the tree is that of npm ci`, async t => {
    const { registry, npm, install, trees, warnings, progress } = await world(t);
    registry.misbehave({ match, status, times: 99 });
    const ci = await npm(['ci']);
    assert.equal(ci.code, 0, ci.stderr);
    const installed = await install();
    const [byNpm, byUs] = trees();
    assert.deepEqual(compareTrees(byNpm, byUs), []);
    assert.equal(hashTree(byUs).sha256, installed.sha256);
    assert.equal(warnings.length, warned.length, warnings.join('\n'));
    for (const pattern of warned)
      assert(
        warnings.some(each => pattern.test(each)),
        `${pattern}`,
      );
    const last = progress.at(-1);
    assert.equal(last?.done, last?.total);
    if (warned.length === 0) assert.equal(last?.total, installed.paths.length);
  });

for (const [name, match] of [
  ['a dependency', /download\/left\//],
  ['what an optional dependency shares with a required one', /download\/shared\//],
] as const)
  test(`the registry does not give ${name}: as npm ci, it fails`, async t => {
    const { registry, npm, install } = await world(t);
    registry.misbehave({ match, status: 404, times: 99 });
    assert.notEqual((await npm(['ci'])).code, 0);
    await assert.rejects(install(), { code: 'DEPENDENCY_NOT_FOUND' });
  });

test('an optional dependency with other bytes is still refused', async t => {
  const { registry, install } = await world(t);
  const body = Buffer.from('other bytes');
  registry.misbehave({ match: /download\/opt\//, body, times: 99 });
  await assert.rejects(install());
});

for (const omit of [['optional'], ['peer'], ['optional', 'peer']] as const)
  test(`omit ${omit.join(' and ')}: the tree is that of npm ci`, async t => {
    const { npm, install, trees } = await world(t);
    const ci = await npm(['ci', ...omit.map(kind => `--omit=${kind}`)]);
    assert.equal(ci.code, 0, ci.stderr);
    const installed = await install({ omit });
    const [byNpm, byUs] = trees();
    assert.deepEqual(compareTrees(byNpm, byUs), []);
    assert.equal(hashTree(byUs).sha256, installed.sha256);
  });
