import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Io } from '../../src/io';
import { Secret } from '../../src/secret';
import { type Finding, reportFindings } from '../../src/ui/findings';
import { Redactor } from '../../src/ui/redact';
import { Reporter } from '../../src/ui/reporter';

function run(
  findings: readonly Finding[],
  flags: { json?: boolean; quiet?: boolean } = {},
  { strict = false, env = {} as Record<string, string> } = {},
) {
  let out = '';
  let err = '';
  const io = {
    env,
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  } as unknown as Io;
  const redactor = new Redactor();
  redactor.add(new Secret('topsecret'));
  const { json = false, quiet = false } = flags;
  const report = new Reporter(io, { json, quiet, redactor });
  return { code: reportFindings(findings, { io, report, flags }, strict), out, err };
}

const error: Finding = {
  file: 'render.yaml',
  line: 3,
  column: 5,
  severity: 'error',
  code: 'FIELD_UNKNOWN',
  path: 'services[0].nodeVersion',
  message: 'a web service has no field "nodeVersion"',
  fix: 'write NODE_VERSION',
};
const warning: Finding = {
  file: 'package.json',
  severity: 'warning',
  code: 'LOCK_MISSING',
  message: 'there is no lock',
  fix: 'run: npx bootlace lock',
};

test('two lines a finding, and a count', () => {
  const { out, err } = run([error, warning]);
  assert.equal(
    out,
    [
      'render.yaml:3:5: error FIELD_UNKNOWN services[0].nodeVersion: a web service has no field "nodeVersion"',
      '  fix: write NODE_VERSION',
      'package.json: warning LOCK_MISSING: there is no lock',
      '  fix: run: npx bootlace lock',
      '1 error, 1 warning',
      '',
    ].join('\n'),
  );
  assert.equal(err, '');
  assert.equal(run([]).out, 'nothing to mend\n');
});

const codes: [findings: Finding[], strict: boolean, code: number][] = [
  [[], false, 0],
  [[], true, 0],
  [[warning], false, 0],
  [[warning], true, 3],
  [[error], false, 3],
  [[warning, error], false, 3],
];
for (const [findings, strict, code] of codes)
  test(`${findings.map(({ severity }) => severity)}${strict ? ' --strict' : ''} → ${code}`, () =>
    assert.equal(run(findings, {}, { strict }).code, code));

test('--json: one document; --quiet: the findings, on stderr', () => {
  const json = run([error, warning], { json: true });
  assert.deepEqual(JSON.parse(json.out), {
    ok: false,
    errors: 1,
    warnings: 1,
    findings: [error, warning],
  });
  assert.equal(json.err, '');
  const quiet = run([warning], { quiet: true });
  assert.equal(quiet.out, '');
  assert.equal(
    quiet.err,
    'package.json: warning LOCK_MISSING: there is no lock\n  fix: run: npx bootlace lock\n',
  );
});

test('in GitHub Actions: annotations that no text can break out of', () => {
  const env = { GITHUB_ACTIONS: 'true' };
  const { err } = run([error, warning], {}, { env });
  assert.equal(
    err,
    [
      '::error file=render.yaml,line=3,col=5,title=FIELD_UNKNOWN::services[0].nodeVersion: a web service has no field "nodeVersion". fix: write NODE_VERSION',
      '::warning file=package.json,title=LOCK_MISSING::there is no lock. fix: run: npx bootlace lock',
      '',
    ].join('\n'),
  );
  const hostile = {
    ...error,
    file: 'a,b:c\n::error::x',
    message: '100 %\n::set-output::topsecret',
  };
  const spoiled = run([hostile], {}, { env });
  assert.deepEqual(
    (spoiled.err + spoiled.out).split('\n').filter(line => line.startsWith('::')),
    [
      '::error file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3Ax,line=3,col=5,title=FIELD_UNKNOWN::services[0].nodeVersion: 100 %25%0A::set-output::***. fix: write NODE_VERSION',
    ],
  );
  assert.equal((spoiled.err + spoiled.out).includes('topsecret'), false);
});
