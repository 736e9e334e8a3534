import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fetchText } from '../../src/render/api/fetch-text';

/** A server that answers as it is told; what only a collection of garbage shows is shown. */
async function start(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  setFlagsFromString('--expose-gc');
  const collector = setInterval(runInNewContext('gc') as () => void, 5);
  const server = createServer((_, response) => answer(response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    clearInterval(collector);
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const drip = (response: ServerResponse) => {
  const timer = setInterval(() => response.write('y'), 5);
  response.on('close', () => clearInterval(timer));
};

for (const [name, answer] of [
  ['never answers', () => {}],
  ['drips', drip],
] as const) {
  test(`the time ends what ${name}`, { timeout: 10_000 }, async t => {
    const url = await start(t, answer);
    await assert.rejects(fetchText(url, {}, new AbortController().signal, 100), {
      message: 'timed out',
    });
  });

  test(`the user ends what ${name}`, { timeout: 10_000 }, async t => {
    const url = await start(t, answer);
    const user = new AbortController();
    setTimeout(() => user.abort(new Error('stopped')), 50);
    await assert.rejects(fetchText(url, {}, user.signal, 60_000), { message: 'stopped' });
  });
}

test('what comes in time comes through, and nothing of it stays', async t => {
  const url = await start(t, response => response.end('well'));
  const user = new AbortController();
  assert.equal((await fetchText(url, {}, user.signal, 60_000)).text, 'well');
  user.abort(new Error('later'));
  await assert.rejects(fetchText(url, {}, user.signal, 60_000), { message: 'later' });
});

test('a failure quotes no header', async () => {
  const headers = { authorization: 'Bearer a\nsecret' };
  const asked = fetchText('http://127.0.0.1:1/', { headers }, new AbortController().signal, 1000);
  await assert.rejects(asked, { message: 'connection failed' });
});
