import assert from 'node:assert/strict';
import type { FakeService } from '../support/fake-render-service';
import { interrupt } from './scenarios';
import { apiKey, others, type Run, run, seedProven, type World } from './world';

/** One line of a table about other services than the one in scenarios.ts. */
export interface Case {
  name: string;
  given?: (world: World) => void;
  argv: string;
  exit: number;
  says: RegExp;
  check?: (world: World, ended: Run) => void | Promise<void>;
}

const pinned = { ...others, BACKEND_VERSION: '1.0.0' };

export function add(
  world: World,
  name: string,
  type: FakeService['type'],
  runtime = 'node',
  instances = 1,
): FakeService {
  const service = world.render.add({
    name,
    type,
    runtime,
    instances,
    env: runtime === 'node' ? pinned : others,
  });
  if (runtime === 'node') seedProven(service, '1.0.0');
  else
    service.seedLive('old', {
      commit: 'aaaa111',
      ...(runtime === 'image' && { image: 'docker.io/acme/app:old' }),
    });
  return service;
}

export function find({ render }: World, name: string): FakeService {
  const service = render.services.find(s => s.name === name);
  assert.ok(service, name);
  return service;
}

/** The pin, the live version, and whether anything else changed. */
export function stands(world: World, name: string, pin: string | undefined, live: string): void {
  const service = find(world, name);
  assert.equal(service.env.get('BACKEND_VERSION'), pin, name);
  assert.equal(service.live?.version, live, name);
  for (const [key, value] of Object.entries(others))
    assert.equal(service.env.get(key), value, `${name} ${key}`);
}

export const pinTo = (w: World, version: string) => void w.api.env.set('BACKEND_VERSION', version);
const pinOf = ({ id }: FakeService) => new RegExp(`PUT .*${id}/env-vars/BACKEND_VERSION$`);
export const broken = { answer: () => ({ status: 500 }) };
export const to = '--backend-version 1.1.0';

const recordOf = (w: World) => w.api.env.get('BOOTLACE_RECORD') ?? '';

/** 1.0.0, 1.1.0 and 1.2.0 are proven, the last one is live. */
function at10to12(w: World): void {
  for (const version of ['1.1.0', '1.2.0']) seedProven(w.api, version);
  pinTo(w, '1.2.0');
}

export async function then(world: World, line: string, exit: number, says: RegExp): Promise<void> {
  const { code, all } = await run(world, line.split(' '));
  assert.equal(code, exit, all);
  assert.match(all, says, all);
}

// biome-ignore format: one line a case
export const types: readonly Case[] = [
  { name: 'a worker by its start lines', given: w => void add(w, 'worker', 'background_worker', 'node', 3), argv: `deploy worker ${to}`, exit: 0, says: /start line of @acme\/backend 1\.1\.0 from each instance \(3\)/, check: w => stands(w, 'worker', '1.1.0', '1.1.0') },
  { name: 'a worker of which one instance says nothing', given: w => add(w, 'worker', 'background_worker', 'node', 3).scripts.push({ saysStart: i => i > 0 }), argv: `deploy worker ${to}`, exit: 9, says: /DEPLOY_UNPROVEN.*it stays live, and BACKEND_VERSION is 1\.1\.0/, check: w => stands(w, 'worker', '1.1.0', '1.1.0') },
  { name: 'a worker that crashes', given: w => add(w, 'worker', 'background_worker').scripts.push({ crashes: { oomKilled: { memoryLimit: '512Mi' } } }), argv: `deploy worker ${to}`, exit: 9, says: /DEPLOY_CRASHING.*out of memory \(the limit is 512Mi\)/, check: w => stands(w, 'worker', '1.0.0', '1.0.0') },
  { name: 'a private service has no address to ask', given: w => void add(w, 'db-api', 'private_service'), argv: `deploy db-api ${to}`, exit: 0, says: /start line.*from each instance/, check: w => stands(w, 'db-api', '1.1.0', '1.1.0') },
  { name: 'a cron job by its status', given: w => void add(w, 'nightly', 'cron_job'), argv: `deploy nightly ${to}`, exit: 0, says: /nightly: dep-\w+ is live/, check: w => stands(w, 'nightly', '1.1.0', '1.1.0') },
  { name: 'a cron job that does not build', given: w => add(w, 'nightly', 'cron_job').scripts.push({ steps: [['build_failed', 0]] }), argv: `deploy nightly ${to}`, exit: 9, says: /DEPLOY_BUILD_FAILED/, check: w => stands(w, 'nightly', '1.0.0', '1.0.0') },
  { name: 'a static site', given: w => void add(w, 'site', 'static_site', 'static'), argv: 'deploy site', exit: 0, says: /site: http.*answers 200/, check: w => stands(w, 'site', undefined, '1.0.0') },
  { name: 'a static site that answers 404', given: w => add(w, 'site', 'static_site', 'static').scripts.push({ answer: () => ({ status: 404 }) }), argv: 'deploy site', exit: 9, says: /DEPLOY_UNHEALTHY.*live again and healthy/, check: w => stands(w, 'site', undefined, 'old') },
  { name: 'python, a commit', given: w => void add(w, 'ml', 'web_service', 'python'), argv: 'deploy ml --commit deadbeef', exit: 0, says: /ml +deployed/, check: w => stands(w, 'ml', undefined, 'deadbee') },
  { name: 'python gets no variable of ours', given: w => void add(w, 'ml', 'web_service', 'python'), argv: 'deploy ml --clear-cache', exit: 0, says: /ml +deployed/, check: w => assert.deepEqual(Object.fromEntries(find(w, 'ml').env), others) },
  { name: 'a cleared cache is asked for', argv: `deploy api ${to} --clear-cache`, exit: 0, says: /deployed/, check: w => assert.ok(w.render.requests.some(r => JSON.stringify(r.body) === '{"clearCache":"clear"}')) },
  { name: 'docker, and the way back', given: w => add(w, 'box', 'web_service', 'docker').scripts.push(broken), argv: 'deploy box', exit: 9, says: /DEPLOY_UNHEALTHY.*dep-\w+ is live again and healthy/, check: w => stands(w, 'box', undefined, 'old') },
  { name: 'docker, pinned by its own variable', given: w => { const s = add(w, 'box', 'web_service', 'docker'); s.env.set('BACKEND_VERSION', '1.0.0'); }, argv: `deploy box ${to} --expect-json /version`, exit: 0, says: /box +deployed +1\.1\.0/, check: w => stands(w, 'box', '1.1.0', '1.1.0') },
  { name: 'docker, and a version', given: w => void add(w, 'box', 'web_service', 'docker'), argv: `deploy box ${to} --expect-json /version`, exit: 2, says: /VERSION_NOT_HERE: box \(docker\) has no variable BACKEND_VERSION.*\n.*pass --env-key BACKEND_VERSION when box reads it, or leave --backend-version out/, check: w => stands(w, 'box', undefined, 'old') },
  { name: 'docker, and a version by --env-key', given: w => void add(w, 'box', 'web_service', 'docker'), argv: `deploy box ${to} --env-key BACKEND_VERSION --expect-json /version`, exit: 0, says: /box +deployed +1\.1\.0/, check: w => stands(w, 'box', '1.1.0', '1.1.0') },
  { name: 'docker, and a version of the environment', given: w => { add(w, 'box', 'web_service', 'docker'); w.env.BACKEND_VERSION = '1.1.0'; }, argv: 'deploy box', exit: 2, says: /VERSION_NOT_HERE.*the version of BACKEND_VERSION\n.*or --no-pin/, check: w => stands(w, 'box', undefined, 'old') },
  { name: 'docker, and no version to expect', given: w => void add(w, 'box', 'web_service', 'docker'), argv: 'deploy box --expect-json /version', exit: 2, says: /VERSION_MISSING.*\n.*--expect-json \/version=1\.2\.3/, check: w => stands(w, 'box', undefined, 'old') },
  { name: 'docker, and the version to expect', given: w => void add(w, 'box', 'web_service', 'docker'), argv: 'deploy box --expect-json /version=1.0.0', exit: 0, says: /answers 200 and 1\.0\.0[\s\S]*box +deployed|box +deployed[\s\S]*answers 200 and 1\.0\.0/ },
  { name: 'an image', given: w => void add(w, 'img', 'web_service', 'image'), argv: 'deploy img --image docker.io/acme/app:new', exit: 0, says: /img +deployed/, check: w => stands(w, 'img', undefined, 'new') },
  { name: 'an image whose artifact is gone', given: w => { const s = add(w, 'img', 'web_service', 'image'); for (const d of s.deploys) d.artifactGone = true; s.scripts.push(broken); }, argv: 'deploy img --image docker.io/acme/app:new', exit: 9, says: /deploying it anew/, check: w => stands(w, 'img', undefined, 'old') },
  { name: 'a commit on an image', given: w => void add(w, 'img', 'web_service', 'image'), argv: 'deploy img --commit abc', exit: 2, says: /COMMIT_NOT_HERE/ },
  { name: 'another variable', given: w => void w.render.add({ name: 'b', env: { ...others, API_VERSION: '1.0.0' } }).seedLive('1.0.0'), argv: `deploy b ${to} --env-key API_VERSION`, exit: 0, says: /b +deployed +1\.1\.0/, check: w => assert.equal(find(w, 'b').env.get('API_VERSION'), '1.1.0') },
  { name: 'never deployed before, and broken', given: w => w.render.add({ name: 'new', env: others }).scripts.push({ steps: [['build_failed', 0]] }), argv: `deploy new ${to}`, exit: 9, says: /new: nothing was live before\n[\s\S]*BACKEND_VERSION is unset as before, no deploy was live before/, check: w => assert.deepEqual(Object.fromEntries(find(w, 'new').env), others) },
  { name: '--no-pin follows latest', given: w => pinTo(w, 'latest'), argv: 'deploy api --no-pin', exit: 0, says: /api +deployed +1\.1\.0 +before: 1\.0\.0/, check: w => stands(w, 'api', 'latest', '1.1.0') },
  { name: '--no-pin where no pin is set', given: w => void w.api.env.delete('BACKEND_VERSION'), argv: 'deploy api --no-pin', exit: 0, says: /api +deployed +1\.1\.0/, check: w => stands(w, 'api', undefined, '1.1.0') },
  { name: '--no-pin, and it fails', given: w => { pinTo(w, 'latest'); w.api.scripts.push(broken); }, argv: 'deploy api --no-pin', exit: 9, says: /DEPLOY_UNHEALTHY.*api: dep-\w+ \(1\.0\.0\) is live again and proven/, check: w => stands(w, 'api', 'latest', '1.0.0') },
  { name: '--no-pin is live already', argv: 'deploy api --no-pin', exit: 0, says: /1\.0\.0 is live and healthy already/, check: w => assert.equal(w.api.deploys.length, 1) },
  { name: '--no-pin with a version', argv: `deploy api --no-pin ${to}`, exit: 2, says: /PIN_INVALID/ },
  { name: 'a free service that sleeps again', given: w => { const s = w.render.add({ name: 'free', plan: 'free', env: pinned }); seedProven(s, '1.0.0'); }, argv: `deploy free ${to}`, exit: 0, says: /deployed/ },
];

// biome-ignore format: one line a case
export const several: readonly Case[] = [
  { name: 'in order', given: w => void add(w, 'worker', 'background_worker'), argv: `deploy api worker ${to}`, exit: 0, says: /api: dep-\w+ live[\s\S]*worker: deploying/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); stands(w, 'worker', '1.1.0', '1.1.0'); } },
  { name: 'the second fails, both go back', given: w => add(w, 'worker', 'background_worker').scripts.push({ steps: [['build_failed', 0]] }), argv: `deploy api worker ${to}`, exit: 9, says: /DEPLOY_BUILD_FAILED: worker.*worker: BACKEND_VERSION is 1\.0\.0 again.*api: BACKEND_VERSION is 1\.0\.0 again, dep-\w+ \(1\.0\.0\) is live again and proven/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); stands(w, 'worker', '1.0.0', '1.0.0'); } },
  { name: 'the first fails, the second is not touched', given: w => { add(w, 'worker', 'background_worker'); w.api.scripts.push({ steps: [['build_failed', 0]] }); }, argv: `deploy api worker ${to}`, exit: 9, says: /DEPLOY_BUILD_FAILED: api/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); assert.equal(find(w, 'worker').deploys.length, 1); } },
  { name: 'the second fails, --no-undo', given: w => add(w, 'worker', 'background_worker').scripts.push({ steps: [['build_failed', 0]] }), argv: `deploy api worker ${to} --no-undo`, exit: 9, says: /left as it is[\s\S]*left as it is/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); stands(w, 'worker', '1.1.0', '1.0.0'); } },
  { name: 'the second cannot go back, the first does', given: w => { const s = add(w, 'worker', 'background_worker'); s.scripts.push({ steps: [['build_failed', 0]] }); w.render.misbehave({ match: pinOf(s), after: 1, status: 400 }); }, argv: `deploy api worker ${to}`, exit: 9, says: /UNDO_FAILED: worker: BACKEND_VERSION may still be 1\.1\.0.*it began with: worker: the build failed.*api: BACKEND_VERSION is 1\.0\.0 again, dep-\w+ \(1\.0\.0\) is live again and proven/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); stands(w, 'worker', '1.1.0', '1.0.0'); } },
  { name: 'Ctrl-C while the second goes back', given: w => { const s = add(w, 'worker', 'background_worker'); s.scripts.push({ steps: [['build_failed', 0]] }); interrupt(w, pinOf(s), 1); }, argv: `deploy api worker ${to}`, exit: 130, says: /warning: worker: the build failed\nwarning: worker: going back to 1\.0\.0 was not finished.*\nwarning: api: 1\.1\.0 is live and proven; to go back: npx bootlace rollback api\n/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); stands(w, 'worker', '1.0.0', '1.0.0'); } },
  { name: 'Ctrl-C while the first goes back, the second did', given: w => { add(w, 'worker', 'background_worker').scripts.push({ steps: [['build_failed', 0]] }); interrupt(w, pinOf(w.api), 1); }, argv: `deploy api worker ${to}`, exit: 130, says: /worker: BACKEND_VERSION is 1\.0\.0 again.*\nwarning: api: going back to 1\.0\.0 was not finished/, check: w => stands(w, 'worker', '1.0.0', '1.0.0') },
  { name: 'one address for two', given: w => void add(w, 'worker', 'background_worker'), argv: `deploy api worker ${to} --url http://127.0.0.1:1`, exit: 2, says: /URL_INVALID/ },
  { name: 'the same twice is once', argv: `deploy api api ${to}`, exit: 0, says: /deployed/, check: w => assert.equal(w.api.deploys.length, 2) },
  { name: 'one pinned, one not', given: w => void add(w, 'ml', 'web_service', 'python'), argv: 'deploy api ml --no-pin', exit: 0, says: /ml +deployed +-/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: 'one pinned, one not, and a version', given: w => void add(w, 'ml', 'web_service', 'python'), argv: `deploy api ml ${to}`, exit: 0, says: /warning: ml \(python\) has no variable BACKEND_VERSION .*; it is deployed as it is[\s\S]*ml +deployed +-/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: '150 services and one of them', given: w => { for (let i = 0; i < 150; i++) w.render.add({ name: `api-${i}` }); }, argv: `deploy api ${to}`, exit: 0, says: /deployed/ },
];

const proven = (w: World) => seedProven(w.api, '1.1.0');
export const at11 = (w: World) => {
  pinTo(w, '1.1.0');
  proven(w);
};

const failsWith = (w: World, buildLog: string[]) =>
  w.api.scripts.push({
    steps: [
      ['build_in_progress', 0],
      ['build_failed', 0],
    ],
    buildLog,
  });
const stale = 'run npx bootlace lock in the backend and publish a new version;';

/** What to do about a build that failed: what its log says, if bootlace wrote it. */
// biome-ignore format: one line a case
export const fixes: readonly Case[] = [
  { name: 'a lock that does not fit', given: w => failsWith(w, ['bootlace: LOCK_STALE: it does not fit', '  nearest: 1', `  fix: ${stale}`, '       --lock FILE takes another lock', '==> Build failed']), argv: `deploy api ${to}`, exit: 9, says: /fix: its log says: run npx bootlace lock in the backend and publish a new version; --lock FILE takes another lock; then deploy the version that you publish, or, if you publish none, run: npx bootlace deploy api --backend-version 1\.1\.0\n/ },
  { name: 'a token', given: w => failsWith(w, ['bootlace: TOKEN_INVALID: refused', '  fix: make a new token and set NPM_TOKEN to it', 'x']), argv: `deploy api ${to}`, exit: 9, says: /fix: its log says: make a new token and set NPM_TOKEN to it \(variables: on Render, the Environment page of api\); then/ },
  { name: 'the log is cut off', given: w => failsWith(w, ['bootlace: LOCK_STALE: it does not fit', `  fix: ${stale}`]), argv: `deploy api ${to}`, exit: 9, says: /fix: its log says: run npx bootlace lock in the backend and publish a new version; then/ },
  { name: 'a log without a fix', given: w => failsWith(w, ['  fix: not of bootlace', 'bootlace: starting a@1.0.0: x']), argv: `deploy api ${to}`, exit: 9, says: /fix: if the package is at fault, publish a corrected version and deploy that; else correct the service and run: npx bootlace deploy api --backend-version 1\.1\.0\n/ },
  { name: 'a service without a package', given: w => add(w, 'ml', 'web_service', 'python').scripts.push({ steps: [['update_failed', 0]] }), argv: 'deploy ml', exit: 9, says: /the new version did not go live[\s\S]*fix: correct the code or the service, then run: npx bootlace deploy ml\n/ },
  { name: 'what was ill before is not called healthy', given: w => { if (w.api.live) w.api.live.script = broken; failsWith(w, []); }, argv: `deploy api ${to}`, exit: 9, says: /BACKEND_VERSION is 1\.0\.0 again, dep-\w+ \(1\.0\.0\) is still live\n/ },
  { name: 'the same of the version that was asked for', given: w => { if (w.api.live) w.api.live.script = broken; failsWith(w, []); }, argv: 'deploy api --backend-version 1.0.0', exit: 9, says: /is live, but not healthy; deploying it again[\s\S]*\(1\.0\.0\) is still live\n/ },
  { name: 'nothing of it ran', given: w => { w.api.options.preDeployCommand = 'node migrate.js'; failsWith(w, []); }, argv: `deploy api ${to}`, exit: 9, says: /^(?![\s\S]*migrations)[\s\S]*BUILD_FAILED/ },
  { name: 'its migrations ran', given: w => { w.api.options.preDeployCommand = 'node migrate.js'; w.api.scripts.push({ steps: [['update_failed', 0]] }); }, argv: `deploy api ${to}`, exit: 9, says: /is still live and healthy, migrations that ran stay\n/ },
];

// biome-ignore format: one line a case
export const rollbacks: readonly Case[] = [
  { name: 'its pre-deploy command is named', given: w => { at11(w); w.api.options.preDeployCommand = 'node migrate.js'; }, argv: 'rollback api', exit: 0, says: /undoes nothing in the database: migrations that ran stay\napi: its pre-deploy command may run on the way back, too: node migrate\.js\n/ },
  { name: 'to the one before', given: at11, argv: 'rollback api', exit: 0, says: /rolled back +1\.0\.0 +before: 1\.1\.0/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); assert.equal(w.api.live?.trigger, 'rollback'); assert.match(w.api.env.get('BOOTLACE_RECORD') ?? '', /^\{"proven":\[\{"version":"1\.0\.0","deploy":"[^"]+"\},\{"version":"1\.1\.0","deploy":"[^"]+","left":true\}\]\}$/); } },
  { name: 'without the artifact', given: w => { at11(w); for (const d of w.api.deploys) d.artifactGone = true; }, argv: 'rollback api', exit: 0, says: /is gone; deploying it anew/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); assert.equal(w.api.live?.trigger, 'api'); } },
  { name: '--to a version', given: at11, argv: 'rollback api --to v1.2.0', exit: 0, says: /rolled back +1\.2\.0/, check: w => stands(w, 'api', '1.2.0', '1.2.0') },
  { name: '--to a version that the registry has not', given: at11, argv: 'rollback api --to 1.0.9', exit: 5, says: /VERSION_NOT_FOUND/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: 'the version before is gone from the registry', given: w => { seedProven(w.api, '0.9.0'); at11(w); w.api.env.set('BOOTLACE_RECORD', '{"proven":[{"version":"0.9.0","deploy":"dep-1"}]}'); }, argv: 'rollback api', exit: 5, says: /VERSION_NOT_FOUND: @acme\/backend has no version 0\.9\.0[\s\S]*publish 0\.9\.0 again, or name another: npx bootlace rollback api --to 1\.2\.3/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: 'the registry is away, the artifact is there', given: w => { at11(w); w.env.BACKEND_REGISTRY = 'http://127.0.0.1:1/'; }, argv: 'rollback api', exit: 0, says: /warning: api: 1\.0\.0 could not be looked up: .*\n[\s\S]*rolled back +1\.0\.0/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: 'the registry is away and no artifact known', given: w => { at11(w); w.env.BACKEND_REGISTRY = 'http://127.0.0.1:1/'; }, argv: 'rollback api --to 1.2.0', exit: 7, says: /REGISTRY/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: 'nothing was proven before', argv: 'rollback api', exit: 5, says: /NO_PROVEN_VERSION[\s\S]*--to 1\.2\.3/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: '--to a tag', argv: 'rollback api --to latest', exit: 2, says: /TO_INVALID/ },
  { name: 'it does not start: the pin is back, and the next one chooses another', given: w => { at10to12(w); w.api.scripts.push({ steps: [['update_in_progress', 5], ['update_failed', 0]], failure: { nonZeroExit: 1 } }); }, argv: 'rollback api', exit: 9, says: /DEPLOY_UPDATE_FAILED[\s\S]*BACKEND_VERSION is 1\.2\.0 again, dep-\w+ \(1\.2\.0\) is still live\n/, check: async w => { stands(w, 'api', '1.2.0', '1.2.0'); assert.doesNotMatch(recordOf(w), /pending/); await then(w, 'rollback api', 0, /rolled back +1\.0\.0/); stands(w, 'api', '1.0.0', '1.0.0'); } },
  { name: '--to a version whose build fails', given: w => { at11(w); w.api.scripts.push({ steps: [['build_failed', 0]] }); }, argv: 'rollback api --to 1.2.0', exit: 9, says: /DEPLOY_BUILD_FAILED[\s\S]*BACKEND_VERSION is 1\.1\.0 again, dep-\w+ \(1\.1\.0\) is still live\n[\s\S]*rollback api --to 1\.2\.0\n/, check: async w => { stands(w, 'api', '1.1.0', '1.1.0'); await then(w, 'rollback api', 0, /rolled back +1\.0\.0/); } },
  { name: 'it fails, the pin was latest', given: w => { at11(w); pinTo(w, 'latest'); w.api.scripts.push({ steps: [['update_failed', 0]] }); }, argv: 'rollback api', exit: 9, says: /BACKEND_VERSION is latest again/, check: w => stands(w, 'api', 'latest', '1.1.0') },
  { name: 'the same, and the pin was not set', given: w => { at11(w); w.api.env.delete('BACKEND_VERSION'); w.api.scripts.push({ steps: [['update_failed', 0]] }); }, argv: 'rollback api', exit: 9, says: /BACKEND_VERSION is unset as before, dep-\w+ \(1\.1\.0\) is still live/, check: w => stands(w, 'api', undefined, '1.1.0') },
  { name: 'a service without a pin, and it fails', given: w => { const s = add(w, 'ml', 'web_service', 'python'); s.seedLive('new'); s.scripts.push({ steps: [['update_failed', 0]] }); }, argv: 'rollback ml', exit: 9, says: /DEPLOY_UPDATE_FAILED[^\n]*\. dep-\w+ is still live\n/, check: w => stands(w, 'ml', undefined, 'new') },
  { name: 'it is live and unhealthy: it stays, and the fix names another', given: w => { at10to12(w); w.api.scripts.push(broken); }, argv: 'rollback api', exit: 9, says: /DEPLOY_UNHEALTHY[\s\S]*dep-\w+ \(1\.1\.0\) is live, and stays\n {2}fix: choose another version: npx bootlace rollback api --to 1\.0\.0\n/, check: async w => { stands(w, 'api', '1.1.0', '1.1.0'); await then(w, 'rollback api', 0, /rolled back +1\.0\.0/); } },
  { name: 'the same, and no other is proven', given: w => { at11(w); w.api.scripts.push(broken); }, argv: 'rollback api', exit: 9, says: /fix: choose another version: npx bootlace deploy api --backend-version 1\.1\.0\n/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: 'a deploy keeps what was proven before it, newer ones too', given: w => { seedProven(w.api, '1.2.0'); pinTo(w, '1.2.0'); }, argv: `deploy api ${to}`, exit: 0, says: /deployed +1\.1\.0/, check: async w => { await then(w, 'rollback api', 0, /rolled back +1\.2\.0/); await then(w, 'rollback api', 0, /rolled back +1\.0\.0/); await then(w, 'rollback api', 5, /NO_PROVEN_VERSION/); await then(w, 'releases api', 0, /1\.0\.0 +proven[\s\S]*1\.2\.0 +proven[\s\S]*1\.1\.0 +proven/); } },
  { name: 'python, to the deploy before', given: w => void add(w, 'ml', 'web_service', 'python').seedLive('new'), argv: 'rollback ml', exit: 0, says: /rolled back/, check: w => stands(w, 'ml', undefined, 'old') },
  { name: 'python, and no version to expect', given: w => void add(w, 'ml', 'web_service', 'python').seedLive('new'), argv: 'rollback ml --expect-json /version', exit: 2, says: /VERSION_MISSING/, check: w => stands(w, 'ml', undefined, 'new') },
  { name: 'python, autodeploy would bring it back', given: w => { const s = add(w, 'ml', 'web_service', 'python'); s.seedLive('new'); s.autoDeploy = 'yes'; }, argv: 'rollback ml', exit: 0, says: /autodeploy is on \(commit\).*--hold/, check: w => assert.equal(find(w, 'ml').autoDeploy, 'yes') },
  { name: 'python, --hold', given: w => { const s = add(w, 'ml', 'web_service', 'python'); s.seedLive('new'); s.autoDeploy = 'yes'; }, argv: 'rollback ml --hold', exit: 0, says: /rolled back/, check: w => assert.equal(find(w, 'ml').autoDeploy, 'no') },
  { name: '--hold is refused, the next goes back all the same', given: w => { at11(w); w.api.autoDeploy = 'yes'; const s = add(w, 'worker', 'background_worker'); s.env.set('BACKEND_VERSION', '1.1.0'); seedProven(s, '1.1.0'); w.render.misbehave({ match: new RegExp(`PATCH .*${w.api.id}$`), status: 403 }); }, argv: 'rollback api worker --hold', exit: 0, says: /api: autodeploy could not be switched[\s\S]*worker +rolled back/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); stands(w, 'worker', '1.0.0', '1.0.0'); } },
  { name: 'what is proven cannot be written down', given: w => { at11(w); w.render.misbehave({ match: /PUT .*RECORD$/, after: 1, status: 500 }); }, argv: 'rollback api', exit: 0, says: /1\.0\.0 is proven, but could not be written down[\s\S]*rolled back +1\.0\.0/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: 'a pin with a v, and nothing that shows the version', given: w => { at11(w); pinTo(w, 'v1.1.0'); w.api.create('manual', { steps: [['live', 0]], saysStart: () => false }, { version: '1.1.0' }); w.api.logs.length = 0; }, argv: 'rollback api --health-only', exit: 0, says: /rolled back +1\.0\.0/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: 'deploy --release-hold', argv: `deploy api ${to} --release-hold`, exit: 0, says: /deployed/, check: w => assert.equal(w.api.autoDeploy, 'yes') },
  { name: 'deploy with autodeploy on', given: w => { w.api.autoDeploy = 'yes'; }, argv: `deploy api ${to}`, exit: 0, says: /autodeploy is on/, check: w => assert.equal(w.api.autoDeploy, 'yes') },
  ...([[/PUT .*RECORD$/, 0], [/PUT .*VERSION$/, 0], [/\/rollback$/, 0], [/\/deploys\/dep-\w+$/, 1], [/GET \/logs$/, 0]] as const).map(([match, after]): Case => ({ name: `Ctrl-C at ${match.source}, then again`, given: w => { at11(w); interrupt(w, match, after); }, argv: 'rollback api', exit: 130, says: /api: .*(to go on: npx bootlace rollback api --to 1\.0\.0|nothing was changed)/, check: async w => { const { code, all } = await run(w, ['rollback', 'api']); assert.equal(code, 0, all); stands(w, 'api', '1.0.0', '1.0.0'); assert.ok(!w.api.env.get('BOOTLACE_RECORD')?.includes('pending')); } })),
  { name: 'an unproven one, and nothing was live before', given: w => { w.render.add({ name: 'new', env: { ...others, BACKEND_VERSION: '1.1.0', BOOTLACE_RECORD: '{"proven":[],"pending":{"to":"1.1.0","nonce":"n","pin":null,"wasNonce":null}}' } }).create('api', { steps: [['live', 0]] }); }, argv: 'rollback new', exit: 5, says: /NO_PROVEN_VERSION: new had nothing live before dep-/, check: w => stands(w, 'new', '1.1.0', '1.1.0') },
  { name: '--to what is live pins it and proves it', given: w => { proven(w); pinTo(w, 'latest'); }, argv: 'rollback api --to 1.1.0', exit: 0, says: /rolled back +1\.1\.0/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); assert.equal(w.api.deploys.length, 2); } },
  { name: 'a record that somebody broke', given: w => { at11(w); w.api.env.set('BOOTLACE_RECORD', '{"proven":[{"version":"1.0.0; rm","deploy":1}],"pending":{}}'); }, argv: 'rollback api', exit: 5, says: /NO_PROVEN_VERSION/ },
];

function canceled25({ api }: World): void {
  for (let i = 0; i < 25; i++) api.create('new_commit', { steps: [['canceled', 0]] });
}

/** A deploy whose instance started and ended; the one before stays live. */
function crashedStart({ api }: World): void {
  api.create('manual', { steps: [['update_failed', 0]] });
  const line = 'bootlace: starting @acme/backend@1.1.0: dist/main.js (main)';
  api.log('app', line, `${api.id}-zzzzz`);
}

/** An instance of what is live fails, so many seconds from now. */
function crashed({ api, clock }: World, seconds: number): void {
  api.events.push({
    type: 'server_failed',
    timestamp: clock.now() + seconds * 1000,
    details: {
      instanceID: api.instances[0]?.id,
      reason: { evicted: false, oomKilled: { memoryLimit: '512Mi' } },
    },
  });
}

// biome-ignore format: one line a case
export const looks: readonly Case[] = [
  { name: 'verify a service', argv: 'verify api', exit: 0, says: /version 1\.0\.0 by the record/ },
  { name: 'verify by its answer', argv: 'verify api --expect-json /version', exit: 0, says: /answers 200 and 1\.0\.0/ },
  { name: 'verify against another version', argv: 'verify api --backend-version 1.1.0', exit: 9, says: /VERIFY_WRONG_VERSION: api runs 1\.0\.0 \(by the record\), expected 1\.1\.0[\s\S]*fix: deploy it: npx bootlace deploy api --backend-version 1\.1\.0\n/ },
  { name: 'verify against latest', argv: 'verify api --backend-version latest', exit: 9, says: /expected 1\.1\.0/ },
  { name: 'verify: a pin that was never deployed', given: w => pinTo(w, '1.1.0'), argv: 'verify api', exit: 9, says: /VERIFY_WRONG_VERSION/ },
  { name: 'verify without a record, by start lines', given: w => void w.api.env.delete('BOOTLACE_RECORD'), argv: 'verify api', exit: 0, says: /version 1\.0\.0 by its start line/ },
  { name: 'verify by start lines, after a deploy that crashed', given: w => { w.api.env.delete('BOOTLACE_RECORD'); crashedStart(w); }, argv: 'verify api', exit: 0, says: /version 1\.0\.0 by its start line/ },
  { name: 'services after a deploy that crashed, and nothing else in the log', given: w => { w.api.env.delete('BOOTLACE_RECORD'); w.api.logs.length = 0; crashedStart(w); }, argv: 'services', exit: 0, says: /\napi +web node +1\.0\.0 +dep-/ },
  { name: 'verify: nothing shows the version', given: w => { w.api.env.delete('BOOTLACE_RECORD'); w.api.logs.length = 0; }, argv: 'verify api', exit: 9, says: /VERIFY_UNPROVEN/ },
  { name: 'verify --health-only', given: w => { w.api.env.delete('BOOTLACE_RECORD'); w.api.logs.length = 0; }, argv: 'verify api --health-only', exit: 0, says: /answers 200/ },
  { name: 'verify: unhealthy', given: w => { const { live } = w.api; if (live) live.script = broken; }, argv: 'verify api', exit: 9, says: /DEPLOY_UNHEALTHY.*within 1 min:[\s\S]*then: npx bootlace verify api\n/ },
  { name: 'verify: another version in its answer', argv: `verify api ${to} --expect-json /version`, exit: 9, says: /DEPLOY_WRONG_VERSION[\s\S]*fix: deploy it: npx bootlace deploy api --backend-version 1\.1\.0 --expect-json \/version\n/ },
  { name: 'a dist-tag that is not there, typed', argv: 'deploy api --backend-version nope --no-undo', exit: 5, says: /VERSION_NOT_FOUND[\s\S]*fix: deploy another version: npx bootlace deploy api --backend-version latest --no-undo;/ },
  { name: 'a dist-tag that is not there, followed', given: w => pinTo(w, 'nope'), argv: 'deploy api', exit: 5, says: /has no tag nope[\s\S]*fix: deploy another version: npx bootlace deploy api --backend-version latest;/ },
  { name: 'verify: a dist-tag that is not there', argv: 'verify api --backend-version nope', exit: 5, says: /has no tag nope[\s\S]*fix: set --backend-version, or/ },
  { name: 'verify: another value that is no version', argv: 'verify api --expect-json /version=abc', exit: 9, says: /fix: see what was deployed: npx bootlace releases api\n/ },
  { name: 'verify --help', argv: 'verify --help', exit: 0, says: /^Ask for its health and the expected version\.\n/ },
  { name: 'verify: an instance crashed long ago', given: w => crashed(w, -1800), argv: 'verify api', exit: 0, says: /version 1\.0\.0 by the record/ },
  { name: 'verify: an instance crashes meanwhile', given: w => crashed(w, 5), argv: 'verify api', exit: 9, says: /DEPLOY_CRASHING.*out of memory/ },
  { name: 'verify: 25 deploys since the live one', given: canceled25, argv: 'verify api', exit: 0, says: /version 1\.0\.0 by the record/ },
  { name: 'verify: suspended', given: w => { w.api.suspended = true; }, argv: 'verify api', exit: 9, says: /SERVICE_SUSPENDED/ },
  { name: 'verify: nothing live', given: w => void w.render.add({ name: 'new' }), argv: 'verify new', exit: 9, says: /VERIFY_NOTHING_LIVE/ },
  { name: 'verify a URL without a key', given: w => { w.env.URL = w.api.url; delete w.env.RENDER_API_KEY; }, argv: 'verify $URL --expect-json /version=1.0.0 --health /healthz', exit: 0, says: /\/api\/healthz: it answers 200 and 1\.0\.0/ },
  { name: 'verify a URL: wrong version', given: w => { w.env.URL = w.api.url; }, argv: 'verify $URL --expect-json /version --backend-version 1.1.0', exit: 9, says: /VERIFY_WRONG_VERSION.*"1\.0\.0" at \/version in place of 1\.1\.0/ },
  { name: 'verify a URL: which version?', given: w => { w.env.URL = w.api.url; }, argv: 'verify $URL --expect-json /version', exit: 2, says: /VERSION_MISSING/ },
  { name: 'verify a URL: a version that nothing shows', given: w => { w.env.URL = w.api.url; }, argv: 'verify $URL --backend-version 9.9.9', exit: 2, says: /VERSION_NOT_SHOWN[\s\S]*--expect-json \/version/ },
  { name: 'verify a URL: nobody there', argv: 'verify http://127.0.0.1:1/', exit: 9, says: /VERIFY_UNHEALTHY.*no answer/ },
  { name: 'services', given: w => { add(w, 'worker', 'background_worker'); add(w, 'site', 'static_site', 'static'); add(w, 'ml', 'web_service', 'python').suspended = true; add(w, 'nightly', 'cron_job'); }, argv: 'services', exit: 0, says: /SERVICE +TYPE.*\napi +web node +1\.0\.0 +1\.0\.0 +healthy +live, api, 1 hour ago +srv-\w+ +tea-\w+\nworker +worker node[\s\S]*site +static +- +aaaa111 [\s\S]*ml .*suspended/ },
  ...[404, 410].map((status): Case => ({ name: `services: one that answers ${status}`, given: w => { const s = add(w, 'worker', 'background_worker'); w.render.misbehave({ match: new RegExp(`${s.id}/deploys`), status }); }, argv: 'services', exit: 0, says: /warning: worker is left out: Render[\s\S]*\napi +web node +1\.0\.0/ })),
  { name: 'verify: a pin that is a range', given: w => pinTo(w, '1'), argv: 'verify api', exit: 0, says: /version 1\.0\.0 by the record/ },
  { name: 'verify: a pin with a v', given: w => pinTo(w, 'v1.1.0'), argv: 'verify api', exit: 9, says: /VERIFY_WRONG_VERSION.*expected 1\.1\.0/ },
  { name: 'services: one that was left unproven', given: w => { pinTo(w, '1.1.0'); w.api.env.set('BOOTLACE_RECORD', '{"proven":[],"pending":{"to":"1.1.0","nonce":"n","pin":"1.0.0","wasNonce":null}}'); }, argv: 'services api', exit: 0, says: /api: 1\.1\.0 was deployed and never proven/ },
  { name: '120 services', given: w => { for (let i = 0; i < 119; i++) w.render.add({ name: `s${i}`, type: 'cron_job' }); }, argv: 'services', exit: 0, says: /\ns118 /, check: w => assert.ok(w.render.requests.every(r => r.status < 400 || r.status === 404)) },
];

const hook = '--hook $HOOK --url $URL';
const withHook = (w: World) => {
  w.env.HOOK = w.render.hookOf(w.api);
  w.env.URL = w.api.url;
  w.env.BACKEND_PACKAGE = '@acme/backend';
  delete w.env.RENDER_API_KEY;
};

// biome-ignore format: one line a case
export const hooks: readonly Case[] = [
  { name: 'triggered and proven by its address', given: w => { withHook(w); pinTo(w, '1.1.0'); }, argv: `deploy ${hook} --expect-json /version`, exit: 0, says: /triggered: dep-\w+[\s\S]*deployed +1\.1\.0/, check: w => assert.equal(w.api.live?.trigger, 'deploy_hook') },
  { name: 'the old version stays', given: w => { withHook(w); w.api.scripts.push({ steps: [['build_failed', 0]] }); pinTo(w, '1.1.0'); }, argv: `deploy ${hook} --expect-json /version --timeout 5`, exit: 9, says: /VERIFY_WRONG_VERSION/ },
  { name: 'by the variable', given: w => { withHook(w); w.env.RENDER_DEPLOY_HOOK = w.env.HOOK; pinTo(w, '1.1.0'); }, argv: 'deploy --url $URL --expect-header x-version', exit: 0, says: /deployed +1\.1\.0/ },
  { name: 'the version was there before', given: withHook, argv: `deploy ${hook} --expect-json /version=1.0.0`, exit: 0, says: /cannot tell the new deploy from the old[\s\S]*triggered +1\.0\.0/ },
  { name: 'without a proof', given: withHook, argv: `deploy ${hook}`, exit: 2, says: /HOOK_NEEDS_PROOF/, check: w => assert.equal(w.api.deploys.length, 1) },
  { name: 'a wrong key', given: w => { withHook(w); w.env.HOOK = w.env.HOOK?.replace(/key=.*/, 'key=hookkeyAbCdEf123456x'); }, argv: `deploy ${hook} --health-only`, exit: 9, says: /HOOK_REFUSED/ },
  { name: 'no hook at all', given: w => { withHook(w); w.env.HOOK = 'https://api.render.com/deploy/srv-1'; }, argv: `deploy ${hook} --health-only`, exit: 2, says: /HOOK_INVALID/ },
  { name: 'it answers 500', given: w => { withHook(w); w.render.misbehave({ match: /POST \/deploy\//, status: 500 }); }, argv: `deploy ${hook} --health-only`, exit: 7, says: /HOOK_ERROR/ },
  { name: 'its answer is lost', given: w => { withHook(w); pinTo(w, '1.1.0'); w.render.misbehave({ match: /POST \/deploy\//, reset: 'after' }); }, argv: `deploy ${hook} --expect-json /version`, exit: 0, says: /did not say which deploy[\s\S]*deployed/ },
];

/** Where the key comes from. */
// biome-ignore format: one line a case
export const keys: readonly Case[] = [
  { name: 'the key in .env', given: w => { delete w.env.RENDER_API_KEY; w.writeFile('.env', `RENDER_API_KEY=${apiKey}\n`); }, argv: 'services', exit: 0, says: /healthy/ },
  { name: 'a host by its name alone', given: w => { w.env.RENDER_HOST = new URL(w.render.url).host; }, argv: 'services', exit: 7, says: /RENDER_UNREACHABLE/ },
  { name: 'no key in GitHub Actions', given: w => { delete w.env.RENDER_API_KEY; w.env.GITHUB_ACTIONS = 'true'; }, argv: 'deploy api', exit: 3, says: /RENDER_KEY_MISSING[\s\S]*the secret RENDER_API_KEY of the environment that the job names/ },
  { name: 'a version among the services', argv: 'deploy api 1.0.6 --no-undo', exit: 2, says: /WORD_UNEXPECTED: 1\.0\.6 is a version and no service\n {2}fix: type: npx bootlace deploy api --backend-version 1\.0\.6 --no-undo\n/ },
  { name: 'a version among the services of a rollback', argv: 'rollback api 1.0.6', exit: 2, says: /fix: type: npx bootlace rollback api --to 1\.0\.6\n/ },
  { name: '--version keeps the services', argv: 'deploy api worker --version 1.0.6', exit: 2, says: /npx bootlace deploy api worker --backend-version 1\.0\.6\n/ },
  { name: '--version without a value', argv: 'deploy api --version', exit: 2, says: /npx bootlace deploy api --backend-version 1\.2\.3\n/ },
  { name: 'a key for another workspace', given: w => w.render.misbehave({ match: /GET .*\/deploys$/, status: 403 }), argv: 'services', exit: 4, says: /RENDER_NO_ACCESS/ },
];
