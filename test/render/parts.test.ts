import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHook } from '../../src/render/api/hook';
import {
  classOf,
  newestFirst,
  parseDeploy,
  parsePage,
  parseService,
} from '../../src/render/api/model';
import { createPacer, createRequester } from '../../src/render/api/request';
import {
  emptyRecord,
  parseRecord,
  renderRecord,
  withLeft,
  withProven,
} from '../../src/render/move/record';
import { parseVersionPlace, readVersionAt, sameVersion } from '../../src/render/proof/address';
import { parseStartLine } from '../../src/render/proof/start-lines';
import { readAccess } from '../../src/render/session';
import { Secret } from '../../src/secret';
import { fakeClock } from '../support/clock';
import { serve } from '../support/servers';

const deploy = (status: string, createdAt = '2026-03-01T00:00:00Z') =>
  parseDeploy({ id: `dep-${status}`, status, createdAt });

test('what a status means', () => {
  const table = {
    running: [
      'created',
      'queued',
      'build_in_progress',
      'pre_deploy_in_progress',
      'update_in_progress',
      'tomorrow',
    ],
    live: ['live'],
    superseded: ['deactivated'],
    failed: ['build_failed', 'pre_deploy_failed', 'update_failed', 'canceled'],
  };
  for (const [wanted, statuses] of Object.entries(table))
    for (const status of statuses) assert.equal(classOf(deploy(status)), wanted, status);
});

test('deploys are sorted by time, whatever their fractions', () => {
  const times = ['2026-03-01T00:00:05Z', '2026-03-01T00:00:05.777Z', '2026-03-01T01:00:04+01:00'];
  const sorted = newestFirst(times.map(time => deploy('live', time)));
  assert.deepEqual(
    sorted.map(({ createdAt }) => createdAt),
    [times[1], times[0], times[2]],
  );
});

test('a start line, as the launcher writes it and as logs carry it', () => {
  const line = (message: string) => {
    const { timestamp, instance, ...rest } = parseStartLine({
      id: '1',
      message,
      timestamp: '',
      instance: undefined,
    }) ?? { timestamp: '', instance: '' };
    return rest;
  };
  const table: [string, object][] = [
    [
      'bootlace: starting @acme/backend@1.2.3: dist/main.js (main)',
      { package: '@acme/backend', version: '1.2.3' },
    ],
    [
      'bootlace: starting backend@1.2.3-rc.1: a b.js (scripts.start) deploy=ab12',
      { package: 'backend', version: '1.2.3-rc.1' },
    ],
    [
      '\u001b[2m10:00\u001b[0m bootlace: starting b@1.0.0: x (main) deploy=n\u001b[0m\n',
      { package: 'b', version: '1.0.0' },
    ],
    ['bootlace: starting b@1.0.0', {}],
    ['the backend: starting b@1.0.0: x', {}],
  ];
  for (const [message, wanted] of table) assert.deepEqual(line(message), wanted, message);
});

test('the record is read back as written, and anything else counts as nothing', () => {
  const pending = {
    to: '1.1.0',
    run: 'n',
    since: undefined,
    pin: null,
    live: 'dep-1',
  };
  const record = { proven: [{ version: '1.0.0', deploy: 'dep-1' }], pending };
  assert.deepEqual(parseRecord(renderRecord(record)), JSON.parse(JSON.stringify(record)));
  assert.equal(renderRecord(emptyRecord), undefined);
  for (const text of [
    undefined,
    '',
    '{',
    '[]',
    'null',
    '{"proven":1}',
    '{"pending":{"to":1}}',
    '{"proven":[{"version":"latest","deploy":"d"}]}',
  ])
    assert.deepEqual(parseRecord(text), emptyRecord, text);
});

test('proven versions: newest first, five at most, going back marks what came after', () => {
  let record = emptyRecord;
  for (let i = 1; i <= 7; i++)
    record = withProven(record, { version: `${i}.0.0`, deploy: `dep-${i}` });
  assert.deepEqual(
    record.proven.map(({ version }) => version),
    ['7.0.0', '6.0.0', '5.0.0', '4.0.0', '3.0.0'],
  );
  const left = withLeft(record, '7.0.0', '5.0.0');
  const back = withProven(left, { version: '5.0.0', deploy: 'dep-9' });
  assert.deepEqual(
    back.proven.map(p => [p.deploy, p.left === true]),
    [
      ['dep-9', false],
      ['dep-7', true],
      ['dep-6', true],
      ['dep-4', false],
      ['dep-3', false],
    ],
  );
  assert.deepEqual(parseRecord(renderRecord(back)).proven, back.proven);
  // Deployed and proven again, it is a place to go back to.
  assert.deepEqual(withProven(back, { version: '7.0.0', deploy: 'dep-10' }).proven[0], {
    version: '7.0.0',
    deploy: 'dep-10',
  });
});

test('where a version is shown', () => {
  const answer = {
    headers: new Headers({ 'x-version': ' 1.2.3 ' }),
    text: '{"a":{"b/c":[{"v":"1.2.3"}]},"n":7,"o":{}}',
  };
  const table: [json: string | undefined, header: string | undefined, found: string | undefined][] =
    [
      ['/a/b~1c/0/v', undefined, '1.2.3'],
      ['/n=7', undefined, '7'],
      ['/o', undefined, undefined],
      ['/a/x', undefined, undefined],
      ['/constructor', undefined, undefined],
      [undefined, 'X-Version', '1.2.3'],
      [undefined, 'x-none=1', undefined],
    ];
  for (const [json, header, found] of table) {
    const shown = parseVersionPlace(json, header);
    assert.equal(shown && readVersionAt(shown, answer), found, json ?? header);
  }
  for (const [json, header] of [['version'], [''], ['/a', 'b'], [undefined, 'a b']])
    assert.throws(() => parseVersionPlace(json, header), { code: 'EXPECT_INVALID' });
  assert.ok(sameVersion('v1.2.3', '1.2.3') && !sameVersion('1.2.3', '1.2.30'));
});

test('the host, and what it may not be', () => {
  const host = (RENDER_HOST?: string) => readAccess({ RENDER_API_KEY: 'k', RENDER_HOST }, '').host;
  assert.equal(host(), 'https://api.render.com/v1');
  assert.equal(host('api.example.com'), 'https://api.example.com/v1');
  assert.equal(host('https://api.example.com/v2/'), 'https://api.example.com/v2');
  assert.equal(host('http://127.0.0.1:80/v1'), 'http://127.0.0.1/v1');
  for (const bad of [
    'http://api.example.com',
    'ftp://x',
    'https://u:p@x',
    'https://x/?a=b',
    'https://',
  ])
    assert.throws(() => host(bad), { code: 'RENDER_HOST_INVALID' }, bad);
});

test('a deploy hook never shows itself', () => {
  for (const text of [
    '',
    'nonsense',
    'http://api.render.com/deploy/srv-1?key=abc',
    'https://api.render.com/deploy/srv-1',
  ])
    assert.throws(
      () => parseHook(text),
      (error: Error) =>
        (error as { code?: string }).code === 'HOOK_INVALID' && !error.message.includes('srv-'),
    );
  assert.equal(String(parseHook('https://api.render.com/deploy/srv-1?key=abc').url), '[secret]');
});

test('answers that are none', () => {
  const bad: (() => unknown)[] = [
    () => parseService(null),
    () => parseService({ id: 's', name: 'n', ownerId: 'o' }),
    () => parseDeploy({ id: 'd' }),
    () => parsePage({}, 'deploy', parseDeploy),
    () => parsePage([{ deploy: 1 }], 'deploy', parseDeploy),
  ];
  for (const parse of bad) assert.throws(parse, { code: 'RENDER_BAD_ANSWER' });
});

test('never more calls within a minute than the pace allows', async () => {
  const clock = fakeClock();
  const pace = createPacer(5, clock);
  const times: number[] = [];
  for (let i = 0; i < 23; i++) {
    await pace();
    times.push(clock.now());
    await clock.sleep(1000);
  }
  for (const time of times)
    assert.ok(times.filter(t => t >= time && t < time + 60_000).length <= 5);
  assert.ok(clock.now() > (times[0] ?? 0) + 4 * 60_000);
});

test('of a key that the API repeats no part is shown where its words are cut', async t => {
  const key = `rnd_${'0123456789'.repeat(3)}`;
  const message = `${'x '.repeat(140)}${key} is not known`;
  const server = await serve(t, (_, response) => {
    response.writeHead(400).end(JSON.stringify({ message }));
  });
  const request = createRequester({
    access: { host: server.url, key: new Secret(key) },
    io: fakeClock(),
    signal: new AbortController().signal,
    readsAMinute: 9,
    onRetry: assert.fail,
  });
  await assert.rejects(request({ method: 'GET', path: 'services', about: 'it' }), {
    message: /x \*\*\* is not known$/,
  });
});
