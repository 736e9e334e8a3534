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

/**
 * The launcher, installer, registry and host's commands are 12,700 of them, deploys on Render 5,100
 * with their commands, what a publisher types 1,400, the files that `init` writes 1,400, and `check` of
 * Blueprints 2,000.
 */
const mostLines = 22_600;

/** Whose job a side effect is. Everything else gets it handed in, or does without. */
const jobs: [what: string, pattern: RegExp, where: RegExp][] = [
  ['reads process.env', /process\.env\b/, /^(io|start\/.*)\.ts$/],
  ['exits', /process\.(exit\(|exitCode)/, /^(cli|signals|start\/(become|launcher))\.ts$/],
  ['prints', /console\.|process\.std(out|err)/, /^(cli|io|start\/.*)\.ts$/],
  // Node 20 collects such a signal before it fires; render/api/fetch-text.ts has what does.
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
    /_resolveFilename|_preloadModules|_processChunk|_outBuffer|setFlagsFromString|expose-gc|process\.abort|prepareStackTrace/;
  assert.deepEqual(
    files.filter(({ text }) => forbidden.test(text)).map(({ name }) => name),
    [],
  );
  const raw = files.filter(
    ({ name, text }) => /^registry\//.test(name) && /net'|\bconnect\(/.test(text),
  );
  assert.deepEqual(
    raw.map(({ name }) => name),
    [],
    'the registry is asked by HTTP clients only',
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

test('nothing imports itself in a circle', () => {
  const imports = new Map(
    files.map(({ name, text }) => [
      name,
      [...text.matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
        match => `${posix.join(posix.dirname(name), match[1] ?? match[2] ?? '')}.ts`,
      ),
    ]),
  );
  for (const start of imports.keys()) {
    const reached = new Set(imports.get(start));
    for (const name of reached) for (const next of imports.get(name) ?? []) reached.add(next);
    assert.equal(reached.has(start), false, `${start} reaches itself`);
  }
});

test('the house does not grow unseen', () => {
  const lines = files.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  assert(lines <= mostLines, `${lines} lines: remove some, or say here which duty needs more`);
  const folders = new Map<string, number>();
  for (const { name } of files)
    folders.set(posix.dirname(name), (folders.get(posix.dirname(name)) ?? 0) + 1);
  assert.deepEqual(
    [...folders].filter(([, count]) => count > 16).map(([folder]) => folder),
    [],
  );
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
