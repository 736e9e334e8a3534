import type { Script } from '../support/fake-render-service';
import type { Run, World } from './world';

/** One line of a table: what is given, what is run, and how everything must stand afterwards. */
export interface Scenario {
  name: string;
  given?: (world: World) => void;
  argv?: string;
  /** Run after the first, in the same world. */
  again?: string;
  exit: number;
  /** BACKEND_VERSION afterwards; undefined for not set. */
  pin: string | undefined;
  /** The version of the live deploy afterwards. */
  live: string;
  /** The same hours later, where that is another: somebody else's deploys run on. */
  settled?: string;
  /** The record still has the note of the deploy, although all went well. */
  isUnwritten?: boolean;
  /** What the last run's output names. */
  says: RegExp;
  /** What the first run's output names, where there are two. */
  first?: RegExp;
  /** Bootlace's own variable is as before, too. */
  same?: boolean;
  /** What is other under one of Render's overlap policies. */
  wait?: Partial<Scenario>;
  override?: Partial<Scenario>;
  check?: (world: World, run: Run) => void;
}

/** Ctrl-C as the process meets it, when the next matching request comes in. */
export function interrupt(world: World, match: RegExp, after = 0): void {
  world.render.misbehave({ match, after, times: 1, call: () => process.emit('SIGINT', 'SIGINT') });
}

const dep = /POST \/services\/[\w-]+\/deploys$/;
const listing = /GET \/services\/[\w-]+\/deploys$/;
const polling = /GET \/services\/[\w-]+\/deploys\/dep-\w+$/;
const back = /POST .*\/rollback$/;
const anyVariable = /PUT .*\/env-vars\//;
const pinPut = /PUT .*\/env-vars\/BACKEND_VERSION$/;

const done = { exit: 0, pin: '1.1.0', live: '1.1.0' } as const;
const undone = { exit: 9, pin: '1.0.0', live: '1.0.0', same: true } as const;
const unproven = { exit: 9, pin: '1.1.0', live: '1.1.0' } as const;
const build = ['build_in_progress', 60] as const;
const start = ['update_in_progress', 15] as const;
const somebody = (world: World, trigger: string, seconds = 0) => {
  world.api.create(trigger, {
    steps: [
      ['build_in_progress', seconds],
      ['canceled', 0],
    ],
  });
};

/** Ends that a status leads to. */
// biome-ignore format: one line a case
export const statuses: readonly Scenario[] = [
  { name: 'the whole way', ...done, says: /api +deployed +1\.1\.0 +before: 1\.0\.0/ },
  { name: 'latest, named', argv: 'deploy api --backend-version latest', ...done, says: /deployed +1\.1\.0/ },
  { name: 'no version named: the pin stays', argv: 'deploy api', exit: 0, pin: '1.0.0', live: '1.0.0', same: true, says: /1\.0\.0 is live and healthy already/ },
  { name: 'no version named: a follower stays one', argv: 'deploy api', given: w => w.api.env.set('BACKEND_VERSION', 'latest'), exit: 0, pin: 'latest', live: '1.1.0', says: /deployed +1\.1\.0/ },
  { name: 'a range', argv: 'deploy api --backend-version ^1.0.0', exit: 0, pin: '1.1.0', live: '1.1.0', says: /deployed/ },
  { name: 'live already', argv: 'deploy api --backend-version 1.0.0', exit: 0, pin: '1.0.0', live: '1.0.0', same: true, says: /live and healthy already; --force/ },
  { name: 'live already, --force', argv: 'deploy api --backend-version 1.0.0 --force', exit: 0, pin: '1.0.0', live: '1.0.0', says: /deployed +1\.0\.0/ },
  { name: 'queued, then everything', given: w => script(w, [['queued', 30], ['created', 2], build, ['pre_deploy_in_progress', 20], start, ['live', 0]]), ...done, says: /waiting for its turn[\s\S]*pre-deploy[\s\S]*deployed/ },
  { name: 'a status that nobody knows', given: w => script(w, [['warming_up', 30], start, ['live', 0]]), ...done, says: /warming up/ },
  { name: 'build failed, with its exit code', given: w => script(w, [build, ['build_failed', 0]], { nonZeroExit: 17 }), ...undone, says: /DEPLOY_BUILD_FAILED.*exited with 17.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: 'the build log is shown', given: w => w.api.scripts.push({ steps: [build, ['build_failed', 0]], buildLog: ['line one', 'Error: Cannot find module x'] }), ...undone, says: /\| line one\n {2}\| Error: Cannot find module x/ },
  { name: 'pre-deploy failed', given: w => script(w, [build, ['pre_deploy_in_progress', 9], ['pre_deploy_failed', 0]], { nonZeroExit: 1 }), ...undone, says: /DEPLOY_PRE_DEPLOY_FAILED: api: the pre-deploy command failed: it exited with 1/ },
  { name: 'out of memory', given: w => script(w, [build, start, ['update_failed', 0]], { oomKilled: { memoryLimit: '512Mi' } }), ...undone, says: /DEPLOY_UPDATE_FAILED.*out of memory \(the limit is 512Mi\)/ },
  { name: 'the old version talks on while the new one fails', given: w => w.api.scripts.push({ steps: [build, start, ['update_failed', 0]], onStatus: s => { if (s === 'update_failed') chatter(w); } }), ...undone, says: /the last 3 log lines:[\s\S]*\| Error: boom\napi: going back/ },
  { name: 'timed out at Render', given: w => script(w, [build, start, ['update_failed', 0]], { timedOutSeconds: 900 }), ...undone, says: /longer than 900 s/ },
  { name: 'unhealthy at Render', given: w => script(w, [build, start, ['update_failed', 0]], { unhealthy: 'HTTP 500' }), ...undone, says: /health check failed: HTTP 500/ },
  { name: 'evicted', given: w => script(w, [build, start, ['update_failed', 0]], { evicted: true }), ...undone, says: /Render evicted it/ },
  { name: 'early exit', given: w => script(w, [build, start, ['update_failed', 0]], { earlyExit: true }), ...undone, says: /exited early/ },
  { name: 'the live deploy is older than 25 others', given: w => { for (let i = 0; i < 25; i++) w.api.create('new_commit', { steps: [['canceled', 0]] }); w.api.scripts.push({ answer: () => ({ status: 500 }) }); }, ...undone, same: false, says: /DEPLOY_UNHEALTHY.*\(1\.0\.0\) is live again and proven/ },
  { name: 'the old version crashed long ago', given: w => { failedInstance(w, `${w.api.id}-aaaaa`, -1800); script(w, [build, ['build_failed', 0]]); }, ...undone, says: /DEPLOY_BUILD_FAILED.*is still live and healthy/ },
  { name: 'live already, and crashed long ago', argv: 'deploy api --backend-version 1.0.0', given: w => failedInstance(w, `${w.api.id}-aaaaa`, -1800), exit: 0, pin: '1.0.0', live: '1.0.0', same: true, says: /live and healthy already/ },
  { name: 'an instance of the new version fails while the old one is proven', given: w => w.api.scripts.push({ steps: [build, start, ['update_failed', 0]], onStatus: s => { if (s === 'update_failed') failedInstance(w, `${w.api.id}-bbbbb`, 8); } }), ...undone, says: /DEPLOY_UPDATE_FAILED.*is still live and healthy/ },
  { name: 'the new version crashes on while the old one takes over', given: w => w.api.scripts.push({ answer: () => ({ status: 500 }), onStatus: s => { if (s === 'live') for (let i = 0; i < 90; i++) failedInstance(w, w.api.instances[0]?.id ?? `${w.api.id}-ccccc`, i * 10); } }), ...undone, same: false, says: /DEPLOY_UNHEALTHY.*is live again and proven/ },
  { name: 'canceled in the dashboard', given: w => script(w, [build, ['canceled', 0]]), ...undone, says: /DEPLOY_CANCELED/ },
  { name: 'replaced by a push while it builds: it brings our pin', given: w => w.api.scripts.push({ steps: [build, ['canceled', 0]], onStatus: s => s === 'canceled' && later(w, 'new_commit') }), ...done, says: /was replaced by dep-\w+ \(new_commit\), which brings the same; waiting for that one[\s\S]*deployed/ },
  { name: 'replaced by a push that brings another version', given: w => w.api.scripts.push({ steps: [build, ['canceled', 0]], onStatus: s => s === 'canceled' && later(w, 'new_commit', '1.0.0') }), ...undone, same: false, says: /was replaced by dep-\w+ \(new_commit\)[\s\S]*DEPLOY_WRONG_VERSION/ },
  { name: 'replaced by a push that fails', given: w => w.api.scripts.push({ steps: [build, ['canceled', 0]], onStatus: s => s === 'canceled' && later(w, 'new_commit', undefined, 'build_failed') }), ...undone, says: /was replaced by[\s\S]*DEPLOY_BUILD_FAILED/ },
  { name: 'replaced by a rollback of somebody else', given: w => w.api.scripts.push({ steps: [build, ['canceled', 0]], onStatus: s => s === 'canceled' && later(w, 'rollback', '1.0.0') }), exit: 9, pin: '1.0.0', live: '1.0.0', same: true, says: /DEPLOY_SUPERSEDED.*was replaced by dep-\w+ \(rollback\).*of somebody else is live and stays/ },
  { name: 'a push during the build', given: w => pushDuring(w, 'build_in_progress'), ...done, override: { says: /was replaced by dep-\w+ \(new_commit\)[\s\S]*deployed +1\.1\.0/ }, says: /deployed +1\.1\.0/ },
  { name: 'a push during the build of a bad version', given: w => pushDuring(w, 'build_in_progress', { answer: () => ({ status: 500 }) }), ...undone, same: false, says: /DEPLOY_UNHEALTHY.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: 'a push during a build that fails', given: w => pushDuring(w, 'build_in_progress', undefined, [build, ['build_failed', 0]]), ...undone, same: false, says: /would bring 1\.1\.0; the way back takes its place[\s\S]*DEPLOY_BUILD_FAILED.*live again and proven/, override: { ...done, says: /was replaced by[\s\S]*deployed/ } },
  { name: 'a push during the way back', given: w => w.api.scripts.push({ answer: () => ({ status: 500 }) }, { steps: [start, ['live', 0]], onStatus: s => { if (s === 'update_in_progress') w.api.create('new_commit'); } }), ...undone, same: false, says: /DEPLOY_UNHEALTHY.*BACKEND_VERSION is 1\.0\.0 again.*live again and proven/ },
  { name: 'deactivated before it was proven', given: w => w.api.scripts.push({ onStatus: s => s === 'live' && later(w, 'manual', '1.0.0') }), ...undone, same: false, says: /was replaced by dep-\w+ \(manual\)[\s\S]*DEPLOY_WRONG_VERSION/ },
  { name: 'replaced by an autodeploy of the same pin', given: w => w.api.scripts.push({ onStatus: s => s === 'live' && later(w, 'new_commit') }), ...done, says: /was replaced by dep-\w+ \(new_commit\)[\s\S]*deployed/ },
  { name: 'replaced by an autodeploy of the same pin, then rollback', given: w => w.api.scripts.push({ onStatus: s => s === 'live' && later(w, 'new_commit') }), again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'replaced by an autodeploy of the same pin, then again', given: w => w.api.scripts.push({ onStatus: s => s === 'live' && later(w, 'new_commit') }), again: 'deploy api --backend-version 1.1.0', ...done, says: /live and healthy already|deployed/ },
  { name: 'suspended meanwhile', given: w => w.api.scripts.push({ steps: [build, ['canceled', 0]], onStatus: s => { if (s === 'canceled') w.api.suspended = true; } }), exit: 9, pin: '1.0.0', live: '1.0.0', says: /UNDO_FAILED.*began with: api was suspended/ },
  { name: 'the time limit', argv: 'deploy api --backend-version 1.1.0 --timeout 2', given: w => script(w, [['build_in_progress', 9000], ['live', 0]]), ...undone, says: /DEPLOY_TIMEOUT.*still building after 2 min/ },
  { name: 'the time limit and a cancel that fails', argv: 'deploy api --backend-version 1.1.0 --timeout 2', given: w => { script(w, [['build_in_progress', 9000], ['live', 0]]); w.render.misbehave({ match: /cancel$/, status: 500 }); }, exit: 9, pin: '1.0.0', live: '1.0.0', settled: '1.1.0', says: /UNDO_FAILED.*dep-\w+ may go on.*began with: api: dep-\w+ is still building/ },
  { name: '--no-undo leaves it', argv: 'deploy api --backend-version 1.1.0 --no-undo', given: w => script(w, [build, ['build_failed', 0]]), exit: 9, pin: '1.1.0', live: '1.0.0', says: /left as it is[\s\S]*DEPLOY_BUILD_FAILED/ },
];

/** What is refused before anything is changed. */
// biome-ignore format: one line a case
export const refusals: readonly Scenario[] = [
  { name: 'no such version', argv: 'deploy api --backend-version 9.9.9', exit: 5, pin: '1.0.0', live: '1.0.0', same: true, says: /VERSION_NOT_FOUND[\s\S]*nearest[\s\S]*fix: deploy another version: npx bootlace deploy api --backend-version 2\.0\.0; or publish/ },
  { name: 'engines and NODE_VERSION', argv: 'deploy api --backend-version 2.0.0', given: w => w.api.env.set('NODE_VERSION', '24.2.0'), exit: 3, pin: '1.0.0', live: '1.0.0', same: true, says: /ENGINE_MISMATCH.*NODE_VERSION=24\.2\.0/ },
  { name: 'another package than the service installs', given: w => { w.env.BACKEND_PACKAGE = '@acme/backend'; w.api.env.set('BACKEND_PACKAGE', '@acme/other'); }, exit: 3, pin: '1.0.0', live: '1.0.0', same: true, says: /PACKAGE_DIFFERS: api installs @acme\/other/ },
  { name: 'no such service', argv: 'deploy apii', exit: 5, pin: '1.0.0', live: '1.0.0', same: true, says: /SERVICE_NOT_FOUND[\s\S]*candidates: api/ },
  { name: 'no such id', argv: 'deploy srv-00000000000000000000', exit: 5, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_NOT_FOUND/ },
  { name: 'two of that name', given: w => void w.render.add({ name: 'api', type: 'background_worker' }), exit: 2, pin: '1.0.0', live: '1.0.0', same: true, says: /SERVICE_AMBIGUOUS/ },
  { name: 'suspended', given: w => { w.api.suspended = true; }, exit: 9, pin: '1.0.0', live: '1.0.0', same: true, says: /SERVICE_SUSPENDED: api is suspended \(by user\)/ },
  { name: 'a wrong key', given: w => { w.env.RENDER_API_KEY = 'rnd_wrong'; }, exit: 4, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_KEY_INVALID/ },
  { name: 'no key', given: w => { delete w.env.RENDER_API_KEY; }, exit: 3, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_KEY_MISSING/ },
  { name: 'a key with a line end', given: w => { w.env.RENDER_API_KEY = 'rnd_a\nrnd_b'; }, exit: 3, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_KEY_MALFORMED/ },
  { name: 'a host in the clear', given: w => { w.env.RENDER_HOST = 'http://api.example.com'; }, exit: 3, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_HOST_INVALID/ },
  { name: 'a host that redirects', given: w => w.render.misbehave({ match: /GET \/services$/, status: 302, headers: { location: 'https://example.com/' } }), exit: 7, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_BAD_ANSWER/, check: () => {} },
  { name: 'a host that is no API', given: w => w.render.misbehave({ match: /GET \/services$/, body: '<html>' }), exit: 7, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_BAD_ANSWER/ },
  { name: 'an image on a node service', argv: 'deploy api --image nginx:1', exit: 2, pin: '1.0.0', live: '1.0.0', same: true, says: /IMAGE_NOT_HERE/ },
  { name: 'no service named', argv: 'deploy', exit: 2, pin: '1.0.0', live: '1.0.0', same: true, says: /SERVICE_MISSING/ },
  { name: 'a bad --env-key', argv: 'deploy api --env-key A-B', exit: 2, pin: '1.0.0', live: '1.0.0', same: true, says: /ENV_KEY_INVALID/ },
  { name: 'the second service is suspended', argv: 'deploy api worker', given: w => { w.render.add({ name: 'worker', type: 'background_worker' }).suspended = true; }, exit: 9, pin: '1.0.0', live: '1.0.0', same: true, says: /SERVICE_SUSPENDED: worker/ },
];

/** Which deploy is ours. */
// biome-ignore format: one line a case
export const identity: readonly Scenario[] = [
  { name: '202 and an empty body', given: w => w.api.scripts.push({ accepted: true }), ...done, says: /looking for it/ },
  { name: '202 behind a push of somebody else', given: w => { w.render.misbehave({ match: dep, times: 1, call: () => somebody(w, 'new_commit', 40) }); }, ...done, says: /deployed/, wait: { says: /Render has queued/ } },
  { name: '202 and the other is a hook', given: w => { w.render.misbehave({ match: dep, times: 1, call: () => somebody(w, 'deploy_hook', 40) }); }, ...done, says: /deployed/ },
  { name: '202, and somebody else by the API as well: both bring our pin', given: w => { w.render.misbehave({ match: dep, times: 1, call: () => void w.api.create('api', { steps: [['build_in_progress', 600], ['live', 0]] }) }); }, ...done, says: /deployed +1\.1\.0/ },
  { name: '202 and then none in the list', given: w => w.render.misbehave({ match: dep, status: 202, body: '', times: 1 }), ...undone, says: /DEPLOY_NOT_FOUND/ },
  { name: 'another deploy is running', given: w => void w.api.create('new_commit', { steps: [['build_in_progress', 120], ['live', 0]] }, { version: '1.0.0' }), ...done, says: /is running; waiting for its end[\s\S]*deployed/ },
  { name: 'the answer of the POST is lost', given: w => w.render.misbehave({ match: dep, reset: 'after', times: 1 }), ...done, says: /looking whether the deploy was created/, check: w => once(w, dep) },
  { name: 'the POST itself is lost', given: w => w.render.misbehave({ match: dep, reset: 'before', times: 1 }), ...done, says: /deployed/ },
  { name: '500 for the POST', given: w => w.render.misbehave({ match: dep, status: 500, times: 1 }), ...done, says: /deployed/ },
  { name: '500 for every POST', given: w => w.render.misbehave({ match: dep, status: 500 }), exit: 7, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_ERROR.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: '400 for the POST', given: w => w.render.misbehave({ match: dep, status: 400, times: 1 }), ...undone, says: /RENDER_REFUSED/ },
];

/** Proofs that hold, and ones that do not. */
// biome-ignore format: one line a case
export const proofs: readonly Scenario[] = [
  { name: 'the version at /version', argv: 'deploy api --backend-version 1.1.0 --expect-json /version', ...done, says: /and 1\.1\.0/ },
  { name: 'the version in a header', argv: 'deploy api --backend-version 1.1.0 --expect-header x-version', ...done, says: /and 1\.1\.0/ },
  { name: 'another value is expected', argv: 'deploy api --backend-version 1.1.0 --expect-json /version=7', ...undone, same: false, says: /DEPLOY_WRONG_VERSION.*"1\.1\.0" at \/version in place of 7/ },
  { name: 'the old instance answers 200', argv: 'deploy api --backend-version 1.1.0 --expect-json /version', given: w => w.api.scripts.push({ runs: () => '1.0.0' }), ...undone, same: false, says: /DEPLOY_WRONG_VERSION.*"1\.0\.0".*live again and proven/ },
  { name: 'the old instance answers, by start lines', given: w => w.api.scripts.push({ runs: () => '1.0.0' }), ...undone, same: false, says: /DEPLOY_WRONG_VERSION.*started @acme\/backend@1\.0\.0 in place of 1\.1\.0/ },
  { name: 'right on one instance of three', given: w => { three(w); w.api.scripts.push({ runs: (v, i) => (i === 0 ? v : '1.0.0') }); }, ...undone, same: false, says: /DEPLOY_WRONG_VERSION/ },
  { name: 'right on two of three, by answers', argv: 'deploy api --backend-version 1.1.0 --expect-json /version', given: w => { three(w); w.api.scripts.push({ runs: (v, i) => (i < 2 ? v : '1.0.0') }); }, ...undone, same: false, says: /DEPLOY_WRONG_VERSION/ },
  { name: 'right on forty, by answers', argv: 'deploy api --backend-version 1.1.0 --expect-json /version', given: w => { w.api.options.instances = 40; }, ...done, says: /and 1\.1\.0[\s\S]*3 times in a row, 40 answers each/ },
  { name: 'right on 39 of forty, by answers', argv: 'deploy api --backend-version 1.1.0 --expect-json /version', given: w => { w.api.options.instances = 40; w.api.scripts.push({ runs: (v, i) => (i < 39 ? v : '1.0.0') }); }, ...undone, same: false, says: /DEPLOY_WRONG_VERSION/ },
  { name: 'no start line from one of three', given: w => { three(w); w.api.scripts.push({ saysStart: i => i !== 2 }); }, ...unproven, says: /DEPLOY_UNPROVEN.*no start line of @acme\/backend 1\.1\.0 from instance.*it stays live, and BACKEND_VERSION is 1\.1\.0/ },
  { name: 'no start line at all', given: w => w.api.scripts.push({ saysStart: () => false }), ...unproven, says: /DEPLOY_UNPROVEN.*it stays live.*\n +fix: prove it where it shows its version: npx bootlace deploy api --backend-version 1\.1\.0 --expect-json \/version .*; or go back: npx bootlace rollback api\n/ },
  { name: 'unproven, then proven by an answer', given: w => w.api.scripts.push({ saysStart: () => false }), again: 'deploy api --backend-version 1.1.0 --expect-json /version', ...done, says: /going on with dep-[\s\S]*deployed +1\.1\.0/, check: w => once(w, dep) },
  { name: 'unproven, then back', given: w => w.api.scripts.push({ saysStart: () => false }), again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'no start line, --health-only', argv: 'deploy api --backend-version 1.1.0 --health-only', given: w => w.api.scripts.push({ saysStart: () => false }), ...done, says: /deployed/ },
  { name: 'unhealthy once live', given: w => w.api.scripts.push({ answer: () => ({ status: 500 }) }), ...undone, same: false, says: /DEPLOY_UNHEALTHY.*it answers 500/ },
  { name: 'unhealthy for a while', given: w => w.api.scripts.push({ answer: ({ nth }) => ({ status: nth < 5 ? 502 : 200 }) }), ...done, says: /not yet: .*502/ },
  { name: 'flapping', given: w => w.api.scripts.push({ answer: ({ nth }) => ({ status: nth % 3 ? 200 : 500 }) }), ...undone, same: false, says: /DEPLOY_UNHEALTHY/ },
  { name: 'a redirect is healthy', given: w => w.api.scripts.push({ answer: () => ({ status: 302, headers: { location: '/login' } }) }), ...done, says: /answers 302/ },
  { name: 'waking: 503', given: w => w.api.scripts.push({ answer: ({ nth }) => (nth < 4 ? { status: 503, headers: { 'x-render-routing': 'hibernate-wake-error' } } : { status: 200 }) }), ...done, says: /waking up/ },
  { name: 'waking: 404', given: w => w.api.scripts.push({ answer: ({ nth }) => (nth < 4 ? { status: 404, headers: { 'x-render-routing': 'no-server' } } : { status: 200 }) }), ...done, says: /waking up/ },
  { name: 'the health path', argv: 'deploy api --backend-version 1.1.0 --health /ready', given: w => w.api.scripts.push({ answer: ({ path }) => ({ status: path === '/ready' ? 204 : 500 }) }), ...done, says: /\/ready: it answers 204/ },
  { name: 'the old instances take their time to end', given: w => w.api.scripts.push({ lingers: 80 }), ...done, says: /each instance \(1\)/ },
  { name: 'the old instances take too long, and are not its own', given: w => w.api.scripts.push({ lingers: 400 }), ...done, says: /each instance \(1\)/ },
  { name: 'the build log as it comes', argv: 'deploy api --backend-version 1.1.0 --logs', ...done, says: /api: build:\n {2}\| ==> Running build command\n {2}\| installed 1\.1\.0\n/ },
  { name: 'the log is away during --logs', argv: 'deploy api --backend-version 1.1.0 --logs --expect-json /version', given: w => w.render.misbehave({ match: /GET \/logs/, status: 500 }), ...done, says: /deployed/ },
  { name: 'it crashes after the start', given: w => w.api.scripts.push({ crashes: { nonZeroExit: 139 } }), ...undone, same: false, says: /DEPLOY_CRASHING|failed after the start: it exited with 139/ },
];

/** The API fails on the way; every call is met once, and some for good. */
// biome-ignore format: one line a case
export const faults: readonly Scenario[] = [
  ...[listing, polling, dep, anyVariable, /GET .*\/env-vars\//, /GET \/services$/, /\/instances$/, /GET \/logs/, /\/events$/].flatMap(
    match => [
      { name: `429 on ${match.source}`, given: (w: World) => w.render.misbehave({ match, status: 429, times: 2 }), ...done, says: /deployed/ },
      { name: `500 on ${match.source}`, given: (w: World) => w.render.misbehave({ match, status: 500, times: 2 }), ...done, says: /deployed/ },
      { name: `a reset on ${match.source}`, given: (w: World) => w.render.misbehave({ match, reset: 'after', times: 1 }), ...done, says: /deployed/ },
    ] satisfies Scenario[],
  ),
  ...[listing, polling, anyVariable, /GET .*\/env-vars\//, /\/instances$/, /GET \/logs/, /\/events$/].map(match => ({ name: `no JSON on ${match.source}`, given: (w: World) => w.render.misbehave({ match, body: '<html>maintenance', times: 2 }), ...done, says: /deployed/, check: (w: World) => once(w, dep) }) satisfies Scenario),
  { name: 'no JSON for the POST, which was carried out', given: w => w.render.misbehave({ match: dep, body: '<html>', times: 1 }), ...done, says: /looking whether the deploy was created/, check: w => once(w, dep) },
  { name: 'no JSON for good', argv: 'deploy api --backend-version 1.1.0 --timeout 5', given: w => w.render.misbehave({ match: polling, body: '<html>' }), exit: 9, pin: '1.0.0', live: '1.0.0', says: /UNDO_FAILED.*the Render API answered with something that is no JSON/ },
  { name: 'the API is away for eight minutes during the build', given: w => outage(w, polling, 480), ...done, says: /deployed/ },
  { name: 'the API is away for two minutes during the proof', given: w => outage(w, /\/instances$/, 120), ...done, says: /not yet: the Render API answers with 500[\s\S]*deployed/ },
  { name: 'a cancel whose answer is lost', argv: 'deploy api --backend-version 1.1.0 --timeout 2', given: w => { script(w, [['build_in_progress', 9000], ['live', 0]]); w.render.misbehave({ match: /cancel$/, reset: 'after', times: 1 }); }, ...undone, says: /DEPLOY_TIMEOUT/ },
  { name: 'autodeploy cannot be switched', argv: 'deploy api --backend-version 1.1.0 --hold', given: w => { w.api.autoDeploy = 'yes'; w.render.misbehave({ match: /PATCH/, status: 500 }); }, ...done, says: /autodeploy could not be switched/ },
  { name: 'what is proven cannot be written down', given: w => w.render.misbehave({ match: /PUT .*RECORD$/, after: 1, status: 500 }), exit: 0, pin: '1.1.0', live: '1.1.0', isUnwritten: true, says: /1\.1\.0 is proven, but could not be written down/ },
  { name: 'the old version shows itself by nothing', argv: 'deploy api --backend-version 1.1.0', given: w => { for (const d of w.api.deploys) d.script = { saysStart: () => false }; w.api.scripts.push({ answer: () => ({ status: 500 }) }, { saysStart: () => false }); }, ...undone, same: false, says: /\(1\.0\.0\) is live again, its version not shown by anything/ },
  { name: 'the pin cannot be set', given: w => w.render.misbehave({ match: pinPut, status: 500 }), exit: 7, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_ERROR.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: 'the pin may not be set', given: w => w.render.misbehave({ match: pinPut, status: 403 }), exit: 4, pin: '1.0.0', live: '1.0.0', same: true, says: /RENDER_NO_ACCESS/ },
  { name: 'the pin was not set before', given: w => { w.api.env.delete('BACKEND_VERSION'); script(w, [build, ['build_failed', 0]]); }, exit: 9, pin: undefined, live: '1.0.0', same: true, says: /BACKEND_VERSION is unset as before/ },
  { name: 'the restore fails', given: w => { script(w, [build, ['build_failed', 0]]); w.render.misbehave({ match: pinPut, after: 1, status: 500 }); }, exit: 9, pin: '1.1.0', live: '1.0.0', says: /UNDO_FAILED: api: BACKEND_VERSION may still be 1\.1\.0.*began with: api: the build failed[\s\S]*set it to 1\.0\.0/ },
  { name: 'somebody else sets the pin meanwhile', given: w => w.api.scripts.push({ steps: [build, ['build_failed', 0]], onStatus: s => { if (s === 'build_failed') w.api.env.set('BACKEND_VERSION', '1.2.0'); } }), exit: 9, pin: '1.2.0', live: '1.0.0', says: /somebody else has set BACKEND_VERSION/ },
  { name: 'the old artifact is gone', given: w => { gone(w); w.api.scripts.push({ answer: () => ({ status: 500 }) }); }, ...undone, same: false, says: /artifact of dep-\w+ is gone; deploying it anew[\s\S]*live again and proven/ },
  { name: 'the old artifact is gone and the pin was latest', given: w => { gone(w); w.api.env.set('BACKEND_VERSION', 'latest'); w.api.scripts.push({ answer: () => ({ status: 500 }) }); }, exit: 9, pin: 'latest', live: '1.0.0', says: /live again and proven/ },
  { name: 'the old artifact is gone, the pin was latest and the version unknown', given: w => { unknownLatest(w); w.api.scripts.push({ answer: () => ({ status: 500 }) }); }, exit: 9, pin: 'latest', live: '1.1.0', says: /BACKEND_VERSION is latest again, dep-\w+ is live, a new deploy of latest: the artifact of dep-\w+ is gone and its version unknown\n/ },
  { name: 'the same by rollback', argv: 'deploy api --backend-version 1.1.0 --no-undo', given: w => { unknownLatest(w); w.api.scripts.push({ answer: () => ({ status: 500 }) }); }, again: 'rollback api', exit: 0, pin: 'latest', live: '1.1.0', says: /api +undone +-[\s\S]*a new deploy of latest: the artifact/ },
  { name: 'the way back cannot be written down', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); w.render.misbehave({ match: /PUT .*RECORD$/, after: 2, status: 500 }); }, exit: 9, pin: '1.0.0', live: '1.0.0', says: /could not be written down[\s\S]*DEPLOY_UNHEALTHY.*is live again and proven/ },
  { name: 'the note cannot be removed', given: w => { script(w, [build, ['build_failed', 0]]); w.render.misbehave({ match: /PUT .*RECORD$/, after: 2, status: 500 }); }, exit: 9, pin: '1.0.0', live: '1.0.0', says: /could not be removed[\s\S]*DEPLOY_BUILD_FAILED.*is still live and healthy/ },
  { name: 'the way back fails too', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }, { steps: [start, ['update_failed', 0]] }); }, exit: 9, pin: '1.0.0', live: '1.1.0', says: /UNDO_FAILED.*ended as update_failed/ },
  { name: 'the rollback endpoint is limited', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); w.render.misbehave({ match: back, status: 429, times: 2 }); }, ...undone, same: false, says: /live again and proven/ },
  { name: "the rollback's answer is lost", given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); w.render.misbehave({ match: back, reset: 'after', times: 1 }); }, ...undone, same: false, says: /live again and proven/, check: w => once(w, back) },
];

/** Ctrl-C at every step, and the run after it. */
// biome-ignore format: one line a case
export const interruptions: readonly Scenario[] = [
  ...([
    ['looking', /GET \/services$/, 0, '1.0.0', '1.0.0', /nothing was changed/],
    ['the note is written', /PUT .*BOOTLACE_RECORD$/, 0, '1.0.0', '1.0.0', /may be 1\.1\.0 already/],
    ['the note is read again', /GET .*BOOTLACE_RECORD$/, 3, '1.0.0', '1.0.0', /may be 1\.1\.0 already/],
    ['the pin is written', pinPut, 0, '1.1.0', '1.0.0', /may be 1\.1\.0 already \(it was 1\.0\.0\)/],
    ['the deploy is created', dep, 0, '1.1.0', '1.0.0', /a deploy may have been created/],
    ['the build runs', polling, 4, '1.1.0', '1.0.0', /goes on without us/],
    ['it is being proven', /GET \/logs/, 0, '1.1.0', '1.1.0', /live and not proven/],
  ] as const).flatMap(([step, match, after, pin, live, says]) => [
    { name: `Ctrl-C while ${step}`, given: (w: World) => interrupt(w, match, after), exit: 130, pin, live, says } satisfies Scenario,
    { name: `Ctrl-C while ${step}, then again`, given: (w: World) => interrupt(w, match, after), again: 'deploy api --backend-version 1.1.0', ...done, says: /deployed +1\.1\.0/, check: (w: World) => once(w, dep) } satisfies Scenario,
    { name: `Ctrl-C while ${step}, then back`, given: (w: World) => interrupt(w, match, after), again: 'rollback api --to 1.0.0', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back/ } satisfies Scenario,
  ]),
  { name: 'Ctrl-C, and the second run fails', given: w => { interrupt(w, polling, 2); script(w, [build, ['build_failed', 0]]); }, again: 'deploy api --backend-version 1.1.0', exit: 9, pin: '1.0.0', live: '1.0.0', same: true, says: /DEPLOY_BUILD_FAILED.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: 'undoing broke off, and the same again', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); w.render.misbehave({ match: back, status: 500, times: 3 }); }, again: 'deploy api --backend-version 1.1.0', ...done, first: /UNDO_FAILED: api could not be led back to 1\.0\.0: the Render API answers with 500\. it began/, says: /beginning again[\s\S]*deployed +1\.1\.0 +before: 1\.0\.0/ },
  { name: 'Ctrl-C while undoing, and the same again', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); interrupt(w, back); }, again: 'deploy api --backend-version 1.1.0', ...done, says: /deployed +1\.1\.0/ },
  { name: 'Ctrl-C, then another version that fails', given: w => { interrupt(w, polling, 2); w.api.scripts.push({}, { answer: () => ({ status: 500 }) }); }, again: 'deploy api --backend-version 1.2.0', exit: 9, pin: '1.0.0', live: '1.0.0', says: /DEPLOY_UNHEALTHY.*BACKEND_VERSION is 1\.0\.0 again/ },
  { name: 'Ctrl-C of --no-pin, then again', given: w => { w.api.env.set('BACKEND_VERSION', '^1.0.0'); interrupt(w, polling, 3); }, argv: 'deploy api --no-pin', again: 'deploy api --no-pin', exit: 0, pin: '^1.0.0', live: '1.1.0', first: /goes on without us; to go on: npx bootlace deploy api --no-pin/, says: /going on with dep-[\s\S]*deployed/, check: w => once(w, dep) },
  { name: 'Ctrl-C of --no-pin, then rollback', given: w => { w.api.env.set('BACKEND_VERSION', '^1.0.0'); interrupt(w, /GET \/logs/); }, argv: 'deploy api --no-pin', again: 'rollback api', exit: 0, pin: '^1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'Ctrl-C, then rollback without a version', given: w => interrupt(w, polling, 3), again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: '--no-undo, a manual deploy of the same pin, then rollback', argv: 'deploy api --backend-version 1.1.0 --no-undo', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); before2nd(w, () => w.api.create('manual', { steps: [['live', 0]] })); }, again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0[\s\S]*BACKEND_VERSION is 1\.0\.0 again, dep-\w+ \(1\.0\.0\) is live again and proven/ },
  { name: 'Ctrl-C, autodeploy brings the same pin, then rollback', given: w => { script(w, [build, ['canceled', 0]]); interrupt(w, polling, 2); before2nd(w, () => w.api.create('new_commit', { steps: [['live', 0]] })); }, again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0[\s\S]*dep-\w+ \(1\.0\.0\) is live again and proven/ },
  { name: 'Ctrl-C while undoing, then rollback without a version', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); interrupt(w, back); }, again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'Ctrl-C while the pin is put back, then rollback', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); interrupt(w, pinPut, 1); }, again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'the first deploy with bootlace, and back', given: w => { w.api.env.delete('BOOTLACE_RECORD'); }, again: 'rollback api', exit: 0, pin: '1.0.0', live: '1.0.0', says: /rolled back +1\.0\.0/ },
  { name: 'Ctrl-C while undoing, then rollback', given: w => { w.api.scripts.push({ answer: () => ({ status: 500 }) }); interrupt(w, back); }, again: 'rollback api --to 1.0.0', exit: 0, pin: '1.0.0', live: '1.0.0', first: /going back to 1\.0\.0 was not finished/, says: /rolled back +1\.0\.0/ },
];

function script(
  world: World,
  steps: readonly (readonly [string, number])[],
  failure?: Record<string, unknown>,
): void {
  world.api.scripts.push({ steps, failure });
}

/** Somebody else's deploy right after; it ends at once. */
function later(world: World, trigger: string, version?: string, status = 'live'): void {
  queueMicrotask(() =>
    world.api.create(trigger, { steps: [[status, 0]] }, version === undefined ? {} : { version }),
  );
}

/** A push while our deploy has a status; under "override" it cancels ours. */
function pushDuring(
  { api }: World,
  status: string,
  script: Script = {},
  steps?: Script['steps'],
): void {
  const onStatus = (now: string) => {
    if (now === status) queueMicrotask(() => api.create('new_commit', script));
  };
  api.scripts.push({ ...script, ...(steps && { steps }), onStatus });
}

function chatter({ api }: World): void {
  api.log('app', 'Error: boom', `${api.id}-abcde`);
  for (let i = 0; i < 60; i++) api.log('app', 'GET / 200', api.instances[0]?.id);
}

/** An instance fails, so many seconds from now. */
function failedInstance({ api, clock }: World, instanceID: string, seconds: number): void {
  api.events.push({
    type: 'server_failed',
    timestamp: clock.now() + seconds * 1000,
    details: { instanceID, reason: { evicted: false, nonZeroExit: 1 } },
  });
}

function three(world: World): void {
  world.api.options.instances = 3;
}

function gone(world: World): void {
  for (const deploy of world.api.deploys) deploy.artifactGone = true;
}

/** What happens between the two runs. */
function before2nd({ render }: World, call: () => void): void {
  render.misbehave({ match: /GET \/services$/, after: 1, times: 1, call });
}

/** What is live follows latest, was built long ago, and shows itself by nothing. */
function unknownLatest(world: World): void {
  const { api } = world;
  gone(world);
  api.env.set('BACKEND_VERSION', 'latest');
  api.env.delete('BOOTLACE_RECORD');
  api.logs.length = 0;
}

/** 500 for that many seconds of the world's clock, from the first request on. */
function outage(world: World, match: RegExp, seconds: number): void {
  let until: number | undefined;
  const fault = {
    match,
    status: 500 as number | undefined,
    call: () => {
      until ??= world.clock.now() + seconds * 1000;
      fault.status = world.clock.now() < until ? 500 : undefined;
    },
  };
  world.render.misbehave(fault);
}

function once({ render }: World, match: RegExp): void {
  const found = render.requests.filter(r => match.test(`${r.method} ${r.path}`) && r.status < 300);
  if (found.length !== 1) throw new Error(`${match.source} was carried out ${found.length} times`);
}
