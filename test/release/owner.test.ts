import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ownLabel, stateOf } from '../../src/release/owner';

const [host, , where, began] = ownLabel().split('-');

const cases: [label: string, state: string | undefined][] = [
  [ownLabel(), 'alive'],
  [`${ownLabel()}-1.0.0-0123456789`, 'alive'],
  [`${host}-${process.pid}-${where}-1`, 'gone'],
  [`${host}-4194304-${where}-${began}`, 'gone'],
  [`${host}-${process.pid}-0123456789-${began}`, 'unseen'],
  [`other-${process.pid}-${where}-${began}`, 'unseen'],
  [`${host}-${process.pid}`, undefined],
  [`${host}-${process.pid}-AbCdEf`, undefined],
  ['', undefined],
];
test('whose a label is', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  for (const [label, state] of cases) assert.equal(stateOf(label), state, label);
});

test('a process that has ended and keeps its number is gone', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async t => {
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60']);
  t.after(() => parent.kill());
  const [pid] = String(await once(parent.stdout, 'data')).split('\n');
  const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
  const label = `${host}-${pid}-${where}-${stat().split(' ')[19]}`;
  assert.equal(stateOf(label), 'alive');
  while (!stat().startsWith('Z')) await new Promise(resolve => setTimeout(resolve, 20));
  assert.equal(stateOf(label), 'gone');
});
