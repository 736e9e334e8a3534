import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { FakeRegistry } from '../support/fake-registry';
import { interrupt } from './scenarios';
import { createWorld, run, startRegistry, type World } from './world';

// GitHub's deployments, and the reason of a failure in the summary.

const token = 'ghs_0123456789abcdefghijABCDEFGHIJ012345';
const sha = 'c0ffee0000000000000000000000000000000001';

let registry: FakeRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.close());

interface Posted {
  path: string;
  authorization: string | undefined;
  body: Record<string, unknown>;
}

async function startGithub(
  t: TestContext,
  status = 201,
): Promise<{ url: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', chunk => {
      text += chunk;
    });
    request.on('end', () => {
      const { authorization } = request.headers;
      const path = `${request.method} ${request.url}`;
      posted.push({ path, authorization, body: JSON.parse(text) });
      response.writeHead(status).end(JSON.stringify({ id: 41 + posted.length }));
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted };
}

async function inWorkflow(
  t: TestContext,
  line: string,
  given: (world: World) => void = () => {},
  status = 201,
) {
  const github = await startGithub(t, status);
  const world = await createWorld(registry);
  t.after(() => world.close());
  Object.assign(world.env, {
    GITHUB_ACTIONS: 'true',
    GITHUB_TOKEN: token,
    GITHUB_API_URL: github.url,
    GITHUB_REPOSITORY: 'acme/backend',
    GITHUB_SHA: sha,
    GITHUB_RUN_ID: '7',
    GITHUB_STEP_SUMMARY: join(world.dir, 'summary'),
  });
  given(world);
  const ended = await run(world, line.split(' '));
  assert.ok(!ended.all.includes(token));
  const file = join(world.dir, 'summary');
  return {
    ...ended,
    ...github,
    summary: existsSync(file) ? readFileSync(file, 'utf8') : '',
    world,
  };
}

const statuses = (posted: readonly Posted[]) =>
  posted.slice(1).map(({ path, body }) => `${path} ${body.state}`);
const at = 'POST /repos/acme/backend/deployments';

test('a deploy is a deployment of its service as the environment', async t => {
  const { code, all, posted, world } = await inWorkflow(t, 'deploy api --backend-version 1.1.0');
  assert.equal(code, 0, all);
  const [made] = posted;
  assert.equal(made?.path, at);
  assert.equal(made?.authorization, `Bearer ${token}`);
  assert.deepEqual(made?.body, {
    ref: sha,
    environment: 'api',
    auto_merge: false,
    required_contexts: [],
    description: 'bootlace',
  });
  assert.deepEqual(statuses(posted), [
    `${at}/42/statuses in_progress`,
    `${at}/42/statuses success`,
  ]);
  assert.deepEqual(posted[2]?.body, {
    state: 'success',
    log_url: 'https://github.com/acme/backend/actions/runs/7',
    description: 'deployed, 1.1.0',
    environment_url: `${world.api.url}/healthz`,
  });
  for (const { body } of world.render.requests)
    assert.ok(!JSON.stringify(body ?? '').includes(token));
});

// biome-ignore format: one line a case
const ends: readonly (readonly [name: string, line: string, given: (w: World) => void, code: number, state: string])[] = [
  ['one that fails', 'deploy api --backend-version 1.1.0', w => w.api.scripts.push({ steps: [['build_failed', 0]] }), 9, 'failure'],
  ['one that is unproven', 'deploy api --backend-version 1.1.0', w => w.api.scripts.push({ saysStart: () => false }), 9, 'failure'],
  ['one that is interrupted', 'deploy api --backend-version 1.1.0', w => interrupt(w, /GET .*\/deploys\/dep-/, 1), 130, 'error'],
  ['a rollback', 'rollback api --to 1.2.0', () => {}, 0, 'success'],
];
for (const [name, line, given, code, state] of ends)
  test(`the status of ${name}`, async t => {
    const ended = await inWorkflow(t, line, given);
    assert.equal(ended.code, code, ended.all);
    assert.deepEqual(statuses(ended.posted), [
      `${at}/42/statuses in_progress`,
      `${at}/42/statuses ${state}`,
    ]);
  });

// biome-ignore format: one line a case
const without: readonly (readonly [name: string, line: string, given: (w: World) => void])[] = [
  ['nothing is deployed', 'deploy api --backend-version 1.0.0', () => {}],
  ['nothing is to be done', 'deploy api --backend-version 1.1.0 --dry-run', () => {}],
  ['there is no token', 'deploy api --backend-version 1.1.0', w => { delete w.env.GITHUB_TOKEN; }],
  ['the token would travel in the clear', 'deploy api --backend-version 1.1.0', w => { w.env.GITHUB_API_URL = 'http://api.example.com'; }],
  ['the repository is no name', 'deploy api --backend-version 1.1.0', w => { w.env.GITHUB_REPOSITORY = 'acme/../x'; }],
];
for (const [name, line, given] of without)
  test(`GitHub is told nothing where ${name}`, async t => {
    const { code, all, posted } = await inWorkflow(t, line, given);
    assert.equal(code, 0, all);
    assert.deepEqual(posted, []);
  });

test('a token that may not write deployments is a warning', async t => {
  const line = 'deploy api --backend-version 1.1.0';
  const { code, all, posted } = await inWorkflow(t, line, () => {}, 403);
  assert.equal(code, 0, all);
  assert.match(all, /warning: GitHub shows no deployment: it answers 403; .*deployments: write/);
  assert.equal(posted.length, 1);
});

test('the summary has the reason, and the outputs what is live and what failed', async t => {
  const { summary, world } = await inWorkflow(t, 'deploy api --backend-version 1.1.0', w => {
    w.env.GITHUB_OUTPUT = join(w.dir, 'output');
    w.api.scripts.push({ steps: [['build_failed', 0]], failure: { nonZeroExit: 17 } });
  });
  assert.match(
    summary,
    /\| reason \|\n.*\n\| api \| undone \| 1\.0\.0 \| 1\.0\.0 \| .*exited with 17 \|/,
  );
  const outputs = readFileSync(join(world.dir, 'output'), 'utf8');
  assert.match(outputs, /^version<<(\w+)\n1\.0\.0\n\1\n/m);
  assert.match(outputs, /^failed-version<<(\w+)\n1\.1\.0\n\1\n/m);
});
