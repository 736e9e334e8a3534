import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandWord } from '../../src/settings/words';
import { chooseEntry, type PackageJson } from '../../src/start/plan/entry';
import { parseStartScript } from '../../src/start/plan/start-script';

const scripts: [
  text: string,
  parsed: { env?: string; flags?: string; file: string; args?: string } | undefined,
][] = [
  ['node dist/main.js', { file: 'dist/main.js' }],
  ['node .', { file: '.' }],
  ['exec node server.js', { file: 'server.js' }],
  ['NODE_ENV=production exec node server.js', { env: 'NODE_ENV=production', file: 'server.js' }],
  ['TZ=UTC node ./dist/server.js', { env: 'TZ=UTC', file: './dist/server.js' }],
  [
    'A=1 B="x y" node --enable-source-maps a.js -p ${PORT:-8080}',
    { env: 'A=1 B=x y', flags: '--enable-source-maps', file: 'a.js', args: '-p 8080' },
  ],
  ['node -r dotenv/config a.js', { flags: '-r dotenv/config', file: 'a.js' }],
  [
    'node --require=./x.js --import ./y.mjs a.js',
    { flags: '--require=./x.js --import ./y.mjs', file: 'a.js' },
  ],
  [
    'node --max-old-space-size=300 a.js --max',
    { flags: '--max-old-space-size=300', file: 'a.js', args: '--max' },
  ],
  ['node -- a.js', { file: 'a.js' }],
  ['nodejs a.js', { file: 'a.js' }],
  ['node', undefined],
  ['node -e "1"', undefined],
  ['node --eval=1 a.js', undefined],
  ['node --watch a.js', undefined],
  ['node --test', undefined],
  ['npm run build && node a.js', undefined],
  ['node a.js | pino-pretty', undefined],
  ['babel-node a.js', undefined],
  ['nest start', undefined],
  ['cross-env A=1 node a.js', undefined],
  ['node $FILE', undefined],
];
for (const [text, expected] of scripts)
  test(`scripts.start ${JSON.stringify(text)}`, () => {
    const parsed = parseStartScript(text);
    const join = (words: readonly Parameters<typeof expandWord>[0][] | undefined) =>
      words?.map(word => expandWord(word, {})).join(' ') || undefined;
    const plain = parsed && {
      env:
        parsed.env.map(([name, word]) => `${name}=${expandWord(word, {})}`).join(' ') || undefined,
      flags: join(parsed.flags),
      file: parsed.file,
      args: join(parsed.args),
    };
    assert.deepEqual(
      plain,
      expected && { env: undefined, flags: undefined, args: undefined, ...expected },
    );
  });

const files = [
  'red.js',
  'lib/red.js',
  'dist/main.js',
  'dist/worker.js',
  'bin/cli.js',
  'bin/other.js',
  'esm.mjs',
];
const find =
  (extra: readonly string[] = []) =>
  (path: string) => {
    const plain = path.replace(/^\.\//, '');
    return [plain, `${plain}.js`].find(name => [...files, ...extra].includes(name));
  };

interface Row {
  name: string;
  json: PackageJson;
  asked?: string;
  files?: string[];
  file?: string;
  why?: string;
  failure?: string;
}
const rows: Row[] = [
  {
    name: 'scripts.start before bin and main',
    json: {
      name: 'a',
      scripts: { start: 'node red.js' },
      bin: { a: 'bin/cli.js' },
      main: 'lib/red.js',
    },
    file: 'red.js',
    why: 'scripts.start',
  },
  {
    name: 'a start script whose file is missing is passed over',
    json: { name: 'a', scripts: { start: 'node src/x.ts' }, main: 'lib/red' },
    file: 'lib/red.js',
    why: 'main',
  },
  {
    name: 'a start script that is not node is passed over',
    json: { name: 'a', scripts: { start: 'nest start' }, bin: 'bin/cli.js' },
    file: 'bin/cli.js',
    why: 'bin a',
  },
  {
    name: "the bin with the package's unscoped name",
    json: { name: '@acme/a', bin: { a: './bin/cli.js', b: 'bin/other.js' }, main: 'lib/red.js' },
    file: 'bin/cli.js',
    why: 'bin a',
  },
  {
    name: 'exports before main',
    json: { name: 'a', exports: './dist/main.js', main: 'lib/red.js' },
    file: 'dist/main.js',
    why: 'exports',
  },
  {
    name: 'exports with conditions',
    json: {
      name: 'a',
      exports: { '.': { types: './x.d.ts', import: './esm.mjs', require: './dist/main.js' } },
    },
    file: 'dist/main.js',
    why: 'exports',
  },
  {
    name: 'exports with conditions of an ES module',
    json: {
      name: 'a',
      type: 'module',
      exports: { import: './esm.mjs', require: './dist/main.js' },
    },
    file: 'esm.mjs',
    why: 'exports',
  },
  {
    name: 'exports with import only',
    json: { name: 'a', exports: { '.': { import: './esm.mjs' } } },
    file: 'esm.mjs',
    why: 'exports',
  },
  { name: 'index.js', json: { name: 'a' }, files: ['index.js'], file: 'index.js', why: 'index.js' },
  {
    name: 'the only bin',
    json: { name: 'a', bin: { serve: 'bin/cli.js' } },
    file: 'bin/cli.js',
    why: 'the only bin, serve',
  },
  {
    name: 'two bins',
    json: { name: 'a', bin: { x: 'bin/cli.js', y: 'bin/other.js' } },
    failure: 'ENTRY_AMBIGUOUS',
  },
  { name: 'nothing', json: { name: 'a', main: 'gone.js' }, failure: 'ENTRY_MISSING' },
  {
    name: 'asked: a file',
    json: { name: 'a', scripts: { start: 'node red.js' } },
    asked: 'dist/worker.js',
    file: 'dist/worker.js',
    why: 'BACKEND_ENTRY',
  },
  {
    name: 'asked: a file without extension',
    json: { name: 'a' },
    asked: './dist/worker',
    file: 'dist/worker.js',
    why: 'BACKEND_ENTRY',
  },
  {
    name: 'asked: a bin',
    json: { name: 'a', bin: { y: 'bin/other.js' } },
    asked: 'y',
    file: 'bin/other.js',
    why: 'BACKEND_ENTRY, bin y',
  },
  {
    name: 'asked: an export',
    json: { name: 'a', exports: { './worker': { default: './dist/worker.js' } } },
    asked: './worker',
    file: 'dist/worker.js',
    why: 'BACKEND_ENTRY, export ./worker',
  },
  {
    name: 'asked: nothing of the kind',
    json: { name: 'a' },
    asked: 'nope',
    failure: 'ENTRY_NOT_FOUND',
  },
  {
    name: 'malformed fields',
    json: { name: 'a', bin: { x: 1 }, main: [], exports: 7, scripts: 'x' } as PackageJson,
    failure: 'ENTRY_MISSING',
  },
  {
    name: 'no name',
    json: { name: null, bin: 'cli.js' } as unknown as PackageJson,
    files: [],
    failure: 'ENTRY_MISSING',
  },
];
for (const row of rows)
  test(`entry: ${row.name}`, () => {
    const choice = chooseEntry(row.json, row.asked, find(row.files));
    if ('entry' in choice)
      assert.deepEqual([choice.entry.file, choice.entry.why], [row.file, row.why]);
    else assert.equal(choice.failure, row.failure);
  });

test('a guess names what else there is', () => {
  const choice = chooseEntry(
    {
      name: 'a',
      main: 'lib/red.js',
      bin: { serve: 'bin/cli.js' },
      scripts: { start: 'nest start' },
    },
    undefined,
    find(),
  );
  assert.deepEqual('entry' in choice && choice.entry.unused, [
    'the bin serve',
    'scripts.start (nest start)',
  ]);
});

test('a failure lists the candidates', () => {
  const choice = chooseEntry(
    {
      name: 'a',
      bin: { x: 'bin/cli.js', y: 'bin/other.js' },
      exports: { './w': './dist/worker.js' },
    },
    undefined,
    find(),
  );
  assert.deepEqual('candidates' in choice && choice.candidates, ['x', 'y', './w', 'dist/main.js']);
});
