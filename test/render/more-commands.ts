import assert from 'node:assert/strict';
import { add, at11, broken, type Case, find, pinTo, stands, to } from './cases';
import { others, run, type World } from './world';

const writes = ({ render }: World) => render.requests.filter(({ method }) => method !== 'GET');
const posts = ({ render }: World, path: RegExp) =>
  render.requests.filter(r => r.method === 'POST' && path.test(r.path));
const noWrites = (w: World) => assert.deepEqual(writes(w), []);

/** Two services of one name in two workspaces. */
function twoWorkspaces({ render }: World): void {
  render.workspaces.set('tea-00000000000000000002', 'other');
  const service = render.add({
    name: 'api',
    type: 'background_worker',
    ownerId: 'tea-00000000000000000002',
    env: { ...others, BACKEND_VERSION: '1.0.0' },
  });
  service.seedLive('1.0.0');
}

// biome-ignore format: one line a case
export const moreCommands: readonly Case[] = [
  { name: '--dry-run changes nothing', argv: `deploy api ${to} --dry-run`, exit: 0, says: /api +planned +1\.1\.0 +before: 1\.0\.0[\s\S]*api: BACKEND_VERSION: 1\.0\.0 → 1\.1\.0\napi: deploys 1\.1\.0; live now: 1\.0\.0\napi: proof: the start line of each instance/, check: noWrites },
  { name: '--dry-run of a follower', given: w => pinTo(w, 'latest'), argv: 'deploy api --dry-run --expect-json /version', exit: 0, says: /api: no variable but BOOTLACE_RECORD is written; BACKEND_VERSION stays latest\n[\s\S]*proof: \/version of http/, check: noWrites },
  { name: '--dry-run of several, one without a pin', given: w => void add(w, 'ml', 'web_service', 'python'), argv: `deploy api ml ${to} --dry-run`, exit: 0, says: /ml: no variable is written\nml: deploys the newest of its source; live now: dep-\w+\nml: proof: health of http/, check: noWrites },
  { name: '--dry-run refuses what deploy refuses', argv: 'deploy api --backend-version 9.9.9 --dry-run', exit: 5, says: /VERSION_NOT_FOUND/, check: noWrites },
  { name: 'releases', given: at11, argv: 'releases api', exit: 0, says: /DEPLOY +WHEN +BY +STATUS +VERSION +PROVEN +SOURCE\ndep-\w+ +1 hour ago +api +live +1\.1\.0 +proven +c0ffee0\ndep-\w+ +1 hour ago +api +was live +1\.0\.0 +proven[\s\S]*to go back to 1\.0\.0: npx bootlace rollback api\n/, check: noWrites },
  { name: 'releases: nothing to go back to', argv: 'releases api', exit: 0, says: /^DEPLOY(?![\s\S]*go back)/, check: noWrites },
  { name: 'releases: a rollback goes on from what is unproven', given: w => w.api.scripts.push({ saysStart: () => false }), argv: `deploy api ${to}`, exit: 9, says: /UNPROVEN/, check: async w => assert.match((await run(w, ['releases', 'api'])).all, /to go back to 1\.0\.0: npx bootlace rollback api\n/) },
  { name: 'releases: who deployed is known after a rollback, too', given: w => { w.env.GITHUB_ACTIONS = 'true'; w.env.GITHUB_ACTOR = 'octocat'; }, argv: `deploy api ${to}`, exit: 0, says: /deployed/, check: async w => { await run(w, ['rollback', 'api']); assert.match((await run(w, ['releases', 'api'])).all, /octocat +live +1\.0\.0 +proven[\s\S]*octocat +was live +1\.1\.0 +proven/); } },
  { name: 'releases: the person behind a deploy', given: w => { w.api.create('manual', { steps: [['build_failed', 0]] }); }, argv: 'releases api', exit: 0, says: /dev@acme\.test +build failed +- +-/ },
  { name: 'releases: the GitHub user', given: w => { w.env.GITHUB_ACTIONS = 'true'; w.env.GITHUB_ACTOR = 'octocat'; }, argv: `deploy api ${to}`, exit: 0, says: /deployed/, check: async w => assert.match((await run(w, ['releases', 'api'])).all, /octocat +live +1\.1\.0 +proven/) },
  { name: 'rollback to a deploy of the list', given: at11, argv: 'releases api --json', exit: 0, says: /"isProven": true/, check: async (w, { stdout }) => { const rows = JSON.parse(stdout).releases; const { code, all } = await run(w, ['rollback', 'api', '--to', rows[1].deploy]); assert.equal(code, 0, all); stands(w, 'api', '1.0.0', '1.0.0'); } },
  { name: 'rollback to a deploy of an unknown version', given: at11, argv: 'rollback api --to dep-unknown', exit: 2, says: /TO_INVALID: nothing says which version dep-unknown is/, check: noWrites },
  { name: 'releases needs a service', argv: 'releases', exit: 2, says: /SERVICE_MISSING/ },
  { name: 'job', given: w => void w.api.jobScripts.push({ log: ['applied 2 migrations'] }), argv: 'job api "npx prisma migrate deploy"', exit: 0, says: /api: job-\w+ running[\s\S]*\| applied 2 migrations[\s\S]*api: job-\w+ succeeded: npx prisma migrate deploy\n/, check: w => assert.equal(w.api.jobs[0]?.command, 'npx prisma migrate deploy') },
  { name: 'job, its words after --', argv: 'job api -- node -e "say hi"', exit: 0, says: /succeeded/, check: w => assert.equal(w.api.jobs[0]?.command, "node -e 'say hi'") },
  { name: 'job that fails', given: w => void w.api.jobScripts.push({ status: 'failed', log: ['column exists'] }), argv: 'job api migrate', exit: 9, says: /\| column exists[\s\S]*JOB_FAILED: api: job-\w+ failed: migrate/ },
  { name: 'job whose answer is lost is not run twice', given: w => w.render.misbehave({ match: /POST .*\/jobs$/, reset: 'after', times: 1 }), argv: 'job api migrate', exit: 0, says: /looking whether the job was created[\s\S]*succeeded/, check: w => assert.equal(w.api.jobs.length, 1) },
  { name: 'job that takes too long', given: w => void w.api.jobScripts.push({ seconds: 9000 }), argv: 'job api migrate --timeout 2', exit: 9, says: /JOB_TIMEOUT.*still running after 2 min, and goes on/ },
  { name: 'job of a static site', given: w => void add(w, 'site', 'static_site', 'static'), argv: 'job site migrate', exit: 2, says: /JOB_NOT_HERE/ },
  { name: 'job without a command', argv: 'job api', exit: 2, says: /COMMAND_MISSING/ },
  { name: '--migrate', argv: `deploy api ${to} --migrate`, exit: 0, says: /api: migrating: npx bootlace migrate[\s\S]*job-\w+ succeeded[\s\S]*deployed/, check: w => { assert.equal(w.api.jobs.length, 1); stands(w, 'api', '1.1.0', '1.1.0'); } },
  { name: '--migrate of several runs once', given: w => void add(w, 'worker', 'background_worker'), argv: `deploy api worker ${to} --migrate-command "alembic upgrade head"`, exit: 0, says: /migrating: alembic upgrade head/, check: w => { assert.equal(w.api.jobs.length, 1); assert.equal(find(w, 'worker').jobs.length, 0); } },
  { name: '--migrate fails, and migrations stay', given: w => void w.api.jobScripts.push({ status: 'failed' }), argv: `deploy api ${to} --migrate`, exit: 9, says: /JOB_FAILED.*BACKEND_VERSION is 1\.0\.0 again, dep-\w+ \(1\.0\.0\) is live again and proven, migrations that ran stay/, check: w => stands(w, 'api', '1.0.0', '1.0.0') },
  { name: '--migrate where the pre-deploy command does it', given: w => { w.api.options.preDeployCommand = 'npx bootlace migrate'; w.api.scripts.push(broken); }, argv: `deploy api ${to} --migrate`, exit: 9, says: /its pre-deploy command migrates, so --migrate starts no job: npx bootlace migrate[\s\S]*DEPLOY_UNHEALTHY.*migrations that ran stay/, check: w => assert.equal(w.api.jobs.length, 0) },
  { name: '--migrate skips a static site', given: w => void add(w, 'site', 'static_site', 'static'), argv: `deploy site api ${to} --migrate`, exit: 0, says: /api: migrating/, check: w => assert.equal(w.api.jobs.length, 1) },
  { name: '--migrate of a static site alone', given: w => void add(w, 'site', 'static_site', 'static'), argv: 'deploy site --migrate', exit: 2, says: /JOB_NOT_HERE/, check: noWrites },
  { name: '--migrate where nothing says how', given: w => void add(w, 'ml', 'web_service', 'python'), argv: 'deploy ml --migrate', exit: 2, says: /COMMAND_MISSING: nothing says how ml migrates\n.*--migrate-command/, check: noWrites },
  { name: '--migrate, and the API is away when the job is asked for', given: w => w.render.misbehave({ match: /GET .*\/jobs\/job-/, status: 500 }), argv: `deploy api ${to} --migrate`, exit: 9, says: /RENDER_ERROR|it stays live/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: 'two workspaces: which one?', given: twoWorkspaces, argv: `deploy api ${to}`, exit: 2, says: /SERVICE_AMBIGUOUS[\s\S]*--workspace tea-00000000000000000001 or tea-00000000000000000002/, check: noWrites },
  { name: '--workspace by its name', given: twoWorkspaces, argv: `deploy api ${to} --workspace acme`, exit: 0, says: /deployed/, check: w => stands(w, 'api', '1.1.0', '1.1.0') },
  { name: 'RENDER_WORKSPACE by its id', given: w => { twoWorkspaces(w); w.env.RENDER_WORKSPACE = 'tea-00000000000000000002'; }, argv: 'services', exit: 0, says: /\napi +worker node .*tea-00000000000000000002\n$/ },
  { name: 'no such workspace', argv: 'services --workspace nowhere', exit: 5, says: /WORKSPACE_NOT_FOUND/ },
  { name: 'services: a type that is new at Render', given: w => void w.render.misbehave({ match: /GET \/services$/, body: JSON.stringify([{ cursor: 'c', service: { id: 'srv-1', name: 'flow', ownerId: 'tea-1', type: 'workflow' } }]) }), argv: 'services', exit: 5, says: /flow is left out/ },
  { name: 'rollback without a service names its local counterpart', argv: 'rollback', exit: 2, says: /SERVICE_MISSING[\s\S]*for the backend in this folder: npx bootlace use previous/ },
  { name: 'rollback without a key names its local counterpart', given: w => { delete w.env.RENDER_API_KEY; }, argv: 'rollback api', exit: 3, says: /RENDER_KEY_MISSING[\s\S]*for the backend in this folder: npx bootlace use previous/ },
  { name: 'verify without a target names its local counterpart', argv: 'verify', exit: 2, says: /TARGET_MISSING[\s\S]*for the backend in this folder: npx bootlace doctor/ },
  { name: 'verify without a key names its local counterpart', given: w => { delete w.env.RENDER_API_KEY; }, argv: 'verify api', exit: 3, says: /RENDER_KEY_MISSING[\s\S]*for the backend in this folder: npx bootlace doctor/ },
  { name: 'no POST of a deploy is asked for twice', argv: `deploy api ${to}`, exit: 0, says: /deployed/, check: w => assert.equal(posts(w, /\/deploys$/).length, 1) },
];
