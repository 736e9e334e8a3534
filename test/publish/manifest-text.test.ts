import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToFiles } from '../../src/publish/manifest-text';

const cases: [name: string, before: string, after: string][] = [
  ['no list', '{"name":"a"}', '{"name":"a"}'],
  ['one line', '{"files":["dist"]}', '{"files":["dist", "l.json"]}'],
  ['an empty list', '{"files": [ ]}', '{"files": ["l.json"]}'],
  [
    'four blanks, one name a line',
    '{\n    "files": [\n        "dist"\n    ],\n    "main": "a"\n}\n',
    '{\n    "files": [\n        "dist",\n        "l.json"\n    ],\n    "main": "a"\n}\n',
  ],
  [
    'tabs and CRLF',
    '{\r\n\t"files": [\r\n\t\t"dist"\r\n\t]\r\n}',
    '{\r\n\t"files": [\r\n\t\t"dist",\r\n\t\t"l.json"\r\n\t]\r\n}',
  ],
  ['named already', '{"files":["l.json"]}', '{"files":["l.json"]}'],
  ['named with a dot', '{"files":["./l.json"]}', '{"files":["./l.json"]}'],
  ['covered by a pattern', '{"files":["**/*"]}', '{"files":["**/*"]}'],
  ['covered by *.json', '{"files":["*.json"]}', '{"files":["*.json"]}'],
  ['taken out again', '{"files":["*", "!l.json"]}', '{"files":["*", "!l.json", "l.json"]}'],
  ['a pattern for below', '{"files":["dist/**/*"]}', '{"files":["dist/**/*", "l.json"]}'],
  [
    'the same key deeper and in a text',
    '{"x":{"files":["no"]},"y":"\\"files\\": [","files":["a]"]}',
    '{"x":{"files":["no"]},"y":"\\"files\\": [","files":["a]", "l.json"]}',
  ],
  ['no list but a text', '{"files":"dist"}', '{"files":"dist"}'],
];

for (const [name, before, after] of cases)
  test(`files: ${name}`, () => {
    const done = addToFiles(before, 'l.json');
    assert.equal(done, after);
    assert.equal(addToFiles(done, 'l.json'), done);
  });
