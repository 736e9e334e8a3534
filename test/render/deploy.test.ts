import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FakeRegistry } from '../support/fake-registry';
import { documentPath } from '../support/openapi';
import {
  faults,
  identity,
  interruptions,
  proofs,
  refusals,
  type Scenario,
  statuses,
} from './scenarios';
import { busiestMinute, createWorld, others, run, startRegistry } from './world';

let registry: FakeRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.close());

const tables = { statuses, refusals, identity, proofs, faults, interruptions };
for (const [table, scenarios] of Object.entries(tables))
  for (const scenario of scenarios)
    for (const overlap of ['wait', 'override'] as const)
      test(`${table}: ${scenario.name} (${overlap})`, () =>
        play({ ...scenario, ...scenario[overlap] }, overlap));

async function play(scenario: Scenario, overlap: 'wait' | 'override'): Promise<void> {
  const world = await createWorld(registry, overlap);
  const { api, render } = world;
  const own = () => api.env.get('BOOTLACE_RECORD');
  try {
    scenario.given?.(world);
    const ownBefore = own();
    const othersBefore = Object.fromEntries(
      [...Object.keys(others), 'NODE_VERSION'].map(key => [key, api.env.get(key)]),
    );
    const argv = scenario.argv ?? 'deploy api --backend-version 1.1.0';
    let last = await run(world, argv.split(' '));
    const all = [last.all];
    if (scenario.first) assert.match(last.all, scenario.first);
    if (scenario.again) {
      last = await run(world, scenario.again.split(' '));
      all.push(last.all);
    }
    const story = all.join('\n--- then\n');
    // What is still on its way comes to its end before anything is compared.
    if (last.code !== 130) {
      await world.clock.sleep(12 * 3_600_000);
      api.advance();
    }
    assert.equal(last.code, scenario.exit, story);
    assert.match(last.all, scenario.says, story);
    assert.equal(api.env.get('BACKEND_VERSION'), scenario.pin, story);
    assert.equal(
      api.live?.version,
      (last.code !== 130 && scenario.settled) || scenario.live,
      story,
    );
    for (const [key, value] of Object.entries(othersBefore))
      assert.equal(api.env.get(key), value, key);
    const known = new Set([...Object.keys(othersBefore), 'BACKEND_VERSION']);
    for (const key of api.env.keys()) assert.ok(known.has(key) || key === 'BOOTLACE_RECORD', key);
    if (scenario.same) assert.deepEqual(own(), ownBefore, story);
    if (last.code === 0 && !scenario.isUnwritten)
      assert.ok(!api.env.get('BOOTLACE_RECORD')?.includes('pending'), story);
    assert.doesNotMatch(story, /\n +at .*:\d+:\d+|this is a bug/);
    if (last.code !== 0 && last.code !== 130) assert.match(last.all, /\n {2}fix: \S/);
    assert.ok(
      busiestMinute(render, 'POST') <= 10,
      `${busiestMinute(render, 'POST')} POSTs a minute`,
    );
    assert.ok(busiestMinute(render, 'GET') <= 60, `${busiestMinute(render, 'GET')} GETs a minute`);
    // The two whose answers no document knows.
    if (!/redirects|nobody knows/.test(scenario.name))
      assert.deepEqual(render.options.contract?.problems ?? [], []);
    scenario.check?.(world, last);
  } finally {
    await world.close();
  }
}

test('every request and answer was checked against the OpenAPI document', async t => {
  const world = await createWorld(registry);
  const { contract } = world.render.options;
  await world.close();
  if (!contract) return t.skip(`${documentPath} is not there`);
  contract.check({
    method: 'PATCH',
    path: '/services/srv-1/env-vars',
    query: new URLSearchParams(),
    body: [],
    status: 200,
    answer: [],
  });
  assert.deepEqual(contract.problems, ['PATCH /services/srv-1/env-vars: not in the document']);
});
