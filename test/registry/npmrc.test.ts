import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BootlaceError } from '../../src/errors';
import {
  isUnexpanded,
  parseNpmrc,
  renderNpmrc,
  sectionsOf,
  withoutManagedLines,
} from '../../src/registry/config/npmrc';

const lines = [
  '@acme:registry=https://npm.pkg.github.com/',
  '//npm.pkg.github.com/:_authToken=${NPM_TOKEN}',
];

test('a new file holds the managed lines between two markers, the token as a variable', () => {
  const text = renderNpmrc(undefined, lines);
  assert.equal(text.split('\n').length, 5);
  assert.deepEqual(text.split('\n').slice(1, 3), lines);
  assert.deepEqual(Object.keys(parseNpmrc(text, {})), [
    '@acme:registry',
    '//npm.pkg.github.com/:_authToken',
  ]);
});

test('lines, comments, order and line ends of the user stay; twice changes nothing', () => {
  const own = '; mine\r\nsave-exact=true\r\n\r\n# also mine\r\nregistry=https://acme.test/';
  const once = renderNpmrc(own, lines);
  assert.equal(once.startsWith(`${own}\r\n`), true);
  assert.equal(renderNpmrc(once, lines), once);
  assert.equal(/[^\r]\n/.test(once), false);
});

test('the block is replaced where it stands, and taken away with its last line', () => {
  const text = `a=1\n${renderNpmrc(undefined, ['old=1'])}b=2\n`;
  const replaced = renderNpmrc(text, lines);
  assert.deepEqual(
    replaced.split('\n').filter(line => !line.startsWith('#')),
    ['a=1', ...lines, 'b=2', ''],
  );
  assert.equal(renderNpmrc(replaced, []), 'a=1\nb=2\n');
  assert.equal(withoutManagedLines(replaced), 'a=1\nb=2\n');
});

test('whatever the user wrote is kept, byte for byte', () => {
  const own = fc.array(
    fc.constantFrom('a=1', '# note', '', '; x', '@b:registry=https://b.test/', 'c[]=1', '  d = e '),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(own, fc.constantFrom('\n', '\r\n'), fc.boolean(), (parts, eol, ended) => {
      const text = parts.join(eol) + (ended && parts.length ? eol : '');
      const once = renderNpmrc(text, lines);
      assert.equal(renderNpmrc(once, lines), once);
      const left = renderNpmrc(once, []);
      assert.equal(left === text || left === text + eol || left === `${text}\n`, true);
    }),
  );
});

test('lines below a section are none of npm’s, and ours go before it', () => {
  const text = 'a=1\n\n[npm]\nb=2\n';
  assert.deepEqual({ ...parseNpmrc(text, {}) }, { a: '1' });
  assert.deepEqual(sectionsOf(text), ['npm']);
  const once = renderNpmrc(text, lines);
  assert.equal(renderNpmrc(once, lines), once);
  assert.equal(renderNpmrc(once, []), text);
  assert.equal(parseNpmrc(once, {})['@acme:registry'], 'https://npm.pkg.github.com/');
});

test('every line of a list counts, of a key that is none the last', () => {
  const text = 'ca[]="A\\nB"\nca[]="C"\nnoproxy[]=a\nnoproxy[]=b,c\nproxy[]=1\nproxy[]=2\n';
  const keys = { ca: 'A\nB\nC', noproxy: 'a,b,c', proxy: '2' };
  assert.deepEqual({ ...parseNpmrc(text, {}) }, keys);
});

const refused: [name: string, text: string, code: string][] = [
  ['a marker without its end', '# bootlace begin\na=1\n', 'NPMRC_MARKERS'],
  ['an end without its marker', 'a=1\n# bootlace end\n', 'NPMRC_MARKERS'],
  ['two blocks', renderNpmrc(undefined, ['a=1']).repeat(2), 'NPMRC_MARKERS'],
  ['markers in the wrong order', '# bootlace end\n# bootlace begin\n', 'NPMRC_MARKERS'],
  ['a binary file', 'a\0b', 'NPMRC_INVALID'],
  ['a bare token', '_authToken=abc\n', 'NPMRC_BARE_AUTH'],
  ['a bare password', '_password=abc\n', 'NPMRC_BARE_AUTH'],
];
for (const [name, text, code] of refused)
  test(`.npmrc refused: ${name}`, () =>
    assert.throws(
      () => {
        parseNpmrc(text, {});
        renderNpmrc(text, lines);
      },
      (error: unknown) =>
        error instanceof BootlaceError &&
        error.code === code &&
        error.exitCode === 3 &&
        !error.message.includes('abc'),
    ));

const expansions: [text: string, value: string][] = [
  ['a=${SET}', 'value'],
  ['a=x${SET}y', 'xvaluey'],
  ['a=${UNSET}', '${UNSET}'],
  ['a=${UNSET?}', ''],
  ['a=\\${SET}', '${SET}'],
];
for (const [text, value] of expansions)
  test(`expansion of ${text}`, () => assert.equal(parseNpmrc(text, { SET: 'value' }).a, value));

test('an unset variable is seen', () => {
  assert.equal(isUnexpanded('${NPM_TOKEN}'), true);
  assert.equal(isUnexpanded('abc'), false);
});
