import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FakeRegistry } from '../support/fake-registry';
import { type Case, fixes, hooks, keys, looks, rollbacks, several, types } from './cases';
import { faults } from './faults';
import { moreCommands } from './more-commands';
import { busiestMinute, createWorld, run, startRegistry } from './world';

let registry: FakeRegistry;
before(async () => {
  registry = await startRegistry();
});
after(() => registry.close());

const tables = { types, several, fixes, rollbacks, looks, hooks, keys, moreCommands };
for (const [table, cases] of Object.entries(tables))
  for (const one of cases) test(`${table}: ${one.name}`, () => play(one, 'override'));
for (const one of faults)
  for (const overlap of ['wait', 'override'] as const)
    test(`faults: ${one.name} (${overlap})`, () => play(one, overlap));

test('RENDER_HOST of .env does not count: the key goes to Render alone', async t => {
  const world = await createWorld(registry);
  t.after(() => world.close());
  world.writeFile('.env', `RENDER_HOST=${world.render.url}\n`);
  const asked: URL[] = [];
  t.mock.method(globalThis, 'fetch', async (url: string | URL) => {
    asked.push(new URL(url));
    return new Response('{}', { status: 401 });
  });
  delete world.env.RENDER_HOST;
  const { code, all } = await run(world, ['services']);
  assert.equal(code, 4, all);
  assert.deepEqual(new Set(asked.map(({ host }) => host)), new Set(['api.render.com']));
});

async function play(
  { name, given, argv, exit, says, check }: Case,
  overlap: 'wait' | 'override',
): Promise<void> {
  const world = await createWorld(registry, overlap);
  const { render } = world;
  try {
    given?.(world);
    const words = (argv.match(/"[^"]*"|\S+/g) ?? [])
      .map(word => word.replace(/^"|"$/g, ''))
      .map(word => (word.startsWith('$') ? (world.env[word.slice(1)] ?? '') : word));
    const ended = await run(world, words);
    const { code, all } = ended;
    assert.equal(code, exit, all);
    assert.match(all, says, all);
    assert.doesNotMatch(all, /\n +at .*:\d+:\d+|this is a bug/);
    if (code !== 0 && code !== 130) assert.match(all, /\n {2}fix: \S|"fix": "\S/);
    assert.ok(busiestMinute(render, 'POST') <= 10, name);
    if (words[0] !== 'services') assert.ok(busiestMinute(render, 'GET') <= 60, name);
    assert.deepEqual(render.options.contract?.problems ?? [], []);
    await check?.(world, ended);
  } finally {
    await world.close();
  }
}
