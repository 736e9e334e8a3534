import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes, type NodeBinary } from '../support/nodes';
import { cleanEnv, temporaryFolder } from '../support/run';

type Files = Readonly<Record<string, string>>;

/** What a preload and an entry see of the program that they are part of. */
const look = (who: string) => `console.log(JSON.stringify({
  who: '${who}',
  main: typeof require === 'function' ? (require.main === undefined ? 'none' : require.main === module ? 'me' : require.main.filename) : typeof process.mainModule,
  first: typeof module === 'object' ? [module.isPreloading, module.parent && module.parent.id] : [],
  argv: process.argv, execArgv: process.execArgv.filter(flag => !/register|look|needs/.test(flag)),
  title: process.title, marks: Object.keys(process.env).filter(name => /^BOOTLACE/.test(name)),
}));`;

const small = {
  'package.json': JSON.stringify({
    name: 'small',
    exports: {
      './cond': { custom: './custom.js', default: './default.js' },
      './only/*': { import: './*.mjs' },
    },
  }),
  'custom.js': 'console.log("custom")',
  'default.js': 'console.log("default")',
  'pre.mjs': 'console.log("by a pattern")',
};
const inSmall = Object.fromEntries(
  Object.entries(small).map(([name, text]) => [`node_modules/small/${name}`, text]),
);
const hook = {
  'register.mjs':
    'import { register } from "node:module"; register("./hook.mjs", import.meta.url); console.log("registered");',
  'hook.mjs': `export async function load(url, context, next) {
  if (url.endsWith('.weird')) return { format: 'commonjs', source: 'console.log("weird")', shortCircuit: true };
  return next(url, context);
}`,
  'app.weird': 'this is no JavaScript',
};
const legacy = {
  'ssl.cnf':
    'openssl_conf = init\n[init]\nproviders = all\n[all]\ndefault = one\nlegacy = two\n[one]\nactivate = 1\n[two]\nactivate = 1\n',
  'md4.js':
    'try { console.log(require("crypto").createHash("md4").update("a").digest("hex")) } catch (error) { console.log(error.code) }',
};
/** A preload that is looked for in the package, and what Node then prints of it. */
const pre = { 'pre.cjs': 'console.log("preloaded")', 'main.js': 'console.log("main")' };

/**
 * `from`: the first Node where it is so; before, no start begins again in place. `hosts`: where the host's
 * package.json makes server.js an ES module, preloads see that as the program of a start that began again.
 */
const args = 'console.log(process.env.PORT, process.argv.slice(2))';
const cases: {
  start: string;
  files: Files;
  from?: number;
  hosts?: string[];
  env?: Record<string, string>;
}[] = [
  { start: 'node main.js a b', files: { 'main.js': look('cjs') } },
  { start: 'node main.mjs a', files: { 'main.mjs': look('esm') } },
  {
    start: 'node -r ./look.cjs main.js a',
    files: { 'look.cjs': look('pre'), 'main.js': look('cjs') },
  },
  {
    hosts: ['commonjs'],
    start: 'node --max-http-header-size=20000 -r ./look.cjs main.js a',
    files: { 'look.cjs': look('pre'), 'main.js': look('cjs') },
  },
  {
    hosts: ['commonjs'],
    start: 'node --import ./look.mjs main.js a',
    files: { 'look.mjs': look('import'), 'main.js': look('cjs') },
    from: 22,
  },
  {
    start: 'node --max-http-header-size 20000 --unhandled-rejections strict main.mjs',
    files: { 'main.mjs': look('esm'), 'index.js': 'console.log("wrong")' },
  },
  { start: 'node --import ./register.mjs app.weird', files: hook, from: 22 },
  {
    start: 'node --max-http-header-size=20000 main.js a',
    files: {
      'main.js': `const { Worker, isMainThread } = require('node:worker_threads');
if (isMainThread) new Worker(__filename);
else ${look('worker')}`,
    },
  },
  { start: "NODE_OPTIONS='--require ./pre.cjs' node main.js", files: pre },
  {
    start: 'NODE_OPTIONS=\'-r "./p re.cjs" --no-deprecation\' node main.js',
    files: { ...pre, 'p re.cjs': 'console.log(process.noDeprecation)' },
  },
  { start: 'node --conditions=custom --import small/cond main.js', files: { ...pre, ...inSmall } },
  { start: 'node --conditions custom -r small/cond main.js', files: { ...pre, ...inSmall } },
  { start: 'node --import small/only/pre main.js', files: { ...pre, ...inSmall } },
  { start: 'node --openssl-config=./ssl.cnf md4.js', files: legacy },
  {
    start: 'LC_ALL=de_DE.UTF-8 node main.js',
    files: { 'main.js': 'console.log((1234.5).toLocaleString())' },
  },
  ...Object.entries({
    'a file and a folder': { 'dist.js': '"file"', 'dist/index.js': '"folder"' },
    'a folder': { 'dist/index.js': '"folder"', 'dist.mjs': '"module"' },
    'main of a folder': { 'dist/package.json': { main: 'src/a' }, 'dist/src/a.js': '"main"' },
    'main that is a folder': {
      'dist/package.json': { main: 'src' },
      'dist/src/index.js': '"main"',
    },
    'main that is gone': { 'dist/package.json': { main: 'gone' }, 'dist/index.js': '"index"' },
  }).flatMap(([what, tree]) =>
    ['node dist', 'node ./dist/', 'node dist/.'].map(start => ({
      start: `WHAT='${what}' ${start}`,
      files: Object.fromEntries(
        Object.entries({ 'index.js': '"root"', ...tree }).map(([name, text]) => [
          name,
          typeof text === 'string'
            ? `console.log(${text}, process.env.WHAT)`
            : JSON.stringify(text),
        ]),
      ),
    })),
  ),
  {
    start: 'node .',
    files: { 'index.js': 'console.log("index")', 'server.js': 'console.log("server")' },
  },
  { start: 'node server', files: { 'server.js': 'console.log("server")' } },
  { start: 'PORT=3000 exec node main.js a', files: { 'main.js': args } },
  ...['PORT=3000 node main.js --port "$PORT"', 'PORT=1 PORT=2$PORT node main.js $PORT'].map(
    start => ({ start, files: { 'main.js': args }, env: { PORT: '10000' } }),
  ),
  {
    start: 'node main.js ${X-/d} ${X:-/d} "${X-/d}" ${Y-/d} ${Y:-/d} end',
    files: { 'main.js': args },
    env: { X: '' },
  },
  { start: 'node -r ./gone.cjs main.js', files: pre },
  { start: 'node --max-http-header-size=20000 -r ./gone.cjs main.js', files: pre },
];

/** By a shell in the package's folder, as npm start would. */
function plain({ file }: NodeBinary, start: string, cwd: string, env = {}) {
  const command = start.replace(/(^| )(exec )?node /, `$1exec '${file}' `);
  const { stdout, status } = spawnSync('sh', ['-c', command], {
    cwd,
    env: cleanEnv(env),
    encoding: 'utf8',
  });
  return { stdout: stdout.replaceAll(JSON.stringify(file), '"node"'), status };
}

suite('what preloads and entries see is what they see of plain Node', () => {
  for (const { start, files, env, from = 20, hosts = ['commonjs', 'module'] } of cases)
    test(start, t => {
      const dir = realpathSync(temporaryFolder(t));
      const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
      for (const node of availableNodes().filter(({ major }) => major >= from))
        for (const host of hosts) {
          writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: host }));
          const expected = plain(node, start, backend, env);
          const { stdout, stderr, status } = spawnSync(node.file, ['server.js'], {
            cwd: dir,
            env: cleanEnv(env),
            encoding: 'utf8',
          });
          const ours = { stdout: stdout.replaceAll(JSON.stringify(node.file), '"node"'), status };
          assert.deepEqual(ours, expected, `Node ${node.major}, ${host}: ${stderr}`);
        }
    });
});

test('what a preload throws is shown at its own line', t => {
  const dir = temporaryFolder(t);
  const files = { 'pre.cjs': "throw new Error('of the preload');", 'main.js': '' };
  const start = 'node -r ./pre.cjs main.js';
  const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
  const { status, stderr } = spawnSync(process.execPath, ['server.js'], {
    cwd: dir,
    env: cleanEnv(),
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  const [, file] = stderr.split('\n');
  assert.equal(file, `${realpathSync(backend)}/pre.cjs:1`);
});
