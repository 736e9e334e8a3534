import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNpmKeys } from '../../src/registry/config/npm-keys';
import { parseNpmrc } from '../../src/registry/config/npmrc';

const cases: [npmrc: string, omit: string[], warned: RegExp[]][] = [
  ['', [], []],
  ['omit=dev', [], []],
  ['omit=optional', ['optional'], []],
  ['omit[]=optional\nomit[]=peer', ['optional', 'peer'], []],
  ['omit[]=dev\nomit[]=peer', ['peer'], []],
  ['optional=false', ['optional'], []],
  ['optional=true\nomit=optional', [], []],
  ['omit=optional\ninclude=optional', [], []],
  ['include=dev\nomit=peer', ['peer'], []],
  ['bin-links=false', [], [/^bin-links in .*does not count/]],
  ['bin-links=true', [], []],
];

for (const [npmrc, omit, warned] of cases)
  test(`of .npmrc ${JSON.stringify(npmrc)} leaves out ${omit.join(' and ') || 'nothing'}`, () => {
    const said: string[] = [];
    const level = { keys: parseNpmrc(npmrc, {}), from: '.npmrc' };
    assert.deepEqual(readNpmKeys([level], 0, text => said.push(text)).omit, omit);
    assert.equal(said.length, warned.length, said.join('\n'));
    for (const [i, pattern] of warned.entries()) assert.match(said[i] ?? '', pattern);
  });
