import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/secret';
import { Redactor } from '../../src/ui/redact';

const value = 'se/cret+token=1';
const redactor = new Redactor();
redactor.add(new Secret(value));

const texts: [text: string, clean: string][] = [
  [`a ${value} b ${value}`, 'a *** b ***'],
  [encodeURIComponent(value), '***'],
  [Buffer.from(value).toString('base64'), '***'],
  ['https://storage.test/x?sig=abc%2F&se=1', 'https://storage.test/x?sig=***&se=1'],
  ['https://api.render.com/deploy/srv-1?key=abc', 'https://api.render.com/deploy/srv-1?key=***'],
  ['//a.test/:_authToken=abc', '//a.test/:_authToken=***'],
  ['//a.test/:_authToken=${NPM_TOKEN}', '//a.test/:_authToken=${NPM_TOKEN}'],
  ['authorization: Bearer abcdefgh12', 'authorization: Bearer ***'],
  ['https://user:pass@a.test/', 'https://***@a.test/'],
  [`ghp_${'a'.repeat(36)}`, '***'],
  ['plain words stay', 'plain words stay'],
];
for (const [text, clean] of texts)
  test(`redacted: ${clean}`, () => assert.equal(redactor.redact(text), clean));

test('a secret shows in no form of printing', () => {
  const secret = new Secret(value);
  for (const shown of [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret, { showHidden: true, depth: 9 }),
  ])
    assert.equal(shown.includes('cret+'), false);
  assert.equal(secret.reveal(), value);
});
