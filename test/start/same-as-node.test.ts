import assert from 'node:assert/strict';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { writeInstalled } from '../support/installed';
import { availableNodes } from '../support/nodes';
import { runNode, temporaryFolder } from '../support/run';

/** Everything that a backend can see of the process that it is in. */
const look = `
const { readdirSync, readlinkSync } = process.getBuiltinModule('node:fs');
const Module = process.getBuiltinModule('node:module');
const events = ['beforeExit', 'disconnect', 'exit', 'message', 'multipleResolves', 'rejectionHandled',
  'uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection', 'warning', 'worker', 'newListener',
  'removeListener', ...Object.keys(process.getBuiltinModule('node:os').constants.signals)];
const descriptors = readdirSync('/proc/self/fd').map(fd => {
  try { return readlinkSync('/proc/self/fd/' + fd).replace(/\\d+/g, 'N'); } catch { return 'gone'; }
}).filter(path => path !== 'gone').sort();
setTimeout(() => console.log(JSON.stringify({
  execArgv: process.execArgv, argv: process.argv, argv0: process.argv0, title: process.title,
  main: isMain(), mainModule: typeof process.mainModule, cwd: process.cwd(),
  listeners: events.map(name => [name, process.listenerCount(name)]),
  names: process.eventNames().map(String).sort(), most: process.getMaxListeners(),
  handles: process._getActiveHandles().length, requests: process._getActiveRequests().length,
  resources: process.getActiveResourcesInfo(),
  resolver: Module._resolveFilename.toString().length, loaders: Object.keys(Module._extensions),
  preloads: typeof module === 'object' && module.isPreloading, parent: typeof module === 'object' && module.parent === null,
  maps: process.sourceMapsEnabled, warned: process.noDeprecation, trace: Error.stackTraceLimit,
  prepare: Error.prepareStackTrace === undefined, globals: Object.getOwnPropertyNames(globalThis).sort(),
  descriptors, environment: { ...process.env },
})), 20);`;
const cjs = `const isMain = () => require.main === module;${look}`;
const esm = `const isMain = () => import.meta.main ?? 'not known';${look}`;

const cases: [
  what: string,
  entry: string,
  files: Readonly<Record<string, string>>,
  host: string,
][] = [
  ['CommonJS', 'main.js', { 'main.js': cjs }, 'commonjs'],
  ['an ES module', 'main.mjs', { 'main.mjs': esm }, 'commonjs'],
  ['CommonJS, server.js an ES module', 'main.js', { 'main.js': cjs }, 'module'],
  ['an ES module, server.js another', 'main.mjs', { 'main.mjs': esm }, 'module'],
];

suite('a backend sees what it sees under node <entry>', () => {
  for (const { major, file: node } of availableNodes())
    for (const [what, main, files, host] of cases)
      for (const flags of [[], ['--no-deprecation']])
        test(`Node ${major}, ${what} ${flags}`, async t => {
          const dir = realpathSync(temporaryFolder(t));
          const start = ['node', ...flags, main, 'a', '-b'].join(' ');
          const { backend } = writeInstalled(dir, { packageJson: { scripts: { start } }, files });
          writeFileSync(join(dir, 'package.json'), JSON.stringify({ type: host }));
          writeFileSync(join(dir, '.env'), 'OF_DOTENV=1\nNPM_TOKEN=of-dotenv');
          const env = { PLAIN: '1' };
          const [first = '', ...words] = [...flags, join(backend, main), 'a', '-b'];
          const plain = await runNode(first, words, { cwd: dir, env, node });
          const token = { NPM_TOKEN: 'the-token' };
          const ours = await runNode('server.js', [], {
            cwd: dir,
            env: { ...env, ...token },
            node,
          });
          const [expected, seen] = [JSON.parse(plain.stdout), JSON.parse(ours.stdout || 'null')];
          // What docs/starting.md lists: the token's absence, .env, and one monitor in process.
          expected.environment.OF_DOTENV = '1';
          if (!flags.length) {
            expected.names = [...expected.names, 'uncaughtExceptionMonitor'].sort();
            for (const row of expected.listeners)
              if (row[0] === 'uncaughtExceptionMonitor') row[1]++;
          }
          assert.deepEqual(seen, expected, ours.stderr);
        });
});
