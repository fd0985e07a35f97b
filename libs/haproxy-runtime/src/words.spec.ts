import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { integer, ipAddress, name, port, serverPath, weight, word } from './words';

/** How HAProxy's CLI splits a line into words and removes the backslashes (cli.c). */
function haproxyWords(line: string): string[] {
  const words: string[] = [];
  for (const match of line.matchAll(/(?:\\.|[^\\ ])+/gs)) words.push(match[0].replace(/\\(.)/gs, '$1'));
  return words;
}

const sendable = fc
  .array(fc.constantFrom('a', 'Z', '0', ' ', '  ', '\\', '"', "'", '#', '<', 'ü', '😀', '/'), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join(''))
  .filter((text) => !text.includes('<<'));

describe('a word of a command', () => {
  it('arrives at HAProxy as it was given, as one word', () => {
    fc.assert(
      fc.property(fc.array(sendable, { minLength: 1, maxLength: 4 }), (values) => {
        const line = values.map((value) => word('value', value)).join(' ');
        expect(haproxyWords(line)).toEqual(values);
      }),
    );
  });

  it('is refused with a control character, ";" or "<<" anywhere', () => {
    const forbidden = fc.oneof(
      fc.constantFrom(';', '<<', '\n', '\r', '\t', '\0', '\u007f', '\u0085'),
      fc.integer({ min: 0, max: 31 }).map((code) => String.fromCharCode(code)),
    );
    fc.assert(
      fc.property(fc.string(), forbidden, fc.string(), (before, bad, after) => {
        expect(() => word('key', before + bad + after)).toThrow(expect.objectContaining({ code: 'HAPROXY_ARGUMENT' }));
      }),
    );
  });

  it('is refused when empty', () => {
    expect(() => word('value', '')).toThrow('value "": must not be empty');
  });
});

describe('checked values', () => {
  it.each(['', 'a b', 'a/b', 'a\\b', 'a;b', 'é', 'a\n'])('refuses the server name %j', (bad) => {
    expect(() => serverPath({ backend: 'master', server: bad })).toThrow(JSON.stringify(bad));
    expect(() => serverPath({ backend: bad, server: 'master0' })).toThrow(JSON.stringify(bad));
  });

  it('takes every letter a proxy name may have', () => {
    expect(name('backend', 'My-proxy_1.a:b')).toBe('My-proxy_1.a:b');
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses port %p', (bad) => {
    expect(() => port(bad)).toThrow('expected an integer from 1 to 65535');
  });

  it.each(['', 'localhost', '10.0.0.256', '127.0.0.1 port 1', '[::1]', '::1;'])('refuses the address %j', (bad) => {
    expect(() => ipAddress('host', bad)).toThrow('expected an IPv4 or IPv6 address');
  });

  it.each([[0], [256], ['50%'], ['0%'], ['100%']] as const)('takes weight %p', (good) => {
    expect(weight(good)).toBe(String(good));
  });

  it.each([[-1], [257], [1.5], ['101%'], ['-1%'], ['1.5%']] as const)('refuses weight %p', (bad) => {
    expect(() => weight(bad)).toThrow('weight');
  });

  it('writes integers in decimal', () => {
    expect(integer('value', Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
  });
});
