import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { launchable, wholeFile } from '../support/launched';
import { availableNodes } from '../support/nodes';
import { runNode } from '../support/run';

/** Counts what process.nextTick made and is still alive, in a heap that has nothing to do. */
const backend = `
const { getHeapSnapshot } = require('node:v8');
setTimeout(() => {
  let text = '';
  getHeapSnapshot().on('data', part => (text += part)).on('end', () => {
    const { snapshot: { meta }, nodes, edges, strings } = JSON.parse(text);
    const edgeCount = meta.node_fields.indexOf('edge_count');
    const name = meta.edge_fields.indexOf('name_or_index');
    let edge = 0;
    let alive = 0;
    for (let node = 0; node < nodes.length; node += meta.node_fields.length) {
      const names = new Set();
      for (let i = 0; i < nodes[node + edgeCount]; i++, edge += meta.edge_fields.length)
        names.add(strings[edges[edge + name]]);
      if (names.has('callback') && names.has('args')) alive++;
    }
    console.log(alive);
  });
}, 2500);
`;

suite('with a budget one of the objects of nextTick lives on', { concurrency: 2 }, () => {
  const launched = launchable(wholeFile, { 'dist/main.js': backend });
  for (const { major, file } of availableNodes())
    for (const [memory, alive] of [
      ['512', 1],
      ['off', 0],
    ] as const)
      test(`Node ${major}, ${memory}`, async () => {
        const cwd = await launched;
        const { stdout, stderr } = await runNode(join(cwd, 'server.js'), [], {
          cwd,
          node: file,
          env: { BACKEND_MEMORY: memory },
        });
        assert.equal(stdout.trim(), String(alive), stderr);
      });
});
