import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { renderServerFile } from '../src/start/server-file';
import { root } from './support/run';

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map(name => ({
    name: name.replaceAll('\\', '/'),
    text: readFileSync(join(root, 'src', name), 'utf8'),
  }));

/** Whose job a side effect is. Everything else gets it handed in, or does without. */
const jobs: [what: string, pattern: RegExp, where: RegExp][] = [
  ['reads process.env', /process\.env\b/, /^(io|start\/.*)\.ts$/],
  ['exits', /process\.(exit\(|exitCode)/, /^(cli|signals|start\/(become|launcher|pid-one))\.ts$/],
  ['prints', /console\.|process\.std(out|err)/, /^(cli|io|start\/.*)\.ts$/],
  // Node 20 collects such a signal before it fires; render/api/with-timeout.ts has what does.
  ['times out by AbortSignal.timeout', /AbortSignal\.timeout\(/, /^$/],
  [
    'starts processes',
    /node:child_process/,
    /^(npm\/run|publish\/preflight\/boot|start\/become)\.ts$/,
  ],
  ['reads the clock', /Date\.now|new Date\(\)/, /^(io|release\/activate)\.ts$/],
];
for (const [what, pattern, where] of jobs)
  test(`nobody else ${what}`, () => {
    const others = files
      .filter(({ name, text }) => pattern.test(text) && !where.test(name))
      .map(({ name }) => name);
    assert.deepEqual(others, []);
  });

test('nothing in the backend’s process that Node’s documentation does not describe', () => {
  const forbidden =
    /_resolveFilename|_preloadModules|_processChunk|setFlagsFromString|expose-gc|process\.abort|prepareStackTrace/;
  const own = files.filter(({ name }) => !/^install\//.test(name));
  assert.deepEqual(
    own.filter(({ text }) => forbidden.test(text)).map(({ name }) => name),
    [],
  );
});

test('imports go one way: commands, capabilities, edge', () => {
  const importsOf = (text: string) =>
    [...text.matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
      match => match[1] ?? match[2] ?? '',
    );
  for (const { name, text } of files) {
    const inCommands = name.startsWith('commands/') || name === 'cli.ts' || name === 'signals.ts';
    if (!inCommands)
      assert.deepEqual(
        importsOf(text).filter(path => /(^|\/)(commands\/|cli$)/.test(path)),
        [],
        `${name} imports a command`,
      );
    if (/^(errors|secret|io)\.ts$/.test(name))
      assert.deepEqual(
        importsOf(text).filter(path => !/^\.\/(errors|secret|io)$/.test(path)),
        [],
        `${name} is the edge`,
      );
  }
});

test('the start path loads no network code and no registry', () => {
  const launcher = readFileSync(join(root, 'dist/launcher.cjs'), 'utf8');
  assert.equal(
    /require\(["'](node:)?(http|https|net|tls|dns|zlib|worker_threads)["']\)/.test(launcher),
    false,
  );
  assert(launcher.length <= 18 * 1024, `${launcher.length} bytes`);
  assert(renderServerFile('10.20.30').length <= 1024);
});

test('no folder of leftovers, no file that grew too long', () => {
  assert.deepEqual(
    files.filter(({ name }) => /(^|\/)(utils|helpers|common)(\/|\.ts$)/.test(name)),
    [],
  );
  assert.deepEqual(
    files.filter(({ text }) => text.split('\n').length > 300).map(({ name }) => name),
    [],
  );
});

test('the installer uses public functions of Node only', () => {
  const inside = /_processChunk|_handle\b|_outBuffer|setFlagsFromString/;
  assert.deepEqual(
    files
      .filter(({ name, text }) => /^(install|lock|npm)\//.test(name) && inside.test(text))
      .map(({ name }) => name),
    [],
  );
});

test('nothing in the installer and the lock imports itself in a circle', () => {
  const imports = new Map(
    files.map(({ name, text }) => [
      name,
      [...text.matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
        match => `${posix.join(posix.dirname(name), match[1] ?? match[2] ?? '')}.ts`,
      ),
    ]),
  );
  for (const start of imports.keys()) {
    if (!/^(install|lock|npm)\//.test(start)) continue;
    const reached = new Set(imports.get(start));
    for (const name of reached) for (const next of imports.get(name) ?? []) reached.add(next);
    assert.equal(reached.has(start), false, `${start} reaches itself`);
  }
});

test('no registry host is written into the project', () => {
  const own = [
    ...files.map(({ text }) => text),
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
    ...['test', 'scripts'].flatMap(folder =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter(name => name.endsWith('.ts'))
        .map(name => readFileSync(join(root, folder, name), 'utf8')),
    ),
  ];
  assert.equal(
    own.some(text => /registry\.npm/.test(text) || /"resolved": "https?:/.test(text)),
    false,
  );
});
