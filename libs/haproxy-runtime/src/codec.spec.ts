import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { COMMAND_BYTES_MAX, ReplyReader, encode } from './codec';
import { action } from './command';

const readAll = (pieces: readonly Uint8Array[]): string[] => {
  const reader = new ReplyReader();
  return pieces.flatMap((piece) => reader.feed(piece));
};

/** Texts that look like prompts in part, lack final newlines, or hold characters of several bytes. */
const replyText = fc
  .array(fc.constantFrom('\n', '>', ' ', '> ', 'Server deleted.', '[3]: No such server.\n', 'ü', '€', '😀', '+ '), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''))
  .filter((text) => !`${text}\n> `.slice(0, -1).includes('\n> '));

const wireBytes = (texts: readonly string[]): Buffer => Buffer.from(texts.map((text) => `${text}\n> `).join(''));

const cutAt = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set(places)].sort((a, b) => a - b).filter((place) => place < bytes.length);
  return [0, ...ends].map((start, index) => bytes.subarray(start, [...ends, bytes.length][index]));
};

describe('reading replies', () => {
  it('gives the same replies wherever the bytes are cut', () => {
    const cutWire = fc
      .array(replyText, { maxLength: 6 })
      .chain((texts) =>
        fc.tuple(fc.constant(texts), fc.array(fc.nat({ max: Math.max(0, wireBytes(texts).length - 1) }))),
      );
    fc.assert(
      fc.property(cutWire, ([texts, places]) => {
        expect(readAll(cutAt(wireBytes(texts), places))).toEqual(texts);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same replies when each byte comes alone', () => {
    fc.assert(
      fc.property(fc.array(replyText, { maxLength: 6 }), (texts) => {
        expect(readAll([...wireBytes(texts)].map((byte) => Uint8Array.of(byte)))).toEqual(texts);
      }),
    );
  });

  it('gives a reply no sooner than its last byte', () => {
    const reader = new ReplyReader();
    expect(reader.feed(Buffer.from('[6]: Server deleted.\n>'))).toEqual([]);
    expect(reader.feed(Buffer.from(' '))).toEqual(['[6]: Server deleted.']);
  });

  it('keeps bytes that the sender of a piece overwrites afterwards', () => {
    const reader = new ReplyReader();
    for (const text of ['one\n> tw', 'o']) {
      const piece = Buffer.from(text);
      reader.feed(piece);
      piece.fill(0);
    }
    expect(reader.feed(Buffer.from('\n> '))).toEqual(['two']);
  });

  it('reads a reply of many pieces in time that grows with its size only', () => {
    const piece = Buffer.alloc(64, 'x');
    const reader = new ReplyReader();
    for (let count = 0; count < 20_000; count++) expect(reader.feed(piece)).toHaveLength(0);
    expect(reader.feed(Buffer.from('\n> '))[0]).toHaveLength(64 * 20_000);
  });
});

describe('encoding a batch', () => {
  it('switches to interactive mode and numbered severities first, and quits last', () => {
    expect(encode([action('show info'), action('show backend')]).toString()).toBe(
      'prompt\nset severity-output number\nshow info\nshow backend\nquit\n',
    );
  });

  it.each(['a;b', 'a\nb', 'a\rb', 'a\tb', 'a\0b', 'a <<', '', '  ', 'add map m k\\'])(
    'refuses the line %j and names it',
    (line) => {
      expect(() => encode([action('show info'), action(line)])).toThrow(JSON.stringify(line));
    },
  );

  it('lets an escaped backslash end a line', () => {
    expect(encode([action('add map m k\\\\')]).toString()).toContain('add map m k\\\\\n');
  });

  it('refuses a line that HAProxy’s buffer cannot hold', () => {
    expect(() => encode([action('x'.repeat(COMMAND_BYTES_MAX))])).not.toThrow();
    expect(() => encode([action('ü'.repeat(COMMAND_BYTES_MAX / 2 + 1))])).toThrow('16002 bytes');
  });
});
