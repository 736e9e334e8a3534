import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FakeRegistry } from '../support/fake-registry';
import type { FakeServiceOptions, Script } from '../support/fake-render-service';
import { find } from './cases';
import { createWorld, run, startRegistry, type World } from './world';

// Five systems as they really are: each deploys, breaks, comes back by itself and is rolled back.

let registry: FakeRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.close());

/** One command of a story, and what is live at its end: `service=version`. */
interface Step {
  given?: (world: World) => void;
  line: string;
  exit?: number;
  says?: RegExp;
  live: string;
  /** `service=pin`, where one is expected. */
  pins?: string;
}

interface System {
  name: string;
  services: (Partial<FakeServiceOptions> & { name: string; live: string })[];
  steps: Step[];
}

const env = { BACKEND_PACKAGE: '@acme/backend', DATABASE_URL: 'postgres://user:pass@db/acme' };
const pinned = { ...env, BACKEND_VERSION: '1.0.0' };
const sick: Script = { answer: () => ({ status: 500 }) };
const connected = (database: string): Script => ({
  answer: ({ version }) => ({ status: 200, body: JSON.stringify({ database, version }) }),
});
/** A push: the branch has a new commit, and the next deploy goes like this. */
const push =
  (commit: string, script: Script, ...names: string[]) =>
  (world: World) => {
    for (const name of names) {
      const service = find(world, name);
      service.head = commit;
      service.scripts.push(script);
    }
  };
const next =
  (name: string, ...scripts: Script[]) =>
  (world: World) =>
    void find(world, name).scripts.push(...scripts);

const docker = { runtime: 'docker', healthPath: '/health', head: 'aaaa111', env: {} };

const systems: readonly System[] = [
  {
    name: 'a private npm backend in two environments',
    services: [
      {
        name: 'backend-smokebox',
        live: '1.0.0',
        env: { ...env, BACKEND_VERSION: 'latest' },
        latest: '1.1.0',
      },
      { name: 'backend-prod', live: '1.0.0', env: pinned, healthPath: '/health' },
    ],
    steps: [
      {
        line: 'deploy backend-smokebox',
        live: 'backend-smokebox=1.1.0 backend-prod=1.0.0',
        pins: 'backend-smokebox=latest backend-prod=1.0.0',
      },
      {
        line: 'deploy backend-prod --backend-version 1.1.0',
        live: 'backend-prod=1.1.0',
        pins: 'backend-prod=1.1.0',
      },
      {
        given: next('backend-prod', sick),
        line: 'deploy backend-prod --backend-version 1.2.0',
        exit: 9,
        says: /DEPLOY_UNHEALTHY.*BACKEND_VERSION is 1\.1\.0 again.*live again and proven/,
        live: 'backend-prod=1.1.0',
        pins: 'backend-prod=1.1.0',
      },
      {
        line: 'deploy backend-prod --backend-version 1.2.0',
        live: 'backend-prod=1.2.0',
        pins: 'backend-prod=1.2.0',
      },
      {
        line: 'rollback backend-prod',
        live: 'backend-prod=1.1.0',
        pins: 'backend-prod=1.1.0',
      },
      {
        line: 'releases backend-prod',
        says: /live +1\.1\.0 +proven/,
        live: 'backend-prod=1.1.0',
      },
    ],
  },
  {
    name: 'a FastAPI service with a hook and a health answer that names its database',
    services: [
      {
        name: 'todo-api',
        live: 'aaaa111',
        runtime: 'python',
        startCommand: 'uvicorn main:app',
        healthPath: '/health',
        head: 'aaaa111',
        env: {},
      },
    ],
    steps: [
      {
        given: push('bbbb222', connected('connected'), 'todo-api'),
        line: 'deploy --hook $HOOK --url $URL --health /health --expect-json /database=connected',
        says: /cannot tell the new deploy from the old[\s\S]*triggered +connected/,
        live: 'todo-api=bbbb222',
      },
      {
        given: push('cccc333', connected('disconnected'), 'todo-api'),
        line: 'deploy todo-api --expect-json /database=connected',
        exit: 9,
        says: /DEPLOY_WRONG_VERSION.*"disconnected" at \/database in place of connected.*is live again/,
        live: 'todo-api=bbbb222',
      },
      {
        given: push('dddd444', connected('connected'), 'todo-api'),
        line: 'deploy todo-api --expect-json /database=connected',
        live: 'todo-api=dddd444',
      },
      { line: 'rollback todo-api', live: 'todo-api=bbbb222' },
      { line: 'rollback todo-api', live: 'todo-api=aaaa111' },
      {
        line: 'rollback todo-api',
        exit: 5,
        says: /NO_PROVEN_VERSION/,
        live: 'todo-api=aaaa111',
      },
    ],
  },
  {
    name: 'a Next.js service that Render builds',
    services: [
      {
        name: 'web',
        live: 'aaaa111',
        startCommand: 'npm start',
        head: 'aaaa111',
        branch: 'master',
        env: {},
      },
    ],
    steps: [
      {
        given: push('bbbb222', {}, 'web'),
        line: 'deploy web --migrate-command "npx prisma migrate deploy"',
        says: /migrating: npx prisma migrate deploy/,
        live: 'web=bbbb222',
      },
      {
        given: push(
          'cccc333',
          { steps: [['build_failed', 0]], failure: { nonZeroExit: 1 } },
          'web',
        ),
        line: 'deploy web',
        exit: 9,
        says: /DEPLOY_BUILD_FAILED.*exited with 1.*is still live/,
        live: 'web=bbbb222',
      },
      {
        given: push('dddd444', sick, 'web'),
        line: 'deploy web',
        exit: 9,
        says: /DEPLOY_UNHEALTHY.*is live again/,
        live: 'web=bbbb222',
      },
      { given: push('eeee555', {}, 'web'), line: 'deploy web', live: 'web=eeee555' },
      { line: 'rollback web', live: 'web=bbbb222' },
      { line: 'services', says: /web +web node +- +master bbbb222/, live: 'web=bbbb222' },
    ],
  },
  {
    name: 'three Docker services and a static site of one repository',
    services: [
      { ...docker, name: 'chat-api', live: 'aaaa111' },
      { ...docker, name: 'admin-api', live: 'aaaa111' },
      { ...docker, name: 'worker', type: 'background_worker', live: 'aaaa111' },
      { name: 'admin-ui', type: 'static_site', head: 'aaaa111', env: {}, live: 'aaaa111' },
    ],
    steps: [
      {
        given: push('bbbb222', {}, 'chat-api', 'admin-api', 'worker', 'admin-ui'),
        line: 'deploy chat-api admin-api worker admin-ui',
        live: 'chat-api=bbbb222 admin-api=bbbb222 worker=bbbb222 admin-ui=bbbb222',
      },
      {
        given: world => {
          push('cccc333', {}, 'chat-api', 'admin-api')(world);
          push('cccc333', { crashes: { nonZeroExit: 1 } }, 'worker')(world);
        },
        line: 'deploy chat-api admin-api worker admin-ui',
        exit: 9,
        says: /DEPLOY_CRASHING: worker.*worker: dep-\w+ is live again.*admin-api: dep-\w+ is live again.*chat-api: dep-\w+ is live again/,
        live: 'chat-api=bbbb222 admin-api=bbbb222 worker=bbbb222 admin-ui=bbbb222',
      },
      {
        given: push('dddd444', {}, 'chat-api', 'admin-api', 'worker', 'admin-ui'),
        line: 'deploy chat-api admin-api worker admin-ui',
        live: 'chat-api=dddd444 admin-api=dddd444 worker=dddd444 admin-ui=dddd444',
      },
      {
        line: 'rollback admin-ui worker admin-api chat-api',
        live: 'chat-api=bbbb222 admin-api=bbbb222 worker=bbbb222 admin-ui=bbbb222',
      },
    ],
  },
  {
    name: 'a Nest API with worker, cron and migrations',
    services: [
      { name: 'vault-api', live: '1.0.0', env: pinned, healthPath: '/healthz' },
      { name: 'vault-worker', type: 'background_worker', live: '1.0.0', env: pinned, instances: 2 },
      { name: 'vault-cron', type: 'cron_job', live: '1.0.0', env: pinned },
    ],
    steps: [
      {
        line: 'deploy vault-api vault-worker vault-cron --backend-version 1.1.0 --migrate',
        says: /vault-api: migrating: npx bootlace migrate[\s\S]*from each instance \(2\)/,
        live: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
        pins: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
      },
      {
        given: next('vault-worker', { crashes: { oomKilled: { memoryLimit: '512Mi' } } }),
        line: 'deploy vault-api vault-worker vault-cron --backend-version 1.2.0 --migrate',
        exit: 9,
        says: /DEPLOY_CRASHING: vault-worker.*out of memory.*vault-api: BACKEND_VERSION is 1\.1\.0 again.*migrations that ran stay/,
        live: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
        pins: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
      },
      {
        line: 'deploy vault-api vault-worker vault-cron --backend-version 1.2.0',
        live: 'vault-api=1.2.0 vault-worker=1.2.0 vault-cron=1.2.0',
      },
      {
        line: 'rollback vault-cron vault-worker vault-api',
        says: /migrations that ran stay/,
        live: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
        pins: 'vault-api=1.1.0 vault-worker=1.1.0 vault-cron=1.1.0',
      },
    ],
  },
];

for (const system of systems)
  for (const overlap of ['wait', 'override'] as const)
    test(`${system.name} (${overlap})`, async t => {
      const world = await createWorld(registry, overlap);
      t.after(() => world.close());
      const { render } = world;
      render.services.length = 0;
      for (const { live, ...options } of system.services) {
        const service = render.add(options);
        service.seedLive(live, {
          commit: options.head ?? 'c0ffee',
          script: connected('connected'),
        });
        if (options.env?.BACKEND_VERSION)
          service.env.set(
            'BOOTLACE_RECORD',
            JSON.stringify({ proven: [{ version: live, deploy: service.live?.id }] }),
          );
      }
      const [first] = render.services;
      assert.ok(first);
      world.env.HOOK = render.hookOf(first);
      world.env.URL = first.url;
      for (const { given, line, exit = 0, says, live, pins = '' } of system.steps) {
        given?.(world);
        const words = (line.match(/"[^"]*"|\S+/g) ?? [])
          .map(word => word.replaceAll('"', ''))
          .map(word => (word.startsWith('$') ? (world.env[word.slice(1)] ?? '') : word));
        const { code, all } = await run(world, words);
        assert.equal(code, exit, `${line}\n${all}`);
        if (says) assert.match(all, says, line);
        // A hook's deploy goes on.
        await world.clock.sleep(600_000);
        for (const service of render.services) service.advance();
        for (const pair of live.split(' ')) {
          const [name = '', version] = pair.split('=');
          assert.equal(find(world, name).live?.version, version, `${line}: ${name}\n${all}`);
        }
        for (const pair of pins.split(' ').filter(Boolean)) {
          const [name = '', pin] = pair.split('=');
          assert.equal(find(world, name).env.get('BACKEND_VERSION'), pin, `${line}: ${name}`);
        }
        for (const { env: variables } of render.services)
          if (variables.has('DATABASE_URL'))
            assert.equal(variables.get('DATABASE_URL'), env.DATABASE_URL);
      }
      assert.deepEqual(render.options.contract?.problems ?? [], []);
    });
