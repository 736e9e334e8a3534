import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { availableNodes } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';
import { mislead, type Warmed, warmed } from '../support/warmed';

/** `required` stands for any file: which one it is shows where the request led. */
const files = {
  'dist/main.js': `const missing = name => { try { require(name); } catch (error) { return error.code; } };
console.log(require('./required'), require.resolve('./required').slice(-11), require('./data').is, require('#inner'),
  require('@acme/backend/lib/self.js'), missing('./none'), missing('constructor'), require('path') === require('node:path'));`,
  'dist/required.js': `module.exports = 'required';`,
  'dist/other.js': `module.exports = 'other';`,
  'dist/data.json': '{"is":"data"}',
  'dist/inner.js': `module.exports = 'inner';`,
  'lib/self.js': `module.exports = 'self';`,
};
const json = {
  imports: { '#inner': './dist/inner.js' },
  exports: { './*': './*' },
  bootlace: { roles: { web: 'dist/main.js' } },
};
const rest = 'data inner self MODULE_NOT_FOUND MODULE_NOT_FOUND true\n';
const said = `required required.js ${rest}`;
const misled = `other st/other.js ${rest}`;

async function warmedRequires(
  t: Parameters<typeof warmed>[0],
  node: string,
  backend: Readonly<Record<string, string>>,
): Promise<Warmed> {
  const result = await warmed(t, node, backend, json);
  return { ...result, kept: join(result.kept, 'requires.json') };
}

const misleadRequires = (kept: string) => mislead(kept, 'dist/required.js', 'dist/other.js');

suite('requires kept by a warm run', { concurrency: 2 }, () => {
  for (const { major, file: node } of availableNodes()) {
    const start = (cwd: string, env: Record<string, string> = {}) =>
      runNode(join(cwd, 'server.js'), [], { cwd, node, env });

    test(`Node ${major}: a start goes by them, from another folder as well`, async t => {
      const { cwd, requiresKept, kept } = await warmedRequires(t, node, files);
      assert.equal(requiresKept, true);
      assert.doesNotMatch(readFileSync(kept, 'utf8'), /none|constructor|"path"|node:/);
      const first = await start(cwd);
      assert.deepEqual([first.code, first.stdout], [0, said], first.stderr);
      assert.doesNotMatch(first.stderr, /warning/i);
      misleadRequires(kept);
      assert.equal((await start(cwd)).stdout, misled);
      const moved = join(temporaryFolder(t), 'elsewhere');
      renameSync(cwd, moved);
      assert.equal((await start(moved)).stdout, misled);
    });

    test(`Node ${major}: not to a file that the backend writes itself`, async t => {
      const own = `const fs = require('node:fs'), out = __dirname + '/out.js';
let before; fs.rmSync(out, { force: true });
try { require.resolve('./out'); } catch (error) { before = error.code; }
fs.writeFileSync(out, ''); require('./out'); console.log(before, require('./required'));`;
      const backend = { ...files, 'dist/main.js': own };
      const { cwd, kept } = await warmedRequires(t, node, backend);
      assert.match(readFileSync(kept, 'utf8'), /required/);
      assert.equal((await start(cwd)).stdout, 'MODULE_NOT_FOUND required\n');
    });

    test(`Node ${major}: not by another Node's, by damaged ones, or against Node's flags`, async t => {
      const { cwd, kept } = await warmedRequires(t, node, files);
      misleadRequires(kept);
      assert.equal((await start(cwd, { NODE_OPTIONS: '--conditions=mine' })).stdout, said);
      const text = readFileSync(kept, 'utf8');
      for (const bad of [
        text.replace(/"v\d+/, '"v1'),
        text.slice(0, 50),
        'null',
        `{"node":"${process.version}","requires":{"dist":7}}`,
      ]) {
        writeFileSync(kept, bad);
        const { code, stdout, stderr } = await start(cwd);
        assert.deepEqual([code, stdout], [0, said], stderr);
      }
    });

    test(`Node ${major}: what a backend puts before Node's resolution sees every request`, async t => {
      const { cwd, kept } = await warmedRequires(t, node, {
        ...files,
        'dist/main.js': `const Module = require('node:module');
const next = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return next.call(this, request === 'alias' ? './required' : request, ...rest);
};
console.log(require('alias'), require.resolve('./required', { paths: [__dirname] }).slice(-11));
const hooks = Module.registerHooks?.({ resolve: (request, context, next) => next(request, context) });
console.log(require('./data.json').is);
if (hooks) require.resolve('./required');`,
      });
      const first = await start(cwd);
      assert.equal(first.stdout, 'required required.js\ndata\n', first.stderr);
      misleadRequires(kept);
      // With paths of its own a request is none that was kept.
      assert.equal((await start(cwd)).stdout, 'other required.js\ndata\n');
    });

    test(`Node ${major}: a request that led to two files is resolved anew`, async t => {
      const { cwd } = await warmedRequires(t, node, {
        ...files,
        'dist/main.js': `const where = () => require.resolve('thing').slice(-17);
module.paths.unshift(__dirname + '/one');
const one = where();
module.paths[0] = __dirname + '/two';
console.log(one, where());`,
        'dist/one/thing.js': '',
        'dist/two/thing.js': '',
      });
      assert.equal((await start(cwd)).stdout, 'dist/one/thing.js dist/two/thing.js\n');
    });
  }
});
