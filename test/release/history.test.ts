import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { summarizeRuns } from '../../src/release/describe-runs';
import {
  failuresOf,
  goodReleases,
  type History,
  isCrashing,
  type Line,
  readLines,
} from '../../src/release/history';
import { addLine, readHistory } from '../../src/release/history-file';
import { layoutOf } from '../../src/release/layout';
import { temporaryFolder } from '../support/run';

const at = (n: number) => new Date(1_700_000_000_000 + n * 1000).toISOString();
const start = (key: string, pid: number): Line => ({
  is: 'start',
  key,
  pid,
  at: at(pid),
  cache: 'off',
});
const end = (key: string, pid: number, code: number): Line => ({
  is: 'end',
  key,
  pid,
  at: at(pid),
  code,
  seconds: 1,
});
const good = (key: string, pid: number): Line => ({ is: 'good', key, pid, at: at(pid + 10) });
const read = (lines: Line[], alive: number[] = []): History =>
  readLines(lines.map(line => JSON.stringify(line)).join('\n'), pid => alive.includes(pid));
let pids = 0;
/** Runs one after the other; null for an end that nobody saw. */
const runs = (key: string, codes: (number | null)[]): Line[] =>
  codes.flatMap(code => {
    const pid = ++pids;
    return code === null ? [start(key, pid)] : [start(key, pid), end(key, pid, code)];
  });
const forgiven: Line = { is: 'forgiven', key: 'a', at: at(0) };

suite('what the starts of a release say about it', () => {
  const cases: [string, Line[], boolean][] = [
    ['three failures in a row', runs('a', [1, 1, 1]), true],
    ['two are not enough', runs('a', [1, 1]), false],
    ['an asked end between them', runs('a', [1, 1, 143, 1]), false],
    ['Ctrl-C is no failure', runs('a', [130, 130, 130, 130]), false],
    ['a done job is good', runs('a', [1, 1, 0, 1, 1, 1]), false],
    ['ends that nobody saw', runs('a', [null, null, null]), true],
    ['a role that fails', runs('a#worker', [1, 1, 1]), true],
    ['another role is good', [...runs('a', [0]), ...runs('a#worker', [1, 1, 1])], false],
    ['forgiven', [...runs('a', [1, 1, 1]), forgiven], false],
    ['forgiven, and again', [...runs('a', [1, 1]), forgiven, ...runs('a', [1, 1, 1])], true],
    ['another release', runs('b', [1, 1, 1]), false],
  ];
  for (const [name, lines, wanted] of cases)
    test(name, () => assert.equal(isCrashing(read(lines), 'a'), wanted));

  test('who stayed up is no crash loop, though its health path never answered', () => {
    const stayed = [1, 2, 3].flatMap(pid => [
      start('a', pid),
      { is: 'stayed', key: 'a', pid, at: at(pid + 10) } as const,
    ]);
    assert.equal(isCrashing(read(stayed), 'a'), false);
    assert.equal(isCrashing(read(stayed.filter(({ is }) => is === 'start')), 'a'), true);
    assert.deepEqual(goodReleases(read(stayed)), []);
  });

  test('each role has counts of its own', () => {
    const lines = [...runs('a#web', [0]), ...runs('a#worker', [1, 1])];
    const { roles, starts, failures } = summarizeRuns(read(lines), 'a') ?? {};
    assert.deepEqual([starts, failures], [3, 2]);
    assert.deepEqual(
      [roles?.web?.starts, roles?.web?.failures, roles?.worker?.starts, roles?.worker?.failures],
      [1, 0, 2, 2],
    );
    assert.equal(roles?.worker?.goodAt, undefined);
    assert.equal(summarizeRuns(read(runs('a', [0])), 'a')?.roles, undefined);
  });

  test('an end with 0 proves nothing of who stayed up without an answer, in a short record too', t => {
    const stayed = (pid: number): Line => ({ is: 'stayed', key: 'a', pid, at: at(pid + 10) });
    const stopped = [start('a', 1), stayed(1), end('a', 1, 0)];
    assert.deepEqual(goodReleases(read(stopped)), []);
    assert.equal(failuresOf(read(stopped), 'a'), 0);
    const answered = [start('b', 2), { ...stayed(2), key: 'b' }, good('b', 2), end('b', 2, 0)];
    assert.deepEqual(goodReleases(read(answered)), ['b']);
    const layout = layoutOf(temporaryFolder(t));
    mkdirSync(layout.root);
    // The same number had a good job before.
    const lines = [start('c', 1), end('c', 1, 0), ...stopped, ...answered];
    for (const line of [...lines, ...runs('bad', Array(500).fill(1))]) addLine(layout, line);
    assert.deepEqual(goodReleases(readHistory(layout)).sort(), ['b', 'c']);
  });

  test('a good run ends the row, and its own later end is no failure', () => {
    const lines = [...runs('a', [1, 1]), start('a', 900), good('a', 900)];
    assert.equal(failuresOf(read(lines, [900]), 'a'), 2, 'it has not ended yet');
    const history = read([...lines, end('a', 900, 1)]);
    assert.deepEqual([failuresOf(history, 'a'), goodReleases(history)], [0, ['a']]);
  });

  test('a second process of the same release is no end of the first', () => {
    const history = read([start('a', 1), start('a', 2)], [1, 2]);
    assert.equal(failuresOf(history, 'a'), 0);
  });

  test('in a container every process is number 1', () => {
    const history = read([start('a', 1), start('a', 1)], [1]);
    assert.equal(failuresOf(history, 'a'), 1);
  });

  test('the newest proof comes first, and a damaged line is passed over', () => {
    const lines = [
      start('a', 1),
      good('a', 1),
      start('b', 2),
      good('b', 2),
      start('a', 50),
      good('a', 50),
    ];
    assert.deepEqual(goodReleases(read(lines)), ['a', 'b']);
    const text = `{"is":"sta\nnull\n7\n${lines.map(line => JSON.stringify(line)).join('\n')}\n{"is":`;
    assert.deepEqual(goodReleases(readLines(text, () => false)), ['a', 'b']);
  });

  test('the record is bounded, and the good release is never forgotten', t => {
    const layout = layoutOf(temporaryFolder(t));
    mkdirSync(layout.root);
    for (const line of [...runs('good', [0]), start('served', 7777), good('served', 7777)])
      addLine(layout, line);
    for (let i = 0; i < 1000; i++) {
      for (const line of runs(`bad${i % 50}`, [1])) addLine(layout, line);
      assert.ok(statSync(join(layout.root, 'starts.log')).size < 33_000);
    }
    assert.deepEqual(goodReleases(readHistory(layout)).sort(), ['good', 'served']);
  });

  test('a line that was cut off does not keep the record from being shortened', t => {
    const layout = layoutOf(temporaryFolder(t));
    mkdirSync(layout.root);
    const file = join(layout.root, 'starts.log');
    const lines = runs(
      'a',
      Array.from({ length: 300 }, () => 1),
    );
    const cut = '{"is":"good","key":"a","pid":10';
    writeFileSync(file, `${[cut, ...lines.map(line => JSON.stringify(line))].join('\n')}\n`);
    addLine(layout, start('b', 1_000_000));
    assert.ok(statSync(file).size < 32_768);
    assert.equal(readHistory(layout).runs.at(-1)?.key, 'b');
  });

  test('a disk that cannot be written loses the line and nothing else', () => {
    addLine(layoutOf('/nonexistent'), start('a', 1));
    assert.deepEqual(readHistory(layoutOf('/nonexistent')).runs, []);
  });
});
