import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
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
  [
    'exits',
    /process\.(exit\(|exitCode)/,
    /^(cli|signals|start\/(at-exit|become|server|pid-one))\.ts$/,
  ],
  ['prints', /console\.|process\.std(out|err)/, /^(cli|io|start\/.*)\.ts$/],
  // Node 20 collects such a signal before it fires; render/api/with-timeout.ts has what does.
  ['times out by AbortSignal.timeout', /AbortSignal\.timeout\(/, /^$/],
  ['starts processes', /node:child_process/, /^(install\/run-npm|setup\/warm|start\/become)\.ts$/],
  [
    'reads the clock',
    /Date\.now|new Date\(\)/,
    /^(io|release\/activate|setup\/fall-back|start\/record-run)\.ts$/,
  ],
];
for (const [what, pattern, where] of jobs)
  test(`nobody else ${what}`, () => {
    const others = files
      .filter(({ name, text }) => pattern.test(text) && !where.test(name))
      .map(({ name }) => name);
    assert.deepEqual(others, []);
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
  const launcher = readFileSync(join(root, 'dist/launcher.js'), 'utf8');
  assert.equal(
    /require\(["'](node:)?(http|https|net|tls|dns|zlib|worker_threads)["']\)/.test(launcher),
    false,
  );
  assert(launcher.length < 42_500, `${launcher.length} bytes`);
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
