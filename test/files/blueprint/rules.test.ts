import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, repositoryOf } from './support';

/** The findings as `line:column CODE`, and each with a message and a fix. */
function found(text: string, repository = repositoryOf({}, { blueprint: '' })): string {
  return check(text, repository)
    .map(({ line, column, code, message, fix }) => {
      assert(message !== '' && fix !== '', code);
      return `${line}:${column} ${code}`;
    })
    .join(', ');
}

/** A node service whose further lines begin on line 7. */
const node = (...lines: string[]) =>
  [
    'services:',
    '  - type: web',
    '    name: api',
    '    runtime: node',
    '    buildCommand: npm ci',
    '    startCommand: node a.js',
    ...lines.map(line => `    ${line}`),
  ].join('\n');
/** A docker service whose further lines begin on line 5. */
const docker = (...lines: string[]) =>
  [
    'services:',
    '  - type: web',
    '    name: api',
    '    runtime: docker',
    ...lines.map(line => `    ${line}`),
  ].join('\n');
/** One variable's entry, on line 8. */
const variable = (entry: string) => node('envVars:', `  - {${entry}}`);
const database = (...lines: string[]) =>
  ['databases:', '  - name: db', ...lines.map(line => `    ${line}`)].join('\n');
const redis = '  - {type: keyvalue, name: kv, ipAllowList: []}';

const shape: [text: string, expected: string][] = [
  [node(), ''],
  [docker(), ''],
  [database(), ''],
  ['version: "1"', ''],
  ['version: 1', '1:10 TYPE_INVALID'],
  ['version: "2"', '1:10 VALUE_INVALID'],
  ['[]', '1:1 TYPE_INVALID'],
  ['services: {}', '1:11 TYPE_INVALID'],
  ['services:', '1:1 FIELD_EMPTY'],
  ['services: [a]', '1:12 TYPE_INVALID'],
  ['services: [{name: a}]', '1:12 FIELD_MISSING'],
  ['services: [{type: 1}]', '1:19 TYPE_INVALID'],
  ['services: [{type: wev}]', '1:19 TYPE_UNKNOWN'],
  ['services: [{type: workflow, a: b}]', '1:19 TYPE_UNKNOWN'],
  ['service: []', '1:1 FIELD_UNKNOWN'],
  ['x-base: 1', '1:1 FIELD_UNKNOWN'],
  ['services: [{type: constructor}]', '1:19 TYPE_UNKNOWN'],
  [
    'services: [{type: web, name: a, runtime: constructor, constructor: 1}]',
    '1:12 COMMAND_MISSING, 1:12 COMMAND_MISSING, 1:42 VALUE_INVALID, 1:55 FIELD_UNKNOWN',
  ],
  [node('nodeVersion: 18'), '7:5 FIELD_UNKNOWN'],
  [node('healthcheckpath: /'), '7:5 FIELD_UNKNOWN'],
  [node('schedule: "* * * * *"'), '7:5 FIELD_UNKNOWN'],
  [node('region: paris'), '7:13 VALUE_INVALID'],
  [node('region: oregano'), '7:13 VALUE_INVALID'],
  [node('plan: 1c-2g'), ''],
  [node('plan: pro plus'), ''],
  [node('plan: gigantic'), '7:11 PLAN_UNKNOWN'],
  [node('numInstances: 0'), '7:19 VALUE_INVALID'],
  [node('numInstances: 1.5'), '7:19 TYPE_INVALID'],
  [node('numInstances: "2"'), '7:19 TYPE_INVALID'],
  [node('maxShutdownDelaySeconds: 300'), ''],
  [node('maxShutdownDelaySeconds: 301'), '7:30 VALUE_INVALID'],
  [node('autoDeployTrigger: never'), '7:24 VALUE_INVALID'],
  [node("autoDeployTrigger: 'off'"), ''],
  [node('autoDeploy: true'), '7:5 FIELD_DEPRECATED'],
  [node('domain: a.example'), '7:5 FIELD_DEPRECATED'],
  [node('pullRequestPreviewsEnabled: true'), '7:5 FIELD_DEPRECATED'],
  [node('previewPlan: starter'), '7:5 FIELD_DEPRECATED'],
  ['previewsEnabled: true', '1:1 FIELD_DEPRECATED'],
  ['previewsExpireAfterDays: 3', '1:1 FIELD_DEPRECATED'],
  ['previews: {generation: automatic, expireAfterDays: 3}', ''],
  [docker().replace('runtime', 'env'), '4:5 FIELD_DEPRECATED'],
  [docker().replace('    runtime: docker', ''), '2:5 FIELD_MISSING'],
  [docker().replace('name', 'nam'), '3:5 FIELD_UNKNOWN'],
  ['services: [{type: keyvalue, name: kv}]', '1:12 FIELD_MISSING'],
  ['services: [{type: redis, name: kv, ipAllowList: []}]', '1:19 FIELD_DEPRECATED'],
  ['services: [{type: keyvalue, name: kv, ipAllowList: [], runtime: node}]', '1:56 FIELD_UNKNOWN'],
  ['services: [{type: cron, name: c, runtime: docker}]', '1:12 FIELD_MISSING'],
  [
    'services: [{type: cron, name: c, runtime: docker, schedule: "0 1 * * *", disk: {}}]',
    '1:74 FIELD_UNKNOWN',
  ],
  [
    'services: [{type: web, name: s, runtime: static, staticPublishPath: ., plan: free}]',
    '1:72 FIELD_UNKNOWN',
  ],
  ['services: [{type: web, name: s, runtime: static, plan: free}]', '1:50 FIELD_NOT_STATIC'],
  [node('disk: {name: a}'), '7:11 FIELD_MISSING'],
  [node('disk: {name: a, mountPath: /a, sizeGB: 0}'), '7:44 VALUE_INVALID'],
  [node('buildFilter: {path: [a]}'), '7:19 FIELD_IGNORED'],
  [node('domains: a.example'), '7:14 TYPE_INVALID'],
  [node('maintenanceMode: {enabled: yes}'), '7:32 TYPE_INVALID'],
  [variable('key: A, value: 1'), ''],
  [variable('key: A, value: true'), '8:25 VALUE_BOOLEAN'],
  [variable('key: A, value: [a]'), '8:25 TYPE_INVALID'],
  [variable('value: a'), '8:9 FIELD_MISSING'],
  [variable('key: A, valeu: a'), '8:9 ENTRY_WITHOUT_VALUE, 8:18 FIELD_UNKNOWN'],
  [database('postgresMajorVersion: 16'), '3:27 TYPE_INVALID'],
  [database('postgresMajorVersion: "16"'), ''],
  [database('postgresMajorVersion: "9"'), '3:27 VALUE_INVALID'],
  [database('plan: 0.5c-1g', 'readReplicas: [{name: r}]', 'highAvailability: {enabled: true}'), ''],
  [database('diskSizeGB: 7'), '3:17 DISK_SIZE_INVALID'],
  [database('diskSizeGB: 15'), ''],
  ['projects: [{name: p}]', '1:12 FIELD_MISSING'],
  [
    'projects: [{name: p, environments: [{name: e, services: [], networking: {isolation: enabled}}]}]',
    '',
  ],
  ['projects: [{name: p, environments: [{name: e, network: {}}]}]', '1:47 FIELD_UNKNOWN'],
  ['ungrouped: {services: []}', ''],
  ['a: 1\na: 2', '1:1 FIELD_UNKNOWN, 2:1 KEY_TWICE'],
  ['version: "1"\n---\nversion: "1"', '3:1 DOCUMENT_SECOND'],
  ['services:\n  - &a {type: web, name: a, runtime: docker}\n  - <<: *a\n    name: b', ''],
];

const refused: [text: string, expected: string][] = [
  [variable('key: A, value: a, sync: false'), '8:9 ENTRY_CONFLICT'],
  [variable('key: A, generateValue: true, sync: false'), '8:9 ENTRY_CONFLICT'],
  [variable('key: A'), '8:9 ENTRY_WITHOUT_VALUE'],
  [variable('key: A, sync: true'), '8:9 ENTRY_WITHOUT_VALUE'],
  [variable('key: A, value: ""'), ''],
  [variable('key: A B, value: a'), '8:15 KEY_INVALID'],
  [node('envVars:', '  - {key: A, value: a}', '  - {key: A, value: b}'), '9:15 VARIABLE_TWICE'],
  ['envVarGroups: [{name: g, envVars: [{key: A, sync: false}]}]', '1:51 SYNC_IN_GROUP'],
  ['envVarGroups: [{name: g, envVars: [{key: A, generateValue: true}]}]', ''],
  [
    'envVarGroups: [{name: g, envVars: [{fromGroup: h}]}]',
    '1:36 FIELD_MISSING, 1:37 FIELD_UNKNOWN',
  ],
  [`${node()}\n  - {type: web, name: api, runtime: docker}`, '7:23 NAME_TAKEN'],
  [`${database()}\n  - {name: db}`, '3:12 NAME_TAKEN'],
  ['services: [{type: worker, name: w, runtime: static}]', '1:45 RUNTIME_INVALID'],
  ['services: [{type: web, name: w, runtime: image}]', '1:42 IMAGE_MISSING'],
  [docker('startCommand: a'), '5:5 FIELD_IGNORED'],
  [node('dockerCommand: a'), '7:5 FIELD_IGNORED'],
  [node().replace('    startCommand: node a.js', ''), '2:5 COMMAND_MISSING'],
  [
    node('scaling: {minInstances: 3, maxInstances: 2, targetCPUPercent: 60}'),
    '7:29 SCALING_INVALID',
  ],
  [node('scaling: {minInstances: 1, maxInstances: 2}'), '7:14 SCALING_INVALID'],
  [node('disk: {name: d, mountPath: /d}', 'numInstances: 2'), '8:19 DISK_NOT_SHARED'],
  [node('healthCheckPath: health'), '7:22 HEALTH_PATH_INVALID'],
  [docker('healthCheckPath: /h').replace('web', 'worker'), '5:22 FIELD_IGNORED'],
  ['services: [{type: cron, name: c, runtime: docker, schedule: hourly}]', '1:61 SCHEDULE_INVALID'],
  ['services: [{type: cron, name: c, runtime: docker, schedule: "*/5 1-3 * * MON"}]', ''],
  [node('plan: free', 'preDeployCommand: a'), '8:5 PLAN_NOT_FREE'],
  [docker('plan: free').replace('web', 'worker'), '5:11 PLAN_NOT_FREE'],
];

const from = (kind: string, fields: string) => variable(`key: A, ${kind}: {${fields}}`);
const references: [text: string, expected: string][] = [
  [`${from('fromDatabase', 'name: db, property: connectionString')}\n${database()}`, ''],
  [`${from('fromDatabase', 'name: dv, property: host')}\n${database()}`, '8:39 REFERENCE_MISSING'],
  [`${from('fromDatabase', 'name: db, property: hosts')}\n${database()}`, '8:53 VALUE_INVALID'],
  [
    `${from('fromDatabase', 'name: db, property: connectionPoolString')}\n${database()}`,
    '8:53 POOL_MISSING',
  ],
  [
    `${from('fromDatabase', 'name: db, property: connectionPoolString')}\n${database('connectionPool: pgbouncer')}`,
    '',
  ],
  [`${from('fromService', 'name: kv, type: keyvalue, property: connectionString')}\n${redis}`, ''],
  [
    `${from('fromService', 'name: kv, type: pserv, property: host')}\n${redis}`,
    '8:48 REFERENCE_TYPE',
  ],
  [`${from('fromService', 'name: kv, type: keyvalue')}\n${redis}`, '8:31 REFERENCE_INCOMPLETE'],
  [
    `${from('fromService', 'name: kw, type: keyvalue, property: host')}\n${redis}`,
    '8:38 REFERENCE_MISSING',
  ],
  [
    from('fromService', 'name: api, type: web, property: connectionString'),
    '8:64 REFERENCE_PROPERTY',
  ],
  [
    `${from('fromService', 'name: w, type: worker, property: host')}\n  - {type: worker, name: w, runtime: docker}`,
    '8:65 REFERENCE_PROPERTY',
  ],
  [from('fromService', 'name: api, type: web, envVarKey: RENDER_EXTERNAL_URL'), ''],
  [from('fromService', 'name: api, type: web, envVarKey: A'), ''],
  [from('fromService', 'name: api, type: web, envVarKey: B'), '8:65 REFERENCE_MISSING'],
  [
    `${from('fromService', 'name: api, type: web, envVarKey: B')}\n      - fromGroup: elsewhere`,
    '',
  ],
  [
    `${from('fromService', 'name: api, type: web, envVarKey: B')}\n      - fromGroup: g\nenvVarGroups: [{name: g, envVars: [{key: B, value: b}]}]`,
    '',
  ],
  [node('envVars: [{fromGroup: g}]'), ''],
  [
    `${node('envVars: [{fromGroup: g}]')}\nenvVarGroups: [{name: h, envVars: []}]`,
    '7:27 REFERENCE_MISSING',
  ],
  [
    `${variable('key: A, fromDatabase: {name: db, property: host}, value: a')}\n${database()}`,
    '8:60 FIELD_UNKNOWN',
  ],
];

for (const [group, rows] of Object.entries({ shape, refused, references }))
  for (const [text, expected] of rows)
    test(`${group}: ${text.slice(-70).replaceAll('\n', '⏎')} → ${expected}`, () =>
      assert.equal(found(text), expected));

test('a fix says what to write', () => {
  const fixes: [text: string, fix: string][] = [
    [docker().replace('runtime', 'env'), 'write runtime: docker'],
    [node('autoDeploy: false'), "write autoDeployTrigger: 'off'"],
    [node('autoDeploy: true'), "write autoDeployTrigger: commit, or 'off' where CI deploys"],
    [node('healthcheckpath: /'), 'write healthCheckPath instead'],
    [node('nodeVersion: 18'), 'write the variable NODE_VERSION under envVars instead'],
    ['redis: []', 'write an entry of services with type: keyvalue instead'],
    [database('version: "16"'), 'write postgresMajorVersion instead'],
    [
      'services: [{type: cron, name: c, runtime: docker, schedule: "0 1 * * *", instances: 2}]',
      'remove it, or correct its name',
    ],
    [node('region: oregano'), 'write region: oregon'],
    [node('plan: Standard'), 'write plan: standard'],
    [node('region: paris'), 'write one of: oregon, ohio, frankfurt, singapore, virginia'],
    [database('postgresMajorVersion: 16'), 'put it in quotes: postgresMajorVersion: "16"'],
    [node('healthCheckPath: https://a.example/h'), 'write healthCheckPath: /h'],
    [database('diskSizeGB: 7'), 'write diskSizeGB: 10'],
    [variable('key: A, value: 3.10'), 'put it in quotes: "3.10"'],
    [`${from('fromService', 'name: apy, type: web, property: host')}`, 'write api'],
  ];
  for (const [text, fix] of fixes) assert.equal(check(text)[0]?.fix, fix);
});

test('a path names the place in the document', () => {
  const text =
    'projects: [{name: p, environments: [{name: e, services: [{type: web, name: a, runtime: docker, envVars: [{key: "A", value: 1.0}], "odd key": 1}]}]}]';
  assert.deepEqual(
    check(text).map(({ path }) => path),
    [
      'projects[0].environments[0].services[0].envVars[0].value',
      'projects[0].environments[0].services[0]["odd key"]',
    ],
  );
});

test('at most 200 findings, and no error lost behind warnings', () => {
  const old = Array.from({ length: 300 }, (_, i) => `  - {type: web, name: s${i}, env: docker}`);
  const findings = check(['services:', ...old, 'surplus: 1'].join('\n'));
  assert.equal(findings.length, 200);
  assert.deepEqual(
    [findings[0]?.code, findings[198]?.code, findings[199]?.code],
    ['FIELD_DEPRECATED', 'FIELD_DEPRECATED', 'FIELD_UNKNOWN'],
  );
});
