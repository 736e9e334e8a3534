import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerReader } from '../../src/registry/http-answer';
import { random } from '../support/fuzz-tar';

interface Seen {
  status?: number;
  headers?: Record<string, string | undefined>;
  body: string;
  isWhole: boolean;
  isReusable: boolean;
  failure?: string;
}

/** Reads an answer that comes in pieces, the connection closed after them. */
function read(pieces: readonly Buffer[]): Seen {
  const seen: Seen = { body: '', isWhole: false, isReusable: false };
  const reader = new AnswerReader({
    head(status, headers) {
      assert.equal(seen.status, undefined, 'two heads');
      Object.assign(seen, { status, headers: { ...headers } });
    },
    data(piece) {
      assert.ok(seen.status !== undefined && !seen.isWhole, 'a body at the wrong time');
      seen.body += piece.toString('latin1');
    },
    end() {
      assert.equal(seen.isWhole, false, 'two ends');
      seen.isWhole = true;
    },
  });
  try {
    for (const piece of pieces) {
      const passing = Buffer.from(piece);
      reader.write(passing);
      passing.fill('!');
    }
    seen.isReusable = reader.isReusable;
    reader.close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    assert.match(String(code), /^(HPE_|ECONNRESET)/);
    seen.failure = String(code);
  }
  return seen;
}

function split(text: string, size: number): Buffer[] {
  const all = Buffer.from(text, 'latin1');
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
  return pieces;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const answers: [name: string, text: string, expected: Partial<Seen>][] = [
  ['a length', `${ok}Content-Length: 3\r\n\r\nabc`, { status: 200, body: 'abc', isReusable: true }],
  ['no reason', 'HTTP/1.1 404\r\ncontent-length:0\r\n\r\n', { status: 404, isReusable: true }],
  ['nothing', `${ok}Content-Length: 0\r\n\r\n`, { body: '', isWhole: true, isReusable: true }],
  ['status 204', 'HTTP/1.1 204 No\r\n\r\n', { status: 204, isWhole: true, isReusable: true }],
  [
    'connection close',
    `${ok}Connection: close\r\nContent-Length: 1\r\n\r\na`,
    { body: 'a', isReusable: false },
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', { body: 'a', isReusable: false }],
  [
    'HTTP/1.0 that is kept',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na',
    { body: 'a', isReusable: true },
  ],
  ['until the end', `${ok}\r\nabc`, { body: 'abc', isWhole: true, isReusable: false }],
  [
    'chunks',
    `${chunked}3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n`,
    { body: 'abc0123456789', isReusable: true },
  ],
  [
    'chunks and a trailer',
    `${chunked}1\r\na\r\n0\r\nx: y\r\nz: 1\r\n\r\n`,
    { body: 'a', isReusable: true },
  ],
  [
    'an early hint before',
    `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok}Content-Length: 1\r\n\r\na`,
    { status: 200, body: 'a' },
  ],
  [
    'one length twice',
    `${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
    { body: 'a', isReusable: true },
  ],
  [
    'the first of two',
    `${ok}Location: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n`,
    { headers: { location: '/a', 'content-length': '0' } },
  ],
  ['a name like a prototype', `${ok}__proto__: x\r\nContent-Length: 0\r\n\r\n`, { isWhole: true }],
  [
    'values of blanks alone, and with one that is none',
    `${ok}X: \t \r\nY: \xa0a\xa0\r\nContent-Length: 0\r\n\r\n`,
    { headers: { x: '', y: '\xa0a\xa0', 'content-length': '0' } },
  ],
  [
    'blanks around a value',
    `${ok}X:  \t a b \t\r\nContent-Length: 0\r\n\r\n`,
    { headers: { x: 'a b', 'content-length': '0' } },
  ],
  [
    'more than it says',
    `${ok}Content-Length: 1\r\n\r\nabc`,
    { body: 'a', isWhole: true, isReusable: false },
  ],
  [
    'two at once',
    `${ok}Content-Length: 1\r\n\r\na${ok}Content-Length: 1\r\n\r\nb`,
    { body: 'a', isReusable: false },
  ],
  [
    'cut off',
    `${ok}Content-Length: 4\r\n\r\nabc`,
    { body: 'abc', isWhole: false, failure: 'ECONNRESET' },
  ],
  ['cut off in a head', 'HTTP/1.1 200 OK\r\nContent-Le', { failure: 'ECONNRESET' }],
  ['cut off in chunks', `${chunked}3\r\nab`, { failure: 'ECONNRESET' }],
  ['chunks without an end', `${chunked}3\r\nabc\r\n`, { isWhole: false, failure: 'ECONNRESET' }],
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n\r\n', { failure: 'HPE_INVALID_CONSTANT' }],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', { failure: 'HPE_INVALID_CONSTANT' }],
  ['another protocol', 'HTTP/1.1 101 Switching\r\n\r\n', { failure: 'HPE_INVALID_STATUS' }],
  [
    'a length that is none',
    `${ok}Content-Length: -1\r\n\r\n`,
    { failure: 'HPE_INVALID_CONTENT_LENGTH' },
  ],
  [
    'two lengths',
    `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    { failure: 'HPE_UNEXPECTED_CONTENT_LENGTH' },
  ],
  [
    'a length and chunks',
    `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na`,
    { failure: 'HPE_UNEXPECTED_CONTENT_LENGTH' },
  ],
  [
    'chunks twice',
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    { failure: 'HPE_UNEXPECTED_CONTENT_LENGTH' },
  ],
  [
    'another encoding',
    `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    { failure: 'HPE_INVALID_TRANSFER_ENCODING' },
  ],
  ['a chunk without a size', `${chunked}\r\n`, { failure: 'HPE_INVALID_CHUNK_SIZE' }],
  ['a chunk of a signed size', `${chunked}+3\r\nabc`, { failure: 'HPE_INVALID_CHUNK_SIZE' }],
  ['a chunk that is too long', `${chunked}1\r\nabc\r\n0\r\n\r\n`, { failure: 'HPE_STRICT' }],
  ['a folded header', `${ok}X: a\r\n b\r\n\r\n`, { failure: 'HPE_INVALID_HEADER_TOKEN' }],
  [
    'a blank before the colon',
    `${ok}Content-Length : 1\r\n\r\na`,
    { failure: 'HPE_INVALID_HEADER_TOKEN' },
  ],
  [
    'a line that ends in LF alone',
    `${ok}X: a\nContent-Length: 1\r\n\r\na`,
    { failure: 'HPE_INVALID_HEADER_TOKEN' },
  ],
  ['a head without end', `${ok}X: ${'a'.repeat(70_000)}`, { failure: 'HPE_HEADER_OVERFLOW' }],
  [
    'a trailer without end',
    `${chunked}0\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(70)}`,
    { failure: 'HPE_HEADER_OVERFLOW' },
  ],
  ['a chunk size without end', `${chunked}${'0'.repeat(5000)}`, { failure: 'HPE_HEADER_OVERFLOW' }],
];

for (const [name, text, expected] of answers)
  test(`an answer with ${name}, in pieces of every size`, () => {
    for (const size of [text.length, 1, 2, 3, 7, 16, 1000].filter(
      size => text.length / size < 2000,
    )) {
      const seen = read(split(text, size));
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(seen[key as keyof Seen], value, `${key}, in pieces of ${size}`);
      if (!expected.failure) assert.equal(seen.failure, undefined, `in pieces of ${size}`);
    }
  });

test('whatever comes, an answer ends or fails, and the same in one piece and in many', () => {
  const next = random(7);
  const seeds = answers.map(([, text]) => text).filter(text => text.length < 300);
  let whole = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(seeds[next(seeds.length)] as string, 'latin1');
    for (let changes = next(4); changes > 0; changes--)
      bytes[next(bytes.length)] = next(3) ? next(256) : 13;
    const text = bytes.toString('latin1');
    const { isReusable, ...atOnce } = read([bytes]);
    const { isReusable: _, ...inPieces } = read(split(text, 1 + next(9)));
    assert.deepEqual(inPieces, atOnce, JSON.stringify(text));
    if (atOnce.isWhole) whole++;
  }
  assert.ok(whole > 2000 && whole < 18_000, `${whole} whole answers`);
});
