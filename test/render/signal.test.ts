import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fastClock } from '../support/clock';
import { FakeRender } from '../support/fake-render';
import { bootlace, temporaryFolder } from '../support/run';
import { apiKey, others, secrets, seedProven, startRegistry, token } from './world';

// The whole program as a process; scenarios.ts has Ctrl-C at every step.

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} during a deploy ends the program with ${code} and says how to go on`, async t => {
    const registry = await startRegistry();
    t.after(() => registry.close());
    const render = await FakeRender.start({ clock: fastClock(1), key: apiKey });
    t.after(() => render.close());
    const api = render.add({ name: 'api', env: { ...others, BACKEND_VERSION: '1.0.0' } });
    seedProven(api, '1.0.0');
    api.scripts.push({
      steps: [
        ['build_in_progress', 9000],
        ['live', 0],
      ],
    });
    const ended = await bootlace(['deploy', 'api', '--backend-version', '1.1.0'], {
      cwd: temporaryFolder(t),
      env: {
        RENDER_API_KEY: apiKey,
        RENDER_HOST: render.url,
        NPM_TOKEN: token,
        BACKEND_REGISTRY: registry.url,
      },
      onSpawn: child =>
        child.stderr?.on('data', (text: string) => {
          if (text.includes('building')) child.kill(signal);
        }),
    });
    assert.equal(ended.code, code, ended.stderr);
    assert.equal(ended.stdout, '');
    assert.match(
      ended.stderr,
      /BACKEND_VERSION is 1\.1\.0 \(it was 1\.0\.0\), dep-\w+ goes on without us; to go on: npx bootlace deploy api --backend-version 1\.1\.0; to go back: npx bootlace rollback api\n$/,
    );
    for (const secret of secrets) assert.ok(!ended.stderr.includes(secret));
    assert.equal(api.env.get('BACKEND_VERSION'), '1.1.0');
    assert.equal(api.running?.status, 'build_in_progress');
  });
