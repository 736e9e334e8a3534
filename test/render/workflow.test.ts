import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { FakeRegistry } from '../support/fake-registry';
import { interrupt } from './scenarios';
import { createWorld, others, run, secrets, startRegistry, type World } from './world';

let registry: FakeRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.close());

const files = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY'];

async function inWorkflow(given: (world: World) => void, line: string) {
  const world = await createWorld(registry);
  try {
    world.env.GITHUB_ACTIONS = 'true';
    for (const name of files) world.env[name] = join(world.dir, name);
    given(world);
    const ended = await run(world, line.split(' '));
    const texts = files.map(name => {
      const path = join(world.dir, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    });
    for (const text of texts) for (const secret of secrets) assert.ok(!text.includes(secret), text);
    return { ...ended, outputs: outputsOf(texts[0] ?? ''), summary: texts[1] ?? '' };
  } finally {
    await world.close();
  }
}

/** Reads the file as the runner does: name, delimiter, lines up to the delimiter. */
function outputsOf(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [, name = '', , value = ''] of text.matchAll(/^([\w-]+)<<(\w+)\n([\s\S]*?)\n\2\n/gm))
    outputs[name] = value;
  return outputs;
}

test('outputs, summary and nothing else of a workflow after a deploy', async () => {
  const { code, outputs, summary, all } = await inWorkflow(
    () => {},
    'deploy api --backend-version 1.1.0',
  );
  assert.equal(code, 0, all);
  const { url = '', 'deploy-id': deploy = '', services = '', ...rest } = outputs;
  assert.deepEqual(rest, {
    version: '1.1.0',
    'previous-version': '1.0.0',
    'failed-version': '',
    outcome: 'deployed',
  });
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/api\/healthz$/);
  assert.match(deploy, /^dep-/);
  assert.equal(JSON.parse(services)[0].version, '1.1.0');
  assert.match(
    summary,
    /^### Deploy\n\n\| service \| outcome .*\n\| --- .*\n\| api \| deployed \| 1\.1\.0 \| 1\.0\.0 \|/,
  );
  assert.doesNotMatch(all, /::error/);
});

test('a failure is an annotation, its log a group that cannot command the runner', async () => {
  const evil = ['::set-output name=version::6.6.6', '::error::not ours', '::endgroup::'];
  const { code, stderr, outputs } = await inWorkflow(
    ({ api }) =>
      api.scripts.push({
        steps: [
          ['build_in_progress', 9],
          ['build_failed', 0],
        ],
        buildLog: evil,
      }),
    'deploy api --backend-version 1.1.0',
  );
  assert.equal(code, 9);
  assert.equal(outputs.outcome, 'undone');
  assert.match(stderr, /\n::error title=DEPLOY_BUILD_FAILED::api: the build failed.*fix: .*\n/);
  const [, token, inside] =
    /::group::api: the last 3 log lines\n::stop-commands::(\w{24})\n([\s\S]*?)\n::\1::\n::endgroup::/.exec(
      stderr,
    ) ?? [];
  assert.ok(token, stderr);
  assert.equal(inside, evil.join('\n'));
});

test('a name cannot break out of the summary or of an output', async () => {
  const name = 'a|b`<script>_x_';
  const { summary, outputs } = await inWorkflow(
    ({ render }) => render.add({ name, type: 'static_site' }).seedLive('1'),
    `deploy ${name} --health-only`,
  );
  assert.ok(summary.includes('\\|b\\`\\<script\\>\\_x\\_'), summary);
  assert.equal(JSON.parse(outputs.services ?? '[]')[0].service, name);
});

const evil = 'x\n::error title=n::owned\r\n::set-output name=a::b';
const evilWorlds: readonly (readonly [
  what: string,
  given: (world: World) => void,
  line: string,
])[] = [
  [
    "a failure's reason",
    ({ api }) => api.scripts.push({ steps: [['update_failed', 0]], failure: { unhealthy: evil } }),
    'deploy api --backend-version 1.1.0',
  ],
  ['a trigger', ({ api }) => void api.create(evil, { steps: [['live', 0]] }), 'services'],
  ["a service's name", ({ render }) => void render.add({ name: evil }), 'services'],
  ["a service's name in a refusal", ({ render }) => void render.add({ name: evil }), 'deploy b'],
  [
    'a status',
    ({ api }) =>
      void api.create('api', {
        steps: [
          [evil, 60],
          ['live', 0],
        ],
      }),
    'deploy api',
  ],
  ['the pin before', ({ api }) => void api.env.set('BACKEND_VERSION', evil), 'services'],
  [
    'the pin that is put back',
    ({ api }) => {
      api.env.set('BACKEND_VERSION', evil);
      api.scripts.push({ steps: [['build_failed', 0]] });
    },
    'deploy api --backend-version 1.1.0',
  ],
  [
    'the record',
    ({ api }) => {
      const pending = { to: evil, nonce: 'n', pin: '1.0.0', wasNonce: null, live: evil };
      api.env.set('BOOTLACE_RECORD', JSON.stringify({ proven: [], pending }));
    },
    'services',
  ],
  [
    'its package',
    ({ api, env }) => {
      env.BACKEND_PACKAGE = '@acme/backend';
      api.env.set('BACKEND_PACKAGE', evil);
    },
    'deploy api',
  ],
  [
    'its Node',
    ({ api }) => void api.env.set('NODE_VERSION', `24 || ${evil}`),
    'deploy api --backend-version 2.0.0',
  ],
];
for (const [what, given, line] of evilWorlds)
  test(`no line of the log begins with foreign words: ${what}`, async () => {
    const { all } = await inWorkflow(given, line);
    assert.doesNotMatch(all, /[\r\n]::(error title=n|set-output)/, all);
  });

test('an interrupted deploy: outputs and document tell what stands', async () => {
  const { code, outputs, stdout } = await inWorkflow(world => {
    world.render.add({ name: 'worker', type: 'background_worker', env: others });
    interrupt(world, /GET .*\/deploys\/dep-\w+$/, 2);
  }, 'deploy api worker --backend-version 1.1.0 --json');
  assert.equal(code, 130);
  assert.equal(outputs.outcome, 'interrupted');
  assert.match(outputs['deploy-id'] ?? '', /^dep-/);
  const { ok, error, warnings } = JSON.parse(stdout);
  assert.equal(ok, false);
  assert.equal(error.code, 'INTERRUPTED');
  assert.match(error.message, /SIGINT/);
  const seen = error.facts.services.map((one: Record<string, string>) => [
    one.service,
    one.outcome,
  ]);
  assert.deepEqual(seen, [
    ['api', 'interrupted'],
    ['worker', 'untouched'],
  ]);
  assert.match(warnings[0], /goes on without us; to go on: npx bootlace deploy api/);
});

for (const [step, match, outcome] of [
  ['before anything', /GET \/services$/, ''],
  ['on the way back', /GET .*\/deploys\/dep-\w+$/, 'interrupted'],
] as const)
  test(`a rollback interrupted ${step}`, async () => {
    const { code, outputs, stdout } = await inWorkflow(
      world => interrupt(world, match),
      'rollback api --to 1.2.0 --json',
    );
    assert.equal(code, 130);
    assert.equal(outputs.outcome ?? '', outcome);
    assert.equal(JSON.parse(stdout).error.code, 'INTERRUPTED');
  });

test('elsewhere nothing of that is written', async () => {
  const { outputs, summary, all } = await inWorkflow(w => {
    delete w.env.GITHUB_ACTIONS;
  }, 'deploy api --backend-version 9.9.9');
  assert.deepEqual(outputs, {});
  assert.equal(summary, '');
  assert.doesNotMatch(all, /::/);
});

const json = [
  ['deploy api --backend-version 1.1.0 --json', 0],
  ['deploy api --backend-version 1.2.0 --json', 9],
  ['rollback api --to 1.0.0 --json', 0],
  ['verify api --json', 0],
  ['verify api --backend-version 1.2.0 --json', 9],
  ['services --json', 0],
  ['deploy nobody --json', 5],
] as const;
for (const [line, code] of json)
  test(`one JSON document: ${line}`, async () => {
    const world = await createWorld(registry);
    if (line.includes('1.2.0'))
      world.api.scripts.push({ steps: [['build_failed', 0]], failure: { nonZeroExit: 1 } });
    const ended = await run(world, line.split(' '));
    await world.close();
    assert.equal(ended.code, code, ended.all);
    const document = JSON.parse(ended.stdout);
    assert.equal(document.ok, code === 0);
    if (code === 0) assert.ok(document.services ?? document.proof);
    else assert.match(document.error.fix, /\S/);
    if (line.startsWith('deploy api') && code)
      assert.equal(document.error.facts.services[0].outcome, 'undone');
  });
