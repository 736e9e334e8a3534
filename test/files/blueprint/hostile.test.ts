import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { bootlace, root, temporaryFolder } from '../../support/run';
import { check, realBlueprints } from './support';

const size = 999_000;
const fill = (piece: string) => piece.repeat(Math.floor(size / piece.length));
const service = (fields: string) => `services:\n  - type: web\n    name: a\n    ${fields}`;
const many = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
/** Each level stands for ten of the level below. */
const bomb = (level: (i: number, list: string) => string) =>
  `a0: &a0 {x: 1}\n${many(12, i => level(i + 1, Array(10).fill(`*a${i}`).join(',')))}`;

/** Text that was written to harm: its first finding. */
const texts: [name: string, text: string, code: string | undefined][] = [
  ['[ a million times', fill('['), 'NESTING_TOO_DEEP'],
  ['{ a million times', fill('{'), 'NESTING_TOO_DEEP'],
  ['20,000 levels of a list', '- '.repeat(20_000), 'NESTING_TOO_DEEP'],
  ['20,000 keys of keys', '? '.repeat(20_000), 'NESTING_TOO_DEEP'],
  ['1,300 levels of maps', many(1_300, i => `${' '.repeat(i)}a:`), 'NESTING_TOO_DEEP'],
  ['10 MB', 'a'.repeat(10_000_000), 'FILE_TOO_LARGE'],
  ['] a million times', fill(']'), 'FILE_TOO_LARGE'],
  ['commas', `[${fill(',')}`, 'FILE_TOO_LARGE'],
  ['line breaks', fill('\n'), 'FILE_TOO_LARGE'],
  ['documents', fill('---\n'), 'FILE_TOO_LARGE'],
  ['directives', fill('%YAML 1.2\n'), 'BLUEPRINT_EMPTY'],
  ['blanks', fill(' '), 'BLUEPRINT_EMPTY'],
  ['tabs', fill('\t'), 'BLUEPRINT_EMPTY'],
  ['comments', '# nothing else\n', 'BLUEPRINT_EMPTY'],
  ['nothing', '', 'BLUEPRINT_EMPTY'],
  ['a quote that stays open', `"${fill('a')}`, 'YAML_INVALID'],
  ['24,000 keys of one map', many(24_000, i => `a${i}: 1`), 'FIELD_UNKNOWN'],
  ['65,000 items', `[${'a,'.repeat(65_000)}]`, 'TYPE_INVALID'],
  ['aliases of aliases', bomb((i, list) => `a${i}: &a${i} [${list}]`), 'ALIAS_INVALID'],
  ['merges of merges', bomb((i, list) => `a${i}: &a${i} {<<: [${list}]}`), 'ALIAS_INVALID'],
  ['a cycle', 'services: &a\n  - *a\n', 'ALIAS_INVALID'],
  ['a cycle by a merge', 'a: &a\n  <<: *a\n', 'ALIAS_INVALID'],
  ['an alias of nothing', 'services: *a\n', 'ALIAS_INVALID'],
  ['a tab as indent', 'services:\n\t- type: web\n', 'YAML_INVALID'],
  ['a list as key', '? [a]\n: 1\n', 'KEY_INVALID'],
  ['__proto__', '__proto__: {services: []}\nconstructor: 1\n', 'FIELD_UNKNOWN'],
  ['binary', '\0\u0001\uffff\ud800', 'TYPE_INVALID'],
  ['tags', 'services: !!set {a, b}\n', 'TYPE_INVALID'],
  [
    '2,400 references that lead nowhere',
    `services:\n${many(2_400, i => `  - {type: web, name: service-${i}, runtime: docker, envVars: [{key: A, fromService: {type: web, name: servant-${i}, property: host}}]}`)}`,
    'REFERENCE_MISSING',
  ],
];
for (const [name, text, code] of texts)
  test(`hostile: ${name}`, () => assert.equal(check(text)[0]?.code, code));

/** Text on which an expression that goes back and forth would take minutes. */
const commands = [
  ['startCommand', fill('--bind=')],
  ['startCommand', fill('-b x')],
  ['startCommand', fill('typeorm')],
  ['startCommand', fill('goose ')],
  ['startCommand', fill('/bootlace@')],
  ['startCommand', fill('a')],
  ['startCommand', fill('./a/')],
  ['buildCommand', fill('\\n')],
  ['buildCommand', fill('; cd ')],
  ['rootDir', `${fill('/')}a`],
  ['envVars', '[{key: NODE_VERSION, value: "', fill(' '), '!"}]'],
  ['envVars', '[{key: A_SECRET, value: "', fill('${a'), '"}]'],
] as const;

test('within 200 MB and 2 seconds of processor time, whatever the text', {
  timeout: 300_000,
}, t => {
  const folder = temporaryFolder(t);
  const script = join(folder, 'run.js');
  writeFileSync(
    script,
    `const { checkBlueprint } = require(${JSON.stringify(join(root, 'dist/blueprint.js'))});
     const text = require('node:fs').readFileSync(process.argv[2], 'utf8');
     const nothing = () => undefined;
     checkBlueprint(text, 'render.yaml', { blueprint: '', text: nothing, manifest: nothing, isExecutable: nothing, packageFolder: nothing });
     const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
     console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, megabytes: maxRSS / 1024 }));`,
  );
  const cases = [
    ...texts.map(([name, text]) => [name, text] as const),
    ...commands.map(([key, ...rest]) => {
      const value = rest.length > 1 ? rest.join('') : `"${rest[0]}"`;
      return [`${key}: ${value.slice(0, 20)}`, service(`${key}: ${value}`)] as const;
    }),
  ];
  let slowest = 0;
  let largest = 0;
  for (const [name, text] of cases) {
    const file = join(folder, 'render.yaml');
    writeFileSync(file, text);
    const use = () => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [script, file], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      assert.equal(status, 0, `${name}: ${stderr}`);
      return JSON.parse(stdout) as { seconds: number; megabytes: number };
    };
    let { seconds, megabytes } = use();
    // On a machine that others use as well, the same work takes more processor time.
    for (let again = 0; again < 2 && seconds >= 2; again++) ({ seconds, megabytes } = use());
    slowest = Math.max(slowest, seconds);
    largest = Math.max(largest, megabytes);
    assert(seconds < 2, `${name}: ${seconds} s`);
    assert(megabytes < 200, `${name}: ${megabytes} MB`);
  }
  t.diagnostic(`at most ${slowest} s and ${Math.round(largest)} MB`);
});

test('fuzz: any text gives findings, each with a place', () => {
  const files = realBlueprints();
  const real = typeof files === 'string' ? ['services:\n  - type: web\n'] : files.map(f => f.text);
  const pieces = [
    '&a ',
    '*a',
    '<<: ',
    '- ',
    ': ',
    '\t',
    '\n',
    '  ',
    '{',
    '}',
    '[',
    ']',
    '!!str ',
    '|',
    '>-',
    '? ',
    '"',
    "'",
    '#',
    '%',
    '---\n',
    '\0',
    'null',
    '~',
    '\r',
    '\ufeff',
  ];
  const yaml = fc
    .array(
      fc.oneof(
        fc.constantFrom(...pieces, 'services', 'type', 'web', 'envVars', 'key'),
        fc.string({ maxLength: 4 }),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 60 },
    )
    .map(list => list.join(''));
  const spoiled = fc
    .tuple(fc.constantFrom(...real), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(20), yaml)
    .map(([text, where, cut, piece]) => {
      const at = Math.floor(text.length * where);
      return text.slice(0, at) + piece + text.slice(at + cut);
    });
  fc.assert(
    fc.property(fc.oneof(yaml, spoiled), text => {
      const lines = text.split('\n').length + 1;
      for (const { line = 0, column = 0, code, message, fix } of check(text)) {
        assert(line >= 1 && line <= lines && column >= 1, `${code} at ${line}:${column}`);
        assert(message.length > 0 && fix.length > 0, code);
      }
    }),
    { numRuns: 2_000, seed: 7 },
  );
});

test('fuzz: any values in the place of any field', () => {
  const fields = [
    'type',
    'name',
    'runtime',
    'plan',
    'envVars',
    'key',
    'value',
    'fromService',
    'fromDatabase',
    'fromGroup',
    'disk',
    'scaling',
    'image',
    'rootDir',
    'startCommand',
    'buildCommand',
    'dockerContext',
    'ipAllowList',
    'source',
    'services',
    'databases',
    'envVarGroups',
    'property',
    'envVarKey',
    'schedule',
    'environments',
    '__proto__',
    'constructor',
    'toString',
  ];
  const { tree } = fc.letrec(tie => ({
    tree: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      fc.constantFrom(
        'web',
        'cron',
        'keyvalue',
        'node',
        'docker',
        'static',
        'constructor',
        '__proto__',
        'image',
        'free',
        'a',
        '',
        'DATABASE_URL',
        'BACKEND_VERSION',
        'npx bootlace setup',
        0,
        1,
        3.1,
        true,
        false,
        null,
      ),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...fields), tie('tree'), { maxKeys: 6 }),
    ),
  }));
  const root = fc.record(
    { services: tree, databases: tree, envVarGroups: tree, projects: tree, ungrouped: tree },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(root, value => {
      for (const { fix } of check(JSON.stringify(value))) assert(fix.length > 0);
    }),
    { numRuns: 2_000, seed: 7 },
  );
});

test('the command refuses a large file unread', async t => {
  const cwd = temporaryFolder(t);
  writeFileSync(join(cwd, 'render.yaml'), 'a'.repeat(10_000_000));
  const { code, stderr } = await bootlace(['check', 'render.yaml'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /BLUEPRINT_TOO_LARGE/);
});
