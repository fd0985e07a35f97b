import fc from 'fast-check';
import {
  MessageReader,
  TERMINATE,
  authenticationOf,
  errorOf,
  queryMessage,
  rowOf,
  saslFirstMessage,
  startupMessage,
} from './probe-messages';

const bytes = (...parts: readonly (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part)));
const ROW = bytes('D', [0, 0, 0, 17], [0, 2], [0, 0, 0, 3], 'abc', [255, 255, 255, 255]);
const READY = bytes('Z', [0, 0, 0, 5], 'I');

describe('messages of a server', () => {
  it('are the same however their bytes are cut, and are overwritten', () => {
    const all = Buffer.concat([ROW, READY, ROW]);
    fc.assert(
      fc.property(fc.array(fc.nat(all.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), all.length];
        const reader = new MessageReader();
        const seen = at.slice(1).flatMap((to, i) => {
          const given = Buffer.from(all.subarray(at[i], to));
          const messages = reader.take(given).map(({ type, body }) => ({ type, body: Buffer.from(body) }));
          given.fill('#');
          return messages;
        });
        expect(seen.map(({ type }) => type).join('')).toBe('DZD');
        expect(rowOf(seen[2]?.body ?? Buffer.alloc(0))).toEqual(['abc', null]);
      }),
    );
  });

  it.each([bytes('D', [0, 0, 0, 3]), bytes('HTTP/1.1')])('are refused where they are none: %j', (given) => {
    expect(() => new MessageReader().take(given)).toThrow('not a message of PostgreSQL');
  });

  it.each([
    ['AuthenticationOk', bytes([0, 0, 0, 0]), { kind: 'ok' }],
    ['a password in the clear', bytes([0, 0, 0, 3]), { kind: 'other' }],
    ['MD5', bytes([0, 0, 0, 5], 'salt'), { kind: 'other' }],
    [
      'SCRAM, with channel binding too',
      bytes([0, 0, 0, 10], 'SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0'),
      { kind: 'scram' },
    ],
    ['SCRAM with channel binding only', bytes([0, 0, 0, 10], 'SCRAM-SHA-256-PLUS\0\0'), { kind: 'other' }],
    ["SCRAM's second", bytes([0, 0, 0, 11], 'r=x'), { kind: 'scram first', text: 'r=x' }],
    ["SCRAM's last", bytes([0, 0, 0, 12], 'v=x'), { kind: 'scram last', text: 'v=x' }],
  ])('ask for, or say, %s', (_, body, expected) => {
    expect(authenticationOf(body)).toEqual(expected);
  });

  it('of an error have text, code and the severity that is never translated', () => {
    const error = errorOf(bytes('SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0'));
    expect(error).toMatchObject({ message: 'the database system is starting up', code: '57P03', severity: 'FATAL' });
    expect(errorOf(bytes('SFATAL\0C57P03\0M\0\0'))).toMatchObject({ severity: 'FATAL' });
  });
});

describe('messages to a server', () => {
  it('say their length', () => {
    expect(queryMessage('SELECT é')).toEqual(bytes('Q', [0, 0, 0, 14], 'SELECT é\0'));
    expect(TERMINATE).toEqual(bytes('X', [0, 0, 0, 4]));
    expect(saslFirstMessage('n,,')).toEqual(bytes('p', [0, 0, 0, 25], 'SCRAM-SHA-256\0', [0, 0, 0, 3], 'n,,'));
    expect(startupMessage({ user: 'u' })).toEqual(bytes([0, 0, 0, 16, 0, 3, 0, 0], 'user\0u\0\0'));
  });
});
