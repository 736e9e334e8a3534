import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SettingError } from '../../src/errors';
import type { Io } from '../../src/io';
import { Secret } from '../../src/secret';
import { Redactor } from '../../src/ui/redact';
import { Reporter } from '../../src/ui/reporter';
import { seconds, table } from '../../src/ui/text';

function setUp(
  options: {
    json?: boolean;
    quiet?: boolean;
    terminal?: boolean;
    env?: Record<string, string>;
  } = {},
) {
  let out = '';
  let err = '';
  const redactor = new Redactor();
  redactor.add(new Secret('topsecret'));
  const io = {
    env: options.env ?? {},
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    errIsTerminal: options.terminal ?? false,
  } as unknown as Io;
  const report = new Reporter(io, {
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    redactor,
  });
  return { report, out: () => out, err: () => err };
}

test('in a log: plain lines, no colour, results on stdout', () => {
  const { report, out, err } = setUp();
  report.progress('working');
  report.warn('careful');
  report.line('done');
  assert.equal(out(), 'done\n');
  assert.equal(err(), 'working\nwarning: careful\n');
});

test('on a terminal: one line that is rewritten and gone before a result', () => {
  const { report, err } = setUp({ terminal: true });
  report.progress('working');
  report.progress('1 %');
  report.line('done');
  assert.equal(err(), '\r\u001b[2Kworking\r\u001b[2K1 %\r\u001b[2K');
});

test('NO_COLOR and TERM=dumb mean no escape codes in failures', () => {
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const { report, err } = setUp({
      terminal: true,
      env: env as unknown as Record<string, string>,
    });
    report.fail(new SettingError('X', 'message', { fix: 'do this' }));
    assert.equal(err(), 'bootlace: X: message\n  fix: do this\n');
  }
});

test('--quiet leaves warnings and failures; --json leaves one document on stdout', () => {
  const quiet = setUp({ quiet: true });
  quiet.report.progress('working');
  quiet.report.line('done');
  quiet.report.warn('careful');
  assert.deepEqual([quiet.out(), quiet.err()], ['', 'warning: careful\n']);
  const json = setUp({ json: true });
  json.report.line('done');
  json.report.fail(new SettingError('X', 'message', { fix: 'do this', facts: { a: 1 } }));
  assert.deepEqual(JSON.parse(json.out()), {
    ok: false,
    error: { code: 'X', exitCode: 3, message: 'message', fix: 'do this', facts: { a: 1 } },
  });
});

test('secrets and control characters of others never reach the screen', () => {
  const { report, out, err } = setUp();
  report.line('a topsecret b');
  report.warn('a\u001b[31mred\u001b[0m\u0007\rtopsecret');
  report.bug(new Error('topsecret'));
  assert.equal(out(), 'a *** b\n');
  assert.equal(err().includes('topsecret') || /[\u001b\u0007\r]/.test(err()), false);
});

test('texts', () => {
  assert.equal(seconds(860), '0.9 s');
  assert.equal(seconds(125_000), '2 min 5 s');
  assert.deepEqual(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
    ['a    bb', 'ccc  d'],
  );
});
