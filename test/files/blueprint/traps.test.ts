import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withHead } from '../../../src/files/init/head';
import { check, repositoryOf } from './support';

interface Case {
  text: string;
  files?: Record<string, string>;
  executable?: string[];
  /** `line CODE` of each finding. */
  expected: string;
  fix?: RegExp;
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
const setup = 'npx bootlace@1 setup';
/** A service that bootlace starts, without a fault; further lines begin on line 12. */
const launched = (...lines: string[]) =>
  [
    node().replace('npm ci', setup).replace('a.js', 'server.js'),
    '    healthCheckPath: /health',
    "    autoDeployTrigger: 'off'",
    '    envVars:',
    '      - {key: NODE_VERSION, value: 24.x}',
    '      - {key: BACKEND_PACKAGE, value: "@acme/backend"}',
    ...lines.map(line => `      ${line}`),
  ].join('\n');
const production = (...lines: string[]) =>
  launched(...lines).replace('name: api', 'name: api-prod');
const guarded = 'npx bootlace setup --backend-version "${BACKEND_VERSION:?}"';
const variable = (entry: string) => node('envVars:', `  - {${entry}}`);
const start = (command: string) => node().replace('node a.js', command);
const build = (command: string) => node().replace('npm ci', command);
const backend = (bootlace: object) => JSON.stringify({ name: '@acme/backend', bootlace });
const docker = (name: string, ...lines: string[]) =>
  [
    '  - type: web',
    `    name: ${name}`,
    '    runtime: docker',
    ...lines.map(line => `    ${line}`),
  ].join('\n');

const cases: Case[] = [
  // Services that bootlace starts
  { text: launched(), expected: '' },
  { text: launched('- {key: BACKEND_VERSION, sync: false}'), expected: '' },
  { text: launched('- {key: BACKEND_VERSION, value: latest}'), expected: '' },
  {
    text: launched('- {key: BACKEND_VERSION, value: 1.0.0}'),
    expected: '12 PIN_HAS_VALUE',
    fix: /sync: false/,
  },
  { text: production(), expected: '2 PIN_MISSING', fix: /BACKEND_VERSION with sync: false/ },
  {
    text: production('- {key: BACKEND_VERSION, sync: false}'),
    expected: '5 PIN_MISSING',
    fix: /^add after setup in buildCommand: --backend-version "\$\{BACKEND_VERSION:\?\}"$/,
  },
  {
    text: production('- {key: BACKEND_VERSION, sync: false}').replace(setup, guarded),
    expected: '',
  },
  {
    text: production('- {key: BACKEND_VERSION, value: latest}').replace(setup, guarded),
    expected: '12 PIN_HAS_VALUE',
  },
  { text: launched().replace('name: api', 'name: api-preprod'), expected: '' },
  { text: launched().replace('    healthCheckPath: /health\n', ''), expected: '2 HEALTH_MISSING' },
  {
    text: launched().replace("    autoDeployTrigger: 'off'\n", ''),
    expected: '2 AUTODEPLOY_ON',
    fix: /'off'/,
  },
  {
    text: launched().replace('BACKEND_PACKAGE', 'LOG_LEVEL'),
    expected: '5 PACKAGE_MISSING',
    fix: /add to envVars: key: BACKEND_PACKAGE/,
  },
  {
    text: launched().replace('BACKEND_PACKAGE', 'LOG_LEVEL'),
    files: { 'bootlace.json': '{}' },
    expected: '',
  },
  {
    text: launched().replace("autoDeployTrigger: 'off'", 'autoDeploy: yes'),
    expected: '8 FIELD_DEPRECATED, 8 TYPE_INVALID, 8 AUTODEPLOY_ON',
    fix: /write autoDeployTrigger: commit, or 'off' where CI deploys/,
  },
  {
    text: launched().replace("autoDeployTrigger: 'off'", 'autoDeploy: no'),
    expected: '8 FIELD_DEPRECATED, 8 TYPE_INVALID',
    fix: /write autoDeployTrigger: 'off'/,
  },
  { text: launched().replace("'off'", 'commit'), expected: '8 AUTODEPLOY_ON' },
  { text: launched().replace("'off'", 'off'), expected: '8 OFF_UNQUOTED', fix: /'off'/ },
  {
    text: launched().replace("autoDeployTrigger: 'off'", 'autoDeploy: false'),
    expected: '8 FIELD_DEPRECATED',
  },
  { text: launched().replace('24.x', '">=20"'), expected: '10 NODE_OPEN' },
  { text: launched().replace('24.x', 'latest'), expected: '10 NODE_OPEN' },
  { text: launched().replace('24.x', '">=22 <25"'), expected: '' },
  { text: launched().replace('NODE_VERSION', 'LOG_LEVEL'), expected: '10 NODE_OPEN' },
  {
    text: launched().replace('NODE_VERSION', 'LOG_LEVEL'),
    files: { '.nvmrc': '24.1.0\n' },
    expected: '',
  },
  {
    text: launched('- {key: SKIP_INSTALL_DEPS, value: "true"}').replace(
      'NODE_VERSION',
      'LOG_LEVEL',
    ),
    files: { 'package.json': '{"engines":{"node":">=20"}}' },
    expected: '10 NODE_OPEN',
  },
  {
    text: launched(),
    files: { 'package.json': '{}' },
    expected: '10 INSTALLS_TWICE',
    fix: /SKIP_INSTALL_DEPS/,
  },
  {
    text: launched('- {key: SKIP_INSTALL_DEPS, value: "true"}'),
    files: { 'package.json': '{}' },
    expected: '',
  },
  {
    text: launched(),
    files: { 'server.js': 'require("./app")' },
    expected: '5 SERVER_FILE_TAKEN',
    fix: /add --server-file start\.js here, and write startCommand: node start\.js/,
  },
  {
    text: launched().replace(setup, `${setup} --server-file start.js`),
    files: { 'server.js': 'require("./app")' },
    expected: '',
  },
  {
    text: launched(),
    files: { 'packages/backend/package.json': backend({ requires: ['DATABASE_URL', 'PORT'] }) },
    expected: '10 REQUIRED_MISSING',
    fix: /DATABASE_URL/,
  },
  {
    text: launched('- {key: DATABASE_URL, sync: false}'),
    files: { 'packages/backend/package.json': backend({ requires: ['DATABASE_URL'] }) },
    expected: '',
  },
  {
    text: launched('- fromGroup: dashboard'),
    files: { 'packages/backend/package.json': backend({ requires: ['DATABASE_URL'] }) },
    expected: '',
  },
  {
    text: `${launched('- fromGroup: g')}\nenvVarGroups: [{name: g, envVars: [{key: DATABASE_URL, value: a}]}]`,
    files: { 'packages/backend/package.json': backend({ requires: ['DATABASE_URL'] }) },
    expected: '',
  },
  {
    text: launched().replace(setup, `${setup} --package @acme/backend`),
    files: { 'package.json': backend({ requires: ['A'] }) },
    expected: '10 REQUIRED_MISSING, 10 INSTALLS_TWICE',
  },
  {
    text: launched(),
    files: { 'p/package.json': backend({ requires: 'no list' }) },
    expected: '',
  },

  // Commands
  {
    text: start('npx prisma migrate deploy && node a.js'),
    expected: '6 MIGRATES_AT_START',
    fix: /preDeployCommand/,
  },
  { text: start('alembic upgrade head && uvicorn a:a'), expected: '6 MIGRATES_AT_START' },
  { text: start('node dist/migrate.js && node server.js'), expected: '6 MIGRATES_AT_START' },
  {
    text: start('node --no-warnings db/run-migrations.mjs; node a.js'),
    expected: '6 MIGRATES_AT_START',
  },
  { text: start('npm run migrate && npm start'), expected: '6 MIGRATES_AT_START' },
  { text: start('node dist/migrator/main.js'), expected: '' },
  {
    text: `${start('npm run db:migrate && node a.js')}\n    plan: free`,
    expected: '6 MIGRATES_AT_START',
    fix: /buildCommand/,
  },
  { text: node('preDeployCommand: npx prisma migrate deploy'), expected: '' },
  { text: build('npm ci && npx prisma migrate deploy'), expected: '' },
  { text: start('uvicorn a:a --port 8000'), expected: '6 PORT_FIXED', fix: /\$\{PORT:-8000\}/ },
  { text: start('gunicorn --bind 0.0.0.0:8000 a:a'), expected: '6 PORT_FIXED' },
  { text: start('PORT=3000 node a.js'), expected: '6 PORT_FIXED' },
  {
    text: `${start('PORT=3000 node a.js')}\n    envVars: [{key: PORT, value: 3000}]`,
    expected: '',
  },
  { text: start('uvicorn a:a --port $PORT'), expected: '' },
  { text: start('node a.js --max-old-space-size=2000'), expected: '' },
  { text: start('uvicorn a:a --port 8000').replace('web', 'pserv'), expected: '' },
  {
    text: build('./build.sh'),
    files: { 'build.sh': 'set -e' },
    expected: '5 BUILD_SCRIPT_NOT_EXECUTABLE',
    fix: /chmod=\+x build\.sh/,
  },
  {
    text: build('./build.sh'),
    files: { 'build.sh': 'set -e' },
    executable: ['build.sh'],
    expected: '',
  },
  { text: build('bash build.sh'), files: { 'build.sh': 'set -e' }, expected: '' },
  { text: build('chmod +x build.sh && ./build.sh'), files: { 'build.sh': 'set -e' }, expected: '' },
  {
    text: `${build('./build.sh')}\n    rootDir: ./api/`,
    files: { 'api/build.sh': 'set -e' },
    expected: '5 BUILD_SCRIPT_NOT_EXECUTABLE',
  },
  { text: build('./build.sh'), expected: '' },
  ...[
    [
      'npm ci && npm run build',
      { scripts: { build: 'tsc' }, devDependencies: { typescript: '5' } },
      '5 DEV_DEPENDENCIES_LEFT_OUT',
    ],
    [
      'npm ci && npm run build',
      {
        scripts: { build: 'next build' },
        dependencies: { next: '15' },
        devDependencies: { typescript: '5' },
      },
      '5 DEV_DEPENDENCIES_LEFT_OUT',
    ],
    [
      'npm ci && npm run build',
      { scripts: { build: 'tsc' }, dependencies: { typescript: '5' } },
      '',
    ],
    [
      'npm ci --include=dev && npm run build',
      { scripts: { build: 'tsc' }, devDependencies: { typescript: '5' } },
      '',
    ],
    ['npm ci', { scripts: { build: 'tsc' }, devDependencies: { typescript: '5' } }, ''],
    [
      'yarn && yarn build',
      { scripts: { build: 'vite build' }, devDependencies: { vite: '7' } },
      '5 DEV_DEPENDENCIES_LEFT_OUT',
    ],
  ].map(([command, manifest, expected]) => ({
    text: `${build(command as string)}\n    envVars: [{key: NODE_ENV, value: production}]`,
    files: { 'package.json': JSON.stringify(manifest) },
    expected: expected as string,
  })),
  {
    text: start('node .next/standalone/server.js'),
    files: { 'next.config.mjs': 'export default {}' },
    expected: '6 NEXT_NOT_STANDALONE',
  },
  {
    text: start('node .next/standalone/server.js'),
    files: { 'next.config.mjs': "export default { output: 'standalone' }" },
    expected: '',
  },
  { text: node('preDeployCommand: pytest'), expected: '7 TESTS_BEFORE_DEPLOY' },

  {
    text: build('bash build.sh'),
    files: { 'build.sh': 'pip install a\nalembic upgrade head\n' },
    expected: '5 SCRIPT_GOES_ON',
  },
  {
    text: build('bash build.sh'),
    files: { 'build.sh': '#!/usr/bin/env bash\nset -o errexit\npip install a\nb\n' },
    expected: '',
  },
  {
    text: build('bash build.sh'),
    files: { 'build.sh': '#!/bin/bash\nset -euo pipefail\na\nb\n' },
    expected: '',
  },
  {
    text: build('bash build.sh'),
    files: { 'build.sh': '#!/bin/sh -e\na\nb\n' },
    expected: '',
  },
  {
    text: build('bash build.sh'),
    files: { 'build.sh': '# one\npip install a\n' },
    expected: '',
  },

  // Values
  {
    text: variable('key: API_TOKEN, value: abcdef0123'),
    expected: '8 SECRET_IN_FILE',
    fix: /sync: false/,
  },
  { text: variable('key: JWT_SECRET, value: "12345678"'), expected: '8 SECRET_IN_FILE' },
  {
    text: variable('key: DATABASE_URL, value: "postgres://user:word@host/db"'),
    expected: '8 SECRET_IN_FILE',
  },
  { text: variable(`key: X, value: ghp_${'a'.repeat(36)}`), expected: '8 SECRET_IN_FILE' },
  {
    text: 'envVarGroups: [{name: g, envVars: [{key: API_KEY, value: abcdef}]}]',
    expected: '1 SECRET_IN_FILE',
  },
  { text: variable('key: REDIS_URL, value: "redis://localhost:6379"'), expected: '' },
  { text: variable('key: MAX_TOKEN, value: 4096'), expected: '' },
  { text: variable('key: JWT_ACCESS_EXPIRES, value: 15m'), expected: '' },
  { text: variable('key: NEXT_PUBLIC_API_KEY, value: abcdef'), expected: '' },
  { text: variable('key: JWT_SECRET, generateValue: true'), expected: '' },
  {
    text: variable('key: PYTHON_VERSION, value: 3.10'),
    expected: '8 NUMBER_CHANGES',
    fix: /"3\.10"/,
  },
  { text: variable('key: ID, value: 007'), expected: '8 NUMBER_CHANGES' },
  { text: variable('key: ID, value: 12345678901234567890'), expected: '8 NUMBER_CHANGES' },
  { text: variable('key: PYTHON_VERSION, value: "3.10"'), expected: '' },
  { text: variable('key: PYTHON_VERSION, value: 3.11.8'), expected: '' },
  { text: variable('key: LEVEL, value: 3.5'), expected: '' },
  { text: variable('key: FLAG, value: off'), expected: '8 OFF_UNQUOTED' },
  { text: variable('key: FLAG, value: "off"'), expected: '' },
  { text: variable('key: URL, value: "https://${HOST}/a"'), expected: '8 NOT_INTERPOLATED' },
  {
    text: variable('key: CORS_ORIGINS, value: "https://a.example, https://b.example"'),
    expected: '8 ORIGINS_WITH_BLANKS',
  },
  {
    text: variable('key: CORS_ORIGINS, value: "https://a.example,https://b.example"'),
    expected: '',
  },
  {
    text: `services:\n  - {type: web, name: a, runtime: python, buildCommand: b, startCommand: s, envVars: [{key: DATABASE_URL, fromDatabase: {name: db, property: connectionString}}]}\ndatabases: [{name: db}]`,
    files: { 'requirements.txt': 'SQLAlchemy==2\nasyncpg==0.30\n' },
    expected: '2 DATABASE_SCHEME',
  },

  // Addresses, regions, access
  {
    text: 'databases: [{name: db, ipAllowList: [{source: 0.0.0.0/0}]}]',
    expected: '1 DATABASE_OPEN',
    fix: /ipAllowList: \[\]/,
  },
  {
    text: 'services: [{type: keyvalue, name: kv, ipAllowList: [{source: 0.0.0.0/0}]}]',
    expected: '1 DATABASE_OPEN',
  },
  { text: 'databases: [{name: db, ipAllowList: [{source: 10.1.2.3/32}]}]', expected: '' },
  {
    text: variable('key: VITE_API_URL, fromService: {type: web, name: api, property: host}'),
    expected: '8 HOST_NOT_PUBLIC',
    fix: /RENDER_EXTERNAL_URL/,
  },
  {
    text: variable('key: API_HOST, fromService: {type: web, name: api, property: host}'),
    expected: '',
  },
  {
    text: `${variable('key: A, fromDatabase: {name: db, property: host}')}\ndatabases: [{name: db, region: frankfurt}]`,
    expected: '8 REGION_DIFFERS',
    fix: /region: frankfurt/,
  },
  {
    text: `${variable('key: A, fromDatabase: {name: db, property: user}')}\ndatabases: [{name: db, region: frankfurt}]`,
    expected: '',
  },
  {
    text: `${variable('key: A, fromDatabase: {name: db, property: host}')}\ndatabases: [{name: db, region: oregon}]`,
    expected: '',
  },
  {
    text: 'services: [{type: pserv, name: pool, runtime: image, image: {url: docker.io/bitnami/pgbouncer:1}}]',
    expected: '1 POOL_AS_SERVICE',
  },
  {
    text: `services:\n${docker('a', 'plan: free', 'dockerCommand: alembic upgrade head && a')}`,
    files: { Dockerfile: '' },
    expected: '',
  },

  // Docker
  {
    text: `services:\n${docker('a', 'rootDir: backend', 'dockerContext: ../../')}`,
    files: { 'backend/Dockerfile': '' },
    expected: '6 OUTSIDE_ROOT',
  },
  {
    text: `services:\n${docker('a', 'dockerfilePath: ./api/Dockerfile')}`,
    expected: '5 DOCKERFILE_MISSING',
  },
  {
    text: `services:\n${docker('a', 'dockerfilePath: ./api/Dockerfile')}`,
    files: { 'api/Dockerfile': 'FROM node\nCMD ["node", "a.js"]' },
    expected: '',
  },
  {
    text: `services:\n${docker('a', 'rootDir: api', 'dockerfilePath: ./api/Dockerfile')}`,
    files: { 'api/Dockerfile': '' },
    expected: '',
  },
  {
    text: `services:\n${docker('a')}`,
    files: { Dockerfile: 'CMD alembic upgrade head && \\\n  uvicorn a:a --port 8000' },
    expected: '2 MIGRATES_AT_START, 2 PORT_FIXED',
  },
  {
    text: `services:\n${docker('a')}`,
    files: { Dockerfile: 'CMD ["uvicorn", "a:a", "--port", "8000"]' },
    expected: '2 PORT_FIXED',
    fix: /\$\{PORT:-8000\}/,
  },
  {
    text: `services:\n${docker('a', 'dockerfilePath: a/Dockerfile')}\n${docker('b', 'dockerfilePath: b/Dockerfile', 'buildFilter: {paths: [b/**]}')}`,
    files: { 'a/Dockerfile': '', 'b/Dockerfile': '' },
    expected: '2 BUILD_FILTER_MISSING',
  },
  {
    text: `services:\n${docker('a', 'rootDir: a')}\n${docker('b', 'rootDir: b')}`,
    files: { 'a/Dockerfile': '', 'b/Dockerfile': '' },
    expected: '',
  },
];

for (const { text, files, executable, expected, fix } of cases)
  test(`${text.slice(-90).replaceAll('\n', '⏎')} ${Object.keys(files ?? {})} → ${expected}`, () => {
    const findings = check(text, repositoryOf(files, { executable }));
    assert.equal(findings.map(({ line, code }) => `${line} ${code}`).join(', '), expected);
    if (fix) assert.match(findings[0]?.fix ?? '', fix);
  });

const deploy = (services: string) =>
  withHead(`env:\n  SERVICES: ${services}\n`, []).replace('env:', '# mine\nenv:');
const workflows: [services: string, name: string, found: string][] = [
  ['api', 'render.yaml', ''],
  ['api other-prod # both', 'render.yaml', '.github/workflows/deploy.yml:5:13 WORKFLOW_SERVICES'],
  ["'other'", 'render.yml', '.github/workflows/deploy.yml:5:13 WORKFLOW_SERVICES'],
  ['srv-cukouhrtq21c73e9scng ${{ vars.SERVICES }}', 'render.yaml', ''],
  ['other', 'render-smokebox.yaml', ''],
];
for (const [services, blueprint, expected] of workflows)
  test(`SERVICES: ${services} beside ${blueprint} → ${expected}`, () => {
    const files = { '.github/workflows/deploy.yml': deploy(services) };
    const findings = check(node(), repositoryOf(files, { blueprint }));
    assert.deepEqual(
      findings.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`).join(),
      expected,
    );
    if (expected) assert.match(findings[0]?.fix ?? '', /that this workflow deploys: api$/);
  });

test('a workflow that init did not write is passed over', () =>
  assert.deepEqual(
    check(node(), repositoryOf({ '.github/workflows/deploy.yml': '  SERVICES: other' })),
    [],
  ));

test('a Blueprint below the top is told of, unless there is one at the top', () => {
  const files = { 'api/render.yaml': '' };
  const text = 'databases: [{name: db}]';
  const codes = (more: Record<string, string>) =>
    check(text, repositoryOf({ ...files, ...more }, { blueprint: 'api/render.yaml' })).map(
      ({ code }) => code,
    );
  assert.deepEqual(codes({}), ['FILE_NOT_AT_TOP']);
  assert.deepEqual(codes({ 'render.yaml': '' }), []);
});

test('no finding prints a secret', () => {
  const secret = 'hunter2hunter2';
  const entries = [
    `key: API_TOKEN, value: ${secret}`,
    `key: A, value: "postgres://a:${secret}@b/c"`,
    `key: A_PASSWORD, value: [${secret}]`,
    `key: A_PASSWORD, value: {${secret}: 1}`,
    `key: CORS_SECRET, value: "${secret}, \${A}"`,
    `key: NODE_VERSION, value: "${secret}", sync: false`,
  ];
  for (const entry of entries) {
    const findings = check(variable(entry));
    assert.notEqual(findings.length, 0, entry);
    assert.equal(JSON.stringify(findings).includes(secret), false, entry);
  }
});
