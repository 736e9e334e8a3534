import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { availableNodes, type NodeBinary } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';
import { mislead, type Warmed, warmed } from '../support/warmed';

const esm = { type: 'module' };
/** `imported` stands for any file: which one it is shows where the import led. */
const files = {
  'dist/main.js': `import { name } from './imported.js';
import '#inner';
import self from '@acme/backend/lib/self.js';
import { createRequire } from 'node:module';
const json = (await import('./data.json', { with: { type: 'json' } })).default;
console.log(name, self, json.is, createRequire(import.meta.url)('./old.cjs').is, (await import('./old.cjs')).is);`,
  'dist/imported.js': `export const name = 'imported';`,
  'dist/other.js': `export const name = 'other';`,
  'dist/data.json': '{"is":"data"}',
  'dist/old.cjs': `exports.is = 'cjs';`,
  'dist/inner.js': '',
  'lib/self.js': `export default 'self';`,
};
const json = {
  ...esm,
  imports: { '#inner': './dist/inner.js' },
  exports: { './*': './*' },
  bootlace: { roles: { web: 'dist/main.js' } },
};
const said = 'imported self data cjs cjs\n';

async function warmedImports(
  t: Parameters<typeof warmed>[0],
  node: string,
  backend: Readonly<Record<string, string>>,
  manifest: Record<string, unknown> = json,
): Promise<Warmed> {
  const result = await warmed(t, node, backend, manifest);
  return { ...result, kept: join(result.kept, 'imports.json') };
}

const misleadImports = (kept: string) => mislead(kept, 'dist/imported.js', 'dist/other.js');

const nodes = availableNodes().filter(({ major }) => major >= 22);

suite(
  'imports kept by a warm run',
  { skip: !nodes.length && 'needs Node 22.15: npm run bench:nodes' },
  () => {
    for (const { major, file: node } of nodes) {
      const start = (cwd: string, env: Record<string, string> = {}) =>
        runNode(join(cwd, 'server.js'), [], { cwd, node, env });

      test(`Node ${major}: a start goes by them, from another folder as well`, async t => {
        const { cwd, importsKept, kept } = await warmedImports(t, node, files);
        assert.equal(importsKept, true);
        const first = await start(cwd);
        assert.deepEqual([first.code, first.stdout], [0, said], first.stderr);
        assert.doesNotMatch(first.stderr, /warning/i);
        misleadImports(kept);
        assert.equal((await start(cwd)).stdout, said.replace('imported', 'other'));
        const moved = join(temporaryFolder(t), 'elsewhere');
        renameSync(cwd, moved);
        assert.equal((await start(moved)).stdout, said.replace('imported', 'other'));
      });

      test(`Node ${major}: not by another Node's, by damaged ones, or against Node's flags`, async t => {
        const { cwd, kept } = await warmedImports(t, node, files);
        misleadImports(kept);
        const flags = { NODE_OPTIONS: '--conditions=mine' };
        assert.equal((await start(cwd, flags)).stdout, said);
        const text = readFileSync(kept, 'utf8');
        for (const bad of [
          text.replace(/"v\d+/, '"v1'),
          text.slice(0, 50),
          'null',
          `{"node":"${process.version}"}`,
        ]) {
          writeFileSync(kept, bad);
          const { code, stdout, stderr } = await start(cwd);
          assert.deepEqual([code, stdout], [0, said], stderr);
        }
      });

      test(`Node ${major}: hooks of the backend see every import, as without them`, async t => {
        const backend = {
          ...files,
          'dist/main.js': `import { register, registerHooks } from 'node:module';
register('./hooks.js', import.meta.url);
registerHooks({ resolve(specifier, context, next) {
  const found = next(specifier, context);
  if (specifier === './imported.js') console.log('sync', found.url.slice(-14));
  return found;
} });
const { name } = await import('./imported.js');
console.log(name);`,
          'dist/hooks.js': `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  return specifier === './imported.js' ? { ...found, url: found.url.replace('imported', 'other') } : found;
}`,
        };
        const { cwd, importsKept } = await warmedImports(t, node, backend);
        assert.equal(importsKept, false, 'what a hook of the backend answers is not kept');
        const { stdout, stderr } = await start(cwd);
        assert.equal(stdout, 'sync /dist/other.js\nother\n', stderr);
      });
    }

    test('a hook in a thread ends them, for named imports of node:module too', async t => {
      const node = (nodes[0] as NodeBinary).file;
      const backend = {
        ...files,
        'dist/main.js': `import './inner.js'; import './other.js'; import { register } from 'node:module';
import module from 'node:module';
console.log((await import('./imported.js')).name);
if (process.env.HOOK) {
  register('data:text/javascript,export async function resolve(s, c, next) { const f = await next(s, c); return s.startsWith("./imported") ? { ...f, url: f.url + "?hooked" } : f }');
  console.log(module.register.length, import.meta.resolve('./imported.js').slice(-11));
}`,
      };
      const { cwd, importsKept, kept } = await warmedImports(t, node, backend);
      assert.equal(importsKept, true);
      misleadImports(kept);
      const start = (env: Record<string, string>) =>
        runNode(join(cwd, 'server.js'), [], { cwd, node, env });
      assert.equal((await start({})).stdout, 'other\n');
      assert.equal((await start({ HOOK: '1' })).stdout, 'other\n1 d.js?hooked\n');
    });

    test('a backend that mostly requires is left alone', async t => {
      const node = (nodes[0] as NodeBinary).file;
      const { cwd, importsKept, kept } = await warmedImports(
        t,
        node,
        {
          'dist/main.js': `for (const name of ['a', 'b', 'c', 'd']) require('./' + name + '.js'); import('./a.js').then(() => console.log('up'))`,
          ...Object.fromEntries(['a', 'b', 'c', 'd'].map(name => [`dist/${name}.js`, ''])),
        },
        {},
      );
      assert.equal(importsKept, false);
      assert.equal(existsSync(kept), false);
      assert.equal((await runNode(join(cwd, 'server.js'), [], { cwd, node })).stdout, 'up\n');
    });
  },
);
