import assert from 'node:assert/strict';
import type { FakeServiceOptions } from '../support/fake-render-service';
import { add, at11, broken, type Case, find, pinTo, stands, then, to } from './cases';
import { others, run, seedProven, type World } from './world';

// What went wrong before deploys were one operation, each as a case: final pin, final live deploy, exit
// code and message. Replaced deploys, which are about one service alone, are in scenarios.ts.

const old = { runs: () => '1.0.0' };
const recordOf = (w: World, name: string) => find(w, name).env.get('BOOTLACE_RECORD') ?? '';
const writes = ({ render }: World) => render.requests.filter(({ method }) => method !== 'GET');

/** A service that Render builds from a repository; two commits have been live before. */
function built(world: World, options: Partial<FakeServiceOptions> = {}): void {
  const service = world.render.add({
    name: 'web',
    startCommand: 'npm start',
    branch: 'main',
    head: 'cccc3330',
    env: { DATABASE_URL: 'postgres://user:pass@db/acme' },
    ...options,
  });
  service.seedLive('aaaa111', { commit: 'aaaa1110', createdAt: world.clock.now() - 9_000_000 });
  service.seedLive('bbbb222', { commit: 'bbbb2220' });
}

function liveIs(world: World, name: string, version: string): void {
  assert.equal(find(world, name).live?.version, version);
}

/** A note of another run that began a while ago. */
function note(world: World, minutes: number, run = 'another'): void {
  const at = world.clock.now() - minutes * 60_000;
  const pending = {
    to: '1.2.0',
    run,
    by: 'octocat (workflow run 7)',
    at: new Date(at).toISOString(),
    until: new Date(at + 35 * 60_000).toISOString(),
    pin: '1.0.0',
    live: world.api.live?.id,
  };
  const record = JSON.parse(recordOf(world, 'api')) as object;
  world.api.env.set('BOOTLACE_RECORD', JSON.stringify({ ...record, pending }));
}

const box = (w: World) => {
  const service = add(w, 'box', 'web_service', 'docker');
  service.seedLive('older', { commit: '0001', createdAt: w.clock.now() - 9_000_000 });
  service.deploys.reverse();
  service.seedLive('old', { commit: 'aaaa111' });
  return service;
};

// biome-ignore format: one line a case
export const faults: readonly Case[] = [
  // 1: evidence that has no address does not count
  ...(['background_worker', 'private_service'] as const).flatMap(type => ['--expect-json /version', '--expect-header x-version'].map((flag): Case => ({ name: `1: a ${type} that runs the old version, ${flag}`, given: w => add(w, 'w', type).scripts.push(old), argv: `deploy w ${to} ${flag}`, exit: 9, says: /DEPLOY_WRONG_VERSION.*started @acme\/backend@1\.0\.0 in place of 1\.1\.0.*is live again and proven/, check: w => stands(w, 'w', '1.0.0', '1.0.0') }))),
  { name: '1: --health-only proves no version', argv: `deploy api ${to} --health-only`, exit: 0, says: /deployed/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); assert.doesNotMatch(recordOf(w, 'api'), /1\.1\.0|pending/); } },
  { name: '1: verify a worker does not take the word of no address', given: w => { const s = add(w, 'w', 'background_worker'); s.env.delete('BOOTLACE_RECORD'); s.logs.length = 0; }, argv: 'verify w --expect-json /version', exit: 9, says: /VERIFY_UNPROVEN/ },
  // 2: the newest deploy that was live before the current commit came
  { name: '2: docker, undone and then rolled back', given: w => { box(w).scripts.push(broken); }, argv: 'deploy box', exit: 9, says: /DEPLOY_UNHEALTHY.*is live again and healthy/, check: async w => { liveIs(w, 'box', 'old'); await then(w, 'rollback box', 0, /rolled back/); liveIs(w, 'box', 'older'); await then(w, 'rollback box', 5, /NO_PROVEN_VERSION[\s\S]*npx bootlace releases box; then for example: npx bootlace rollback box --to dep-ID/); liveIs(w, 'box', 'older'); } },
  { name: '2: an image whose tag stayed', given: w => { const s = w.render.add({ name: 'img', runtime: 'image', env: {} }); s.seedLive('1', { image: 'acme/app:latest', imageSha: 'sha256:1', createdAt: w.clock.now() - 9e6 }); s.seedLive('2', { image: 'acme/app:latest', imageSha: 'sha256:2' }); }, argv: 'rollback img', exit: 0, says: /rolled back/, check: async w => { liveIs(w, 'img', '1'); await then(w, 'rollback img', 5, /NO_PROVEN_VERSION/); } },
  // 3: a node service that Render builds
  { name: '3: Next.js without a package', given: w => { built(w); delete w.env.NPM_TOKEN; }, argv: 'deploy web', exit: 0, says: /web +deployed +-/, check: w => { liveIs(w, 'web', 'cccc333'); assert.deepEqual([...find(w, 'web').env.keys()], ['DATABASE_URL']); } },
  { name: '3: Next.js, a commit', given: w => built(w), argv: 'deploy web --commit dddd4440', exit: 0, says: /deployed/, check: w => liveIs(w, 'web', 'dddd444') },
  { name: '3: Next.js and a version', given: w => built(w), argv: `deploy web ${to}`, exit: 2, says: /VERSION_NOT_HERE: web \(node\)/, check: w => liveIs(w, 'web', 'bbbb222') },
  { name: '3: Next.js, a version that nothing would show', given: w => built(w), argv: `deploy web ${to} --env-key APP_VERSION --package @acme/backend`, exit: 2, says: /VERSION_UNPROVABLE.*nothing was changed\n.*npx bootlace deploy web --backend-version 1\.1\.0 --env-key APP_VERSION --package @acme\/backend --health-only/, check: w => assert.deepEqual(writes(w), []) },
  { name: '3: Next.js that fails', given: w => { built(w); find(w, 'web').scripts.push({ steps: [['build_failed', 0]] }); }, argv: 'deploy web', exit: 9, says: /DEPLOY_BUILD_FAILED.*is still live and healthy/, check: w => liveIs(w, 'web', 'bbbb222') },
  // 4: nothing is required that was not there before
  { name: '4: 404 at / without a health path', given: w => { built(w); find(w, 'web').scripts.push({ answer: () => ({ status: 404 }) }); }, argv: 'deploy web', exit: 0, says: /it answers 404[\s\S]*web +deployed|web +deployed[\s\S]*it answers 404/, check: w => liveIs(w, 'web', 'cccc333') },
  { name: '4: the way back to a service that was not healthy', given: w => { built(w, { healthPath: '/health' }); const { live } = find(w, 'web'); if (live) live.script = broken; find(w, 'web').scripts.push({ answer: () => ({ status: 502 }) }); }, argv: 'deploy web', exit: 9, says: /DEPLOY_UNHEALTHY.*502.*is live again/, check: w => liveIs(w, 'web', 'bbbb222') },
  { name: '4: maintenance mode', given: w => built(w, { maintenance: true }), argv: 'deploy web', exit: 0, says: /warning: web: maintenance mode is on, so its address can prove nothing[\s\S]*deployed/, check: w => liveIs(w, 'web', 'cccc333') },
  { name: '4: the subdomain is off', given: w => built(w, { subdomainOff: true }), argv: 'deploy web', exit: 0, says: /warning: web: its onrender\.com address is switched off; --url names the one to ask/, check: w => liveIs(w, 'web', 'cccc333') },
  { name: '4: an allow list that refuses us', given: w => { built(w, { ipAllowList: ['10.0.0.0/8'], healthPath: '/health' }); find(w, 'web').scripts.push({ answer: () => ({ status: 403 }) }); }, argv: 'deploy web', exit: 9, says: /warning: web: only the addresses in its allow list[\s\S]*DEPLOY_UNPROVEN.*it answers 403.*it stays live/, check: w => liveIs(w, 'web', 'cccc333') },
  { name: '4: a place that shows nothing is no evidence', given: w => w.api.scripts.push({ answer: () => ({ status: 200, body: '{}' }) }), argv: `deploy api ${to} --expect-json /version`, exit: 9, says: /DEPLOY_UNPROVEN.*nothing at \/version.*it stays live/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  // 5: the service's own wish, and printed commands that repeat what was typed
  { name: '5: a follower stays one, and fails', given: w => { pinTo(w, 'latest'); w.api.scripts.push({ steps: [['build_failed', 0]] }); }, argv: 'deploy api --patience 3', exit: 9, says: /DEPLOY_BUILD_FAILED[\s\S]*npx bootlace deploy api --patience 3\n/, check: w => stands(w, 'api', 'latest', '1.0.0') },
  { name: '5: the fix has the version that was meant, the flags and all services', given: w => { add(w, 'worker', 'background_worker'); w.api.scripts.push({ steps: [['build_failed', 0]] }); }, argv: 'deploy api worker --backend-version latest --expect-json /version --timeout 20 --no-undo', exit: 9, says: /npx bootlace deploy api worker --backend-version 1\.1\.0 --expect-json \/version --timeout 20 --no-undo/ },
  { name: '5: the way back leaves the expected value out', given: w => w.api.scripts.push({ answer: () => ({ status: 200 }) }), argv: `deploy api ${to} --expect-json /sha=abc --health /h`, exit: 9, says: /or go back: npx bootlace rollback api --expect-json \/sha --health \/h\n/ },
  // 6: Render holds the artifact
  { name: '6: rollback without a token', given: w => { at11(w); delete w.env.NPM_TOKEN; }, argv: 'rollback api', exit: 0, says: /warning: api: 1\.0\.0 could not be looked up: .*TOKEN[\s\S]*rolled back +1\.0\.0|warning: api: 1\.0\.0 could not be looked up[\s\S]*rolled back +1\.0\.0/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  ...([['the artifact of what was proven is its version', false, 0, /rolled back +1\.0\.0/], ['built anew, nothing shows its version', true, 9, /DEPLOY_UNPROVEN: box: .*no start line of @acme\/backend 1\.0\.0/]] as const).map(([name, artifactGone, exit, says]): Case => ({ name: `6: rollback of docker: ${name}`, given: w => { const s = add(w, 'box', 'web_service', 'docker'); s.env.set('BACKEND_VERSION', '1.1.0'); seedProven(s, '1.0.0'); seedProven(s, '1.1.0'); s.env.set('BOOTLACE_RECORD', recordOf(w, 'box').replaceAll('"}', '","how":"answer"}')); for (const d of s.deploys) d.artifactGone = artifactGone; }, argv: 'rollback box', exit, says, check: w => stands(w, 'box', '1.0.0', '1.0.0') })),
  { name: '6: docker that was proven by its answer is not deployed without one', given: w => add(w, 'box', 'web_service', 'docker').env.set('BACKEND_VERSION', '1.0.0'), argv: `deploy box ${to} --expect-json /version`, exit: 0, says: /deployed/, check: async w => { assert.match(recordOf(w, 'box'), /"how":"answer"/); await then(w, 'deploy box --backend-version 1.2.0', 2, /VERSION_UNPROVABLE/); stands(w, 'box', '1.1.0', '1.1.0'); } },
  // 7: two at once
  { name: '7: a fresh note of somebody else', given: w => note(w, 3), argv: `deploy api ${to}`, exit: 9, says: /DEPLOY_LOCKED: api: octocat \(workflow run 7\) has been deploying 1\.2\.0 for 3 min; nothing was changed\n.*npx bootlace deploy api --backend-version 1\.1\.0 --steal/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); assert.deepEqual(writes(w), []); } },
  { name: '7: --steal', given: w => note(w, 3), argv: `deploy api ${to} --steal`, exit: 0, says: /deployed +1\.1\.0/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: '7: rollback keeps out, too', given: w => note(w, 3), argv: 'rollback api --to 1.0.0', exit: 9, says: /DEPLOY_LOCKED/ },
  { name: '7: rollback --steal undoes what the other began', given: w => { note(w, 3); pinTo(w, '1.2.0'); w.api.create('api', { steps: [['live', 0]] }); }, argv: 'rollback api --steal', exit: 0, says: /rolled back +1\.0\.0/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); assert.doesNotMatch(recordOf(w, 'api'), /pending/); } },
  { name: '7: a note whose time is over', given: w => note(w, 36), argv: `deploy api ${to}`, exit: 0, says: /left unproven; beginning again[\s\S]*deployed/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: '7: a version proven by another meanwhile is kept', given: w => w.api.scripts.push({ onStatus: s => { if (s === 'live') { const r = JSON.parse(recordOf(w, 'api')); r.proven.push({ version: '0.9.0', deploy: 'dep-x' }); w.api.env.set('BOOTLACE_RECORD', JSON.stringify(r)); } } }), argv: `deploy api ${to}`, exit: 0, says: /deployed/, check: w => assert.match(recordOf(w, 'api'), /1\.1\.0.*1\.0\.0.*0\.9\.0/) },
  { name: '7: stolen during the build: it stays with the other', given: w => w.api.scripts.push({ steps: [['build_in_progress', 60], ['build_failed', 0]], onStatus: s => { if (s === 'build_failed') { note(w, 0); pinTo(w, '1.2.0'); } } }), argv: `deploy api ${to}`, exit: 9, says: /DEPLOY_TAKEN_OVER: api: octocat \(workflow run 7\) has taken it over and deploys 1\.2\.0/, check: w => { assert.equal(w.api.env.get('BACKEND_VERSION'), '1.2.0'); assert.match(recordOf(w, 'api'), /another/); } },
  { name: '7: two runs at the same time', argv: 'services api', exit: 0, says: /healthy/, check: async w => { const runs = await Promise.all(['1.1.0', '1.2.0'].map(v => run(w, ['deploy', 'api', '--backend-version', v]))); const all = runs.map(r => r.all).join('\n--- and\n'); assert.deepEqual(runs.map(r => r.code).sort(), [0, 9], all); assert.match(all, /DEPLOY_LOCKED/); assert.equal(w.api.env.get('BACKEND_VERSION'), w.api.live?.version, all); assert.doesNotMatch(recordOf(w, 'api'), /pending/); } },
  { name: '7: PINNED is not LIVE', given: w => pinTo(w, '1.2.0'), argv: 'services api', exit: 0, says: /warning: api: pinned is 1\.2\.0, live is 1\.0\.0: the next deploy brings 1\.2\.0; npx bootlace deploy api --backend-version 1\.0\.0 pins what is live/ },
  // 9: hooks
  ...(['RENDER_DEPLOY_HOOK_URL', 'RENDER_DEPLOY_HOOK'] as const).map((name): Case => ({ name: `9: ${name}, health alone is "triggered"`, given: w => { w.env[name] = w.render.hookOf(w.api); w.env.URL = w.api.url; delete w.env.RENDER_API_KEY; }, argv: 'deploy --url $URL --health-only', exit: 0, says: /triggered +-/ })),
  { name: '9: a value that changes, and no package', given: w => { built(w, { head: 'dddd4440' }); w.env.HOOK = w.render.hookOf(find(w, 'web')); w.env.URL = find(w, 'web').url; delete w.env.BACKEND_PACKAGE; }, argv: 'deploy --hook $HOOK --url $URL --expect-json /version', exit: 0, says: /answers bbbb222; waiting for another value[\s\S]*deployed +dddd444 +before: bbbb222/ },
  { name: '9: a value that stays names the flag of its limit', given: w => { built(w, { head: 'bbbb2220' }); w.env.HOOK = w.render.hookOf(find(w, 'web')); w.env.URL = find(w, 'web').url; }, argv: 'deploy --hook $HOOK --url $URL --expect-json /version --timeout 4', exit: 9, says: /VERIFY_WRONG_VERSION.*still bbbb222\n.*--timeout MINUTES waits longer/ },
  // 10: several services on rollback
  { name: '10: the second has nowhere to go back to', given: w => { at11(w); add(w, 'worker', 'background_worker'); }, argv: 'rollback api worker', exit: 5, says: /NO_PROVEN_VERSION: worker/, check: w => { stands(w, 'api', '1.1.0', '1.1.0'); assert.deepEqual(writes(w), []); } },
  { name: '10: the second of three fails', given: w => { at11(w); for (const name of ['w1', 'w2']) { const s = add(w, name, 'background_worker'); s.env.set('BACKEND_VERSION', '1.1.0'); seedProven(s, '1.1.0'); } find(w, 'w1').scripts.push({ steps: [['update_failed', 0]] }); }, argv: 'rollback api w1 w2', exit: 9, says: /DEPLOY_UPDATE_FAILED: w1: .*\. api went back to 1\.0\.0\. w2 was not touched\n/, check: w => { stands(w, 'api', '1.0.0', '1.0.0'); stands(w, 'w2', '1.1.0', '1.1.0'); } },
  // 11: texts
  { name: '11: an image that cannot be pulled', given: w => add(w, 'img', 'web_service', 'image').scripts.push({ steps: [['update_failed', 0]], failure: { imagePull: 'manifest unknown: acme/app:new' } }), argv: 'deploy img --image docker.io/acme/app:new', exit: 9, says: /DEPLOY_UPDATE_FAILED: img: .*: manifest unknown: acme\/app:new/, check: w => liveIs(w, 'img', 'old') },
  { name: '11: what is live after an undo', given: w => w.api.scripts.push({ steps: [['build_failed', 0]] }), argv: `deploy api ${to} --json`, exit: 9, says: /DEPLOY_BUILD_FAILED/, check: (w, { stdout }) => { const [{ version, failedVersion, deploy }] = JSON.parse(stdout).error.facts.services; assert.deepEqual([version, failedVersion, deploy], ['1.0.0', '1.1.0', w.api.live?.id]); } },
  { name: '11: one 403 does not end services', given: w => { const s = add(w, 'worker', 'background_worker'); w.render.misbehave({ match: new RegExp(`${s.id}/deploys`), status: 403 }); }, argv: 'services', exit: 0, says: /warning: worker is left out: the key in RENDER_API_KEY may not use[\s\S]*\napi +web node +1\.0\.0/ },
  { name: '11: ids, owner, branch and commit', given: w => built(w), argv: 'services', exit: 0, says: /\nweb +web node +- +main bbbb222 +healthy .* srv-\w+ +tea-\w+\n/ },
  { name: '11: the time limit of 30 minutes', given: w => w.api.scripts.push({ steps: [['build_in_progress', 9000], ['live', 0]] }), argv: `deploy api ${to}`, exit: 9, says: /time limit 30 min[\s\S]*DEPLOY_TIMEOUT.*after 30 min/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: '11: one line a change, although the API is away', given: w => w.render.misbehave({ match: /GET .*\/deploys\/dep-\w+$/, status: 500, times: 12 }), argv: `deploy api ${to}`, exit: 0, says: /deployed/, check: (_, { stderr }) => assert.equal(stderr.match(/answers with 500/g)?.length, 1, stderr) },
  // 12: what the API does not take
  { name: '12: --commit for a cron job', given: w => void add(w, 'nightly', 'cron_job', 'docker'), argv: 'deploy nightly --commit abc', exit: 2, says: /COMMIT_NOT_HERE: nightly is a cron job/, check: w => assert.deepEqual(writes(w), []) },
  { name: '12: --release-hold leaves checksPass', given: w => { w.api.autoDeploy = 'yes'; w.api.trigger = 'checksPass'; }, argv: `deploy api ${to} --release-hold`, exit: 0, says: /deployed/, check: w => assert.deepEqual([w.api.autoDeploy, w.api.trigger], ['yes', 'checksPass']) },
  { name: '12: --hold, then --release-hold, says what the API cannot set', given: w => { w.api.autoDeploy = 'yes'; w.api.trigger = 'checksPass'; }, argv: `deploy api ${to} --hold`, exit: 0, says: /deployed/, check: async w => { assert.equal(w.api.autoDeploy, 'no'); assert.match(recordOf(w, 'api'), /"held":"checksPass"/); await then(w, 'deploy api --backend-version 1.2.0 --release-hold', 0, /autodeploy is on again \(commit\); before --hold it was checksPass/); assert.equal(w.api.autoDeploy, 'yes'); assert.doesNotMatch(recordOf(w, 'api'), /held/); } },
  // 13: what is unproven about Render
  { name: '13: a cron job that Render rolls not back', given: w => { const s = w.render.add({ name: 'nightly', type: 'cron_job', noRollback: true, env: { ...others, BACKEND_VERSION: '1.1.0' } }); seedProven(s, '1.0.0'); seedProven(s, '1.1.0'); }, argv: 'rollback nightly', exit: 0, says: /is gone; deploying it anew[\s\S]*rolled back +1\.0\.0/, check: w => stands(w, 'nightly', '1.0.0', '1.0.0') },
  { name: '13: a cron job without a pin that Render rolls not back', given: w => built(w, { name: 'nightly', type: 'cron_job', runtime: 'python', noRollback: true }), argv: 'rollback nightly', exit: 9, says: /ARTIFACT_GONE: nightly/, check: w => liveIs(w, 'nightly', 'bbbb222') },
  { name: '13: a static site that Render rolls not back', given: w => built(w, { name: 'site', type: 'static_site', noRollback: true }), argv: 'rollback site', exit: 0, says: /rolled back/, check: w => liveIs(w, 'site', 'aaaa111') },
  { name: '13: log lines without an instance', given: w => { const s = add(w, 'worker', 'background_worker', 'node', 2); s.scripts.push({ onStatus: status => { if (status === 'live') for (const l of s.logs) l.instance = undefined; } }); }, argv: `deploy worker ${to}`, exit: 0, says: /2 start lines of @acme\/backend 1\.1\.0/, check: w => stands(w, 'worker', '1.1.0', '1.1.0') },
];
