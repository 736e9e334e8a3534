import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { FakeRegistry } from '../support/fake-registry';
import { bootlace, temporaryFolder } from '../support/run';

test('behind a proxy everything goes through it, except what NO_PROXY names', async t => {
  const token = 'a-token-for-the-proxy';
  const registry = await FakeRegistry.start({ tokens: { [token]: {} } });
  t.after(() => registry.close());
  registry.publish({ name: '@acme/backend', version: '1.0.0', main: 'main.js' }, { 'main.js': '' });
  const seen: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    seen.push(incoming.url ?? '');
    const forward = request(
      incoming.url ?? '',
      { method: incoming.method, headers: incoming.headers },
      answer => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forward.on('error', () => outgoing.destroy());
    incoming.pipe(forward);
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const env = {
    BACKEND_PACKAGE: '@acme/backend',
    BACKEND_REGISTRY: registry.url,
    NPM_TOKEN: token,
    npm_config_registry: registry.url,
    HTTP_PROXY: address,
    HTTPS_PROXY: address,
    NO_PROXY: '',
    // Libraries of the agent would print requests.
    DEBUG: '*',
  };

  const through = await bootlace(['setup'], { cwd: temporaryFolder(t), env });
  assert.equal(through.code, 0, through.stderr);
  assert.doesNotMatch(through.stderr, /proxy-agent/);
  assert(seen.length >= registry.requests.length, `${seen.length} of ${registry.requests.length}`);
  assert(seen.some(url => url.includes('/download/')));

  const before = seen.length;
  const beside = await bootlace(['setup'], {
    cwd: temporaryFolder(t),
    env: { ...env, NO_PROXY: '127.0.0.1,localhost' },
  });
  assert.equal(beside.code, 0, beside.stderr);
  assert.equal(seen.length, before);
});
