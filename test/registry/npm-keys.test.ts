import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExcluded, readNpmKeys } from '../../src/registry/config/npm-keys';
import { parseNpmrc } from '../../src/registry/config/npmrc';

const now = Date.parse('2026-06-15T12:00:00Z');

function read(...texts: string[]) {
  const warnings: string[] = [];
  const levels = texts.map((text, i) => ({ from: `level ${i}`, keys: parseNpmrc(text, {}) }));
  return { ...readNpmKeys(levels, now, sentence => warnings.push(sentence)), warnings };
}

const ages: [texts: string[], before: string | undefined, from?: RegExp][] = [
  [[''], undefined],
  [['min-release-age=3'], '2026-06-12T12:00:00.000Z', /^min-release-age=3 in level 0$/],
  [['min-release-age=0.5'], '2026-06-15T00:00:00.000Z'],
  [['before=2026-01-01'], '2026-01-01T00:00:00.000Z', /^before=2026-01-01 in level 0$/],
  [['before=2026-01-01\nmin-release-age=3'], '2026-01-01T00:00:00.000Z'],
  [['min-release-age=3', 'before=2026-01-01'], '2026-06-12T12:00:00.000Z'],
  [['', 'min-release-age=3'], '2026-06-12T12:00:00.000Z', /level 1/],
  // An upper level may take it back, as in npm.
  [['min-release-age=0', 'before=2026-01-01'], undefined],
  [['before=null', 'min-release-age=3'], '2026-06-12T12:00:00.000Z'],
];
for (const [texts, before, from = /^/] of ages)
  test(`before: ${JSON.stringify(texts)}`, () => {
    const keys = read(...texts);
    assert.equal(keys.before?.value.toISOString(), before);
    if (before) assert.match(String(keys.before?.from), from);
    assert.deepEqual(keys.warnings, []);
  });

for (const text of ['min-release-age=soon', 'before=yesterday', 'before=${UNSET}'])
  test(`${text} does not count, and that is said`, () => {
    const { before, warnings } = read(text);
    assert.equal(before, undefined);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /^(before|min-release-age) in level 0 .*does not count$/);
  });

const said: [text: string, keys: string[]][] = [
  ['strict-peer-deps=true', ['strict-peer-deps']],
  ['strict-peer-deps=false', []],
  ['tag=next', ['tag']],
  ['tag=latest', []],
  ['install-strategy=linked', ['install-strategy']],
  ['os=darwin\ncpu=arm64', ['cpu', 'os']],
  ['engine-strict=true\nprefer-dedupe=true', ['engine-strict', 'prefer-dedupe']],
  ['fund=false\naudit=false\nsave-exact=true\nloglevel=error', []],
];
for (const [text, keys] of said)
  test(`keys that are not honoured are said: ${JSON.stringify(text)}`, () =>
    assert.deepEqual(
      read(text).warnings,
      keys.map(key => `${key} in level 0 does not count: bootlace does not honour it`),
    ));

const excluded: [name: string, patterns: string[], is: boolean][] = [
  ['left', ['left'], true],
  ['lefty', ['left'], false],
  ['@acme/backend', ['@acme/*'], true],
  ['@acme.evil/backend', ['@acme/*'], false],
  ['@acme/backend', ['*'], false],
  ['left.pad', ['left?pad', 'left+'], false],
  ['left', [], false],
];
for (const [name, patterns, is] of excluded)
  test(`min-release-age-exclude ${patterns}: ${name}`, () =>
    assert.equal(isExcluded(name, patterns), is));
