import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AnswerParser, type HttpAnswer } from './answer-parser';
import { HttpSyntaxError } from './syntax-error';

const MAX = 1_000;
const bytesOf = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'));

/** The pieces one after the other, each overwritten once it was given, as by the next read. */
function parse(pieces: readonly Buffer[], max = MAX): { answer: HttpAnswer | null; parser: AnswerParser } {
  const parser = new AnswerParser(max);
  let answer: HttpAnswer | null = null;
  for (const piece of pieces) {
    const given = Buffer.from(piece);
    answer = parser.take(given);
    given.fill('#');
  }
  return { answer, parser };
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % bytes.length))].filter((cut) => cut > 0).sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

const SIZED = bytesOf(
  'HTTP/1.1 409 Conflict',
  'Content-Type: application/json',
  'X-Consul-Index:  4711 ',
  'Content-Length: 10',
  '',
  '"é€🐘',
);
const CHUNKED = bytesOf(
  'HTTP/1.1 200 OK',
  'Transfer-Encoding: Chunked',
  '',
  '5;ext=1',
  '"Grü',
  'A',
  '\r\n0\r\n\r\n"x"',
  '0',
  'Trailer: of no use',
  '',
  '',
);
const EMPTY = bytesOf('HTTP/1.1 204 No Content', 'Content-Length: 5', '', '');
const AFTER_HINTS = bytesOf('HTTP/1.1 103 Early Hints', 'Link: x', '', 'HTTP/1.1 200', 'Content-Length: 2', '', 'ok');

describe('an answer', () => {
  it('has a status, headers by their names in small letters, and a body', () => {
    const { answer, parser } = parse([SIZED]);
    expect(answer).toMatchObject({ status: 409, body: '"é€🐘' });
    expect(answer?.header('x-consul-index')).toBe('4711');
    expect(answer?.header('content-type')).toBe('application/json');
    expect(answer?.header('index')).toBeUndefined();
    expect(parser.keepsConnection).toBe(true);
  });

  it.each([
    ['of a length that is said', SIZED, '"é€🐘'],
    ['in chunks that look like the end of one', CHUNKED, '"Grü\r\n0\r\n\r\n"x"'],
    ['without a body, whatever length is said', EMPTY, ''],
    ['after something that was said before it', AFTER_HINTS, 'ok'],
  ])('%s is the same however it is cut', (_, bytes, body) => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const pieces = cutAt(bytes, cuts);
        const early = parse(pieces.slice(0, -1)).answer;
        expect(early).toBeNull();
        expect(parse(pieces).answer?.body).toBe(body);
      }),
    );
  });

  it('is the same byte by byte', () => {
    const bytes = [...CHUNKED].map((byte) => Buffer.from([byte]));
    expect(parse(bytes).answer?.body).toBe('"Grü\r\n0\r\n\r\n"x"');
  });

  it('that says no length ends with its connection, which carries no other', () => {
    const { answer, parser } = parse([bytesOf('HTTP/1.1 200 OK', '', 'all '), Buffer.from('of it')]);
    expect(answer).toBeNull();
    expect(parser.keepsConnection).toBe(false);
    expect(parser.end()?.body).toBe('all of it');
  });

  it.each([
    ['a head', bytesOf('HTTP/1.1 200 OK', 'Content-Le')],
    ['a body', SIZED.subarray(0, -1)],
    ['the last chunk', CHUNKED.subarray(0, -2)],
    ['everything', Buffer.from('')],
  ])('is none where %s is missing when the connection ends', (_, bytes) => {
    const { answer, parser } = parse([bytes]);
    expect(answer).toBeNull();
    expect(parser.end()).toBeNull();
  });

  it.each([
    ['HTTP/1.1 200 OK\r\nConnection: close', false],
    ['HTTP/1.1 200 OK\r\nConnection: Keep-Alive', true],
    ['HTTP/1.0 200 OK', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive', true],
  ])('%j: the connection stays: %s', (head, stays) => {
    expect(parse([bytesOf(head, 'Content-Length: 0', '', '')]).parser.keepsConnection).toBe(stays);
  });
});

describe('what is no answer is refused', () => {
  const head = 'HTTP/1.1 200 OK';
  it.each([
    ['another protocol', [bytesOf('SSH-2.0-OpenSSH', '', '')], 'not the beginning of an answer'],
    ['a protocol that nobody asked for', [bytesOf('HTTP/1.1 101 Switching', '', '')], '101'],
    ['a length that is none', [bytesOf(head, 'Content-Length: -1', '', '')], 'Content-Length: "-1"'],
    ['two lengths', [bytesOf(head, 'Content-Length: 1', 'Content-Length: 2', '', '')], 'Content-Length'],
    ['an unknown coding', [bytesOf(head, 'Transfer-Encoding: gzip, chunked', '', '')], 'Transfer-Encoding: gzip'],
    [
      'a chunk without a size',
      [bytesOf(head, 'Transfer-Encoding: chunked', '', 'x', '')],
      'not the size of a chunk: "x"',
    ],
    [
      'a chunk longer than it said',
      [bytesOf(head, 'Transfer-Encoding: chunked', '', '1', 'ab', '')],
      'longer than it said',
    ],
    ['more than the answer', [bytesOf(head, 'Content-Length: 1', '', 'ab')], '1 bytes beyond the end'],
    ['a head without an end', [bytesOf(head, 'X: '), Buffer.alloc(70_000, 'x')], 'without an end'],
    ['a long body that says so', [bytesOf(head, 'Content-Length: 1001', '', '')], 'a body of more than 1000 bytes'],
    ['a long body that does not', [bytesOf(head, '', ''), Buffer.alloc(1_001)], 'a body of more than 1000 bytes'],
  ])('%s', (_, pieces, why) => {
    expect(() => parse(pieces)).toThrow(HttpSyntaxError);
    expect(() => parse(pieces)).toThrow(why);
  });
});
