import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Clock, fastClock } from '../support/clock';
import type { FakeRegistry } from '../support/fake-registry';
import { FakeRender } from '../support/fake-render';
import { RealBuilds } from '../support/fake-render-build';
import type { FakeService } from '../support/fake-render-service';
import { Contract } from '../support/openapi';
import { apiKey, run, startRegistry, token, type World } from './world';

// Builds are `bootlace setup` in a folder, backends are processes that answer on a port.

let registry: FakeRegistry;
let render: FakeRender;
let builds: RealBuilds;
let world: World;
let api: FakeService;

before(async () => {
  registry = await startRegistry();
  for (const version of ['1.0.0', '1.1.0']) publish(version, backend(version));
  publish('1.2.0', "throw new Error('the table is missing')");
  publish('1.3.0', backend('1.0.0'));
  const clock: Clock = fastClock(40);
  render = await FakeRender.start({ clock, key: apiKey, contract: Contract.load() });
  builds = new RealBuilds(render);
  const settings = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    npm_config_registry: registry.url,
    NPM_TOKEN: token,
  };
  api = render.add({ name: 'api', healthPath: '/health', env: { ...settings, KEEP: 'as it is' } });
  const env = {
    ...settings,
    RENDER_API_KEY: apiKey,
    RENDER_HOST: render.url,
    HOME: '/nonexistent',
  };
  const nothing = () => {};
  world = {
    clock,
    render,
    api,
    env,
    dir: process.cwd(),
    writeFile: nothing,
    close: async () => {},
  };
});
after(async () => {
  await builds.close();
  await render.close();
  await registry.close();
});

test('a real deploy, a broken version that goes back by itself, and a rollback', async () => {
  await story('deploy api --backend-version 1.0.0', 0, /deployed +1\.0\.0/, '1.0.0');
  await story('deploy api --backend-version 1.1.0', 0, /before: 1\.0\.0/, '1.1.0');
  await story(
    'deploy api --backend-version 1.2.0',
    9,
    /the table is missing[\s\S]*DEPLOY_UPDATE_FAILED.*exited with 1.*is still live and healthy/,
    '1.1.0',
  );
  await story('rollback api', 0, /rolled back +1\.0\.0/, '1.0.0');
  assert.equal(api.live?.trigger, 'rollback');
});

test('a version that is not what its number says goes back by its artifact', async () => {
  await story(
    'deploy api --backend-version 1.3.0 --expect-json /version --patience 3',
    9,
    /DEPLOY_WRONG_VERSION.*"1\.0\.0" at \/version in place of 1\.3\.0.*is live again and proven/,
    '1.0.0',
  );
});

test('a build that fails is told by its log', async () => {
  api.env.set('NPM_TOKEN', 'ghp_wrong0123456789abcdefghijABCDEFGHIJ01');
  await story(
    'deploy api --backend-version 1.1.0',
    9,
    /TOKEN_[\s\S]*DEPLOY_BUILD_FAILED.*exited with 4/,
    '1.0.0',
  );
  api.env.set('NPM_TOKEN', token);
});

async function story(line: string, code: number, says: RegExp, version: string): Promise<void> {
  const ended = await run(world, line.split(' '));
  assert.equal(ended.code, code, ended.all);
  assert.match(ended.all, says, ended.all);
  assert.equal(await (await fetch(`${api.url}/health`)).text(), `{"version":"${version}"}`);
  assert.equal(api.env.get('BACKEND_VERSION'), version);
  assert.equal(api.env.get('KEEP'), 'as it is');
  assert.deepEqual(render.options.contract?.problems ?? [], []);
}

function publish(version: string, main: string): void {
  const manifest = { name: '@acme/backend', version, main: 'dist/main.js' };
  registry.publish(manifest, { 'dist/main.js': main });
}

function backend(version: string): string {
  return [
    "const { createServer } = require('node:http')",
    `const server = createServer((_, res) => res.end(JSON.stringify({ version: '${version}' })))`,
    "server.listen(process.env.PORT, '127.0.0.1')",
    "process.on('SIGTERM', () => process.exit(0))",
  ].join('\n');
}
