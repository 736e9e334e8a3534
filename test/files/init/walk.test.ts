import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { fastClock } from '../../support/clock';
import { FakeRegistry } from '../../support/fake-registry';
import { FakeRender } from '../../support/fake-render';
import type { FakeType } from '../../support/fake-render-service';
import { Contract } from '../../support/openapi';
import { cleanEnv, freePort, waitForAnswer } from '../../support/run';
import { createRepository, initEnds, read, sampleBackend } from './repositories';
import { environmentsOf, existsIn, npxShim, runWorkflow, shell } from './runner';
import type { Blueprint, Workflow } from './validators';

// The default recipe from end to end: what init writes in a monorepo is run as it stands.

const token = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
const apiKey = 'rnd_0123456789abcdefghijABCDEFGHIJ';
const secrets = { GITHUB_TOKEN: token, RENDER_API_KEY: apiKey };

const server = `
const { version } = require('../package.json');
require('greeting');
require('node:http').createServer((request, response) => {
  response.writeHead(request.url === '/health' ? 200 : 404);
  response.end(JSON.stringify({ version, secret: process.env.JWT_SECRET, token: process.env.NPM_TOKEN }));
}).listen(process.env.PORT);
`;
const says = (word: string) => `console.log('${word}', process.env.DATABASE_URL);`;

let registry: FakeRegistry;
let workspace: string;
let temp: string;
let path: string;
const cleanups: (() => void | Promise<void>)[] = [];
const t = { after: (fn: () => void) => void cleanups.push(fn) };

before(async () => {
  registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  cleanups.push(() => registry.close());
  const open = await FakeRegistry.start({ redirectTarballs: false });
  cleanups.push(() => open.close());
  open.publish({ name: 'greeting', version: '1.0.0' }, { 'index.js': '' });
  workspace = createRepository(t, {
    '.npmrc': `registry=${open.url}\n`,
    '.gitignore': '.env\n',
    'package.json': {
      name: 'acme',
      private: true,
      workspaces: ['packages/*'],
      scripts: { build: 'npm run build --workspaces' },
    },
    'packages/backend/package.json': {
      ...sampleBackend,
      engines: { node: '>=20' },
      scripts: { build: 'mkdir -p dist && cp src/*.js dist/' },
      files: ['dist'],
      dependencies: { greeting: '^1.0.0' },
      bootlace: { ...sampleBackend.bootlace, migrate: 'node dist/migrate.js' },
    },
    'packages/backend/src/main.js': server,
    'packages/backend/src/worker.js': says('worker'),
    'packages/backend/src/nightly.js': says('nightly'),
    'packages/backend/src/migrate.js': says('migrated'),
  });
  temp = createRepository(t, {});
  path = npxShim(join(temp, 'bin'));
  const locked = await shell('npm install --package-lock-only --no-audit', workspace, {});
  assert.equal(locked.code, 0, locked.stderr);
  await initEnds(workspace, '', 0);
  publicRegistry = open.url;
});
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});
let publicRegistry = '';

const blueprint = () => parse(read(workspace, 'render.yaml')) as Blueprint;
const workflow = (name: string) =>
  parse(read(workspace, `.github/workflows/${name}.yml`)) as Workflow;

/** Where the test differs from GitHub and Render: the registries' addresses. */
const here = () => ({
  PATH: path,
  BACKEND_REGISTRY: registry.url,
  npm_config_registry: publicRegistry,
});

function publish(run: number, more: Record<string, string> = {}) {
  const { publish: job } = workflow('publish-backend').jobs;
  assert.ok(job);
  return runWorkflow(
    { ...workflow('publish-backend'), jobs: { publish: job } },
    {
      workspace,
      temp,
      registry: registry.url,
      secrets,
      env: { ...here(), GITHUB_RUN_NUMBER: String(run), GITHUB_RUN_ATTEMPT: '1', ...more },
    },
  );
}

test('publishes a version that is new with each run, once for each run, and no other in its name', async () => {
  const first = await publish(7);
  assert.equal(first.code, 0, first.output);
  assert.deepEqual(first.outputs, { version: '1.4.7' });
  assert.match(first.output, /bootlace-lock\.json: 1 package/);
  const again = await publish(7, { GITHUB_RUN_ATTEMPT: '2' });
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /an earlier attempt of this run published 1\.4\.7/);
  const other = await publish(7);
  assert.notEqual(other.code, 0, 'somebody else published that version');
  assert.deepEqual((await publish(8)).outputs, { version: '1.4.8' });
});

const asked = { NPM_TOKEN: token, SMTP_PASSWORD: 'smtp', BACKEND_VERSION: '1.4.7' };

for (const [environment, version] of [
  ['smokebox', '1.4.8'],
  ['prod', '1.4.7'],
] as const)
  test(`${environment}: build, migration, start and health as render.yaml says`, async () => {
    const environments = environmentsOf(blueprint(), asked);
    const services = blueprint().services.filter(
      ({ name, runtime }) => runtime && name.startsWith(`acme-backend-${environment}`),
    );
    assert.deepEqual(
      services.map(({ type }) => type),
      ['web', 'worker', 'cron'],
    );
    for (const service of services) {
      const folder = join(temp, service.name);
      mkdirSync(folder);
      const env = { ...environments[service.name], ...here() };
      const built = await shell(service.buildCommand ?? '', folder, env);
      assert.equal(built.code, 0, built.stderr);
      assert.match(built.stdout, new RegExp(`^@acme/backend ${version} `));
      const database = `postgres://u:p@acme-backend-${environment}-db/d`;
      if (service.type !== 'web') {
        const ended = await shell(service.startCommand ?? '', folder, env);
        const word = service.type === 'cron' ? 'nightly' : 'worker';
        assert.equal(ended.stdout, `${word} ${database}\n`, ended.stderr);
        assert.equal(
          environments[service.name]?.JWT_SECRET,
          `generated-for-acme-backend-${environment}`,
        );
        continue;
      }
      const migrated = await shell(service.preDeployCommand ?? '', folder, env);
      assert.equal(migrated.stdout, `migrated ${database}\n`, migrated.stderr);
      const port = await freePort();
      const child = start(service.startCommand ?? '', folder, { ...env, PORT: String(port) });
      const { body } = await waitForAnswer(`http://127.0.0.1:${port}${service.healthCheckPath}`);
      assert.deepEqual(JSON.parse(body), { version, secret: `generated-for-${service.name}` });
      child.kill();
    }
  });

function start(command: string, cwd: string, env: Record<string, string>): ChildProcess {
  const child = spawn('bash', ['-c', `exec ${command}`], {
    cwd,
    env: cleanEnv(env),
    stdio: 'ignore',
  });
  cleanups.push(() => void child.kill());
  return child;
}

test('no build of production without a version', async () => {
  const folder = join(temp, 'unpinned');
  mkdirSync(folder);
  const [production] = blueprint().services.filter(({ name }) => name === 'acme-backend-prod');
  const { BACKEND_VERSION: _, ...unpinned } =
    environmentsOf(blueprint(), asked)['acme-backend-prod'] ?? {};
  for (const env of [unpinned, { ...unpinned, BACKEND_VERSION: '' }]) {
    const built = await shell(production?.buildCommand ?? '', folder, { ...env, ...here() });
    assert.notEqual(built.code, 0);
    assert.match(built.stderr, /BACKEND_VERSION/);
  }
  assert.equal(existsIn(folder, '.bootlace'), false);
});

const kinds: Record<string, FakeType> = {
  web: 'web_service',
  worker: 'background_worker',
  cron: 'cron_job',
};

test('the workflows deploy smokebox after the publish, and production by hand, and go back', async () => {
  const start = Date.now();
  const clock = fastClock(40, start);
  const render = await FakeRender.start({ clock, key: apiKey, contract: Contract.load() });
  cleanups.push(() => render.close());
  const environments = environmentsOf(blueprint(), { ...asked, BACKEND_VERSION: '1.4.6' });
  for (const { name, type, runtime, healthCheckPath } of blueprint().services) {
    if (!runtime) continue;
    const env = { ...environments[name], BACKEND_REGISTRY: registry.url };
    const service = render.add({ name, type: kinds[type], healthPath: healthCheckPath, env });
    for (let i = 0; i < 3; i++) service.scripts.push({ steps: [['live', 0]] });
  }
  const pins = (environment: string) =>
    render.services
      .filter(({ name }) => name.startsWith(`acme-backend-${environment}`))
      .map(service => [service.live?.version, service.env.get('BACKEND_VERSION')].join(' '));
  const run = (name: string, inputs: Record<string, string> = {}) =>
    runWorkflow(workflow(name), {
      workspace,
      temp,
      registry: registry.url,
      secrets,
      inputs,
      env: {
        ...here(),
        RENDER_HOST: render.url,
        CLOCK_START: String(start),
        GITHUB_RUN_NUMBER: '9',
      },
    });

  const published = await run('publish-backend');
  assert.equal(published.code, 0, published.output);
  assert.deepEqual(pins('smokebox'), ['1.4.9 1.4.9', '1.4.9 1.4.9', '1.4.9 1.4.9']);
  assert.deepEqual(pins('prod'), [' 1.4.6', ' 1.4.6', ' 1.4.6']);

  const byHand = { action: 'deploy', version: '1.4.7', force: 'false' };
  for (const [inputs, pin] of [
    [byHand, '1.4.7 1.4.7'],
    [{ ...byHand, version: '' }, '1.4.9 1.4.9'],
    [{ ...byHand, action: 'rollback', version: '' }, '1.4.7 1.4.7'],
  ] as const) {
    const deployed = await run('deploy', inputs);
    assert.equal(deployed.code, 0, deployed.output);
    assert.deepEqual(pins('prod'), [pin, pin, pin]);
  }
  const evil = await run('deploy', {
    ...byHand,
    version: '1.4.9"; touch pwned; echo "$(touch pwned)',
  });
  assert.equal(evil.code, 3, evil.output);
  assert.equal(existsIn(workspace, 'pwned'), false);
});
