import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['3s', 3_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0', 0],
  ])('reads %s as %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '3', 's', '-1s', '3 seconds', '1e3ms', '3S', 'NaN', '1..5s', '3constructor'])(
    'refuses %j and names it',
    (text) => {
      expect(() => parseDuration(text)).toThrow(JSON.stringify(text));
    },
  );

  it('reads back every duration it writes', () => {
    fc.assert(fc.property(fc.nat(10 ** 10), (value) => parseDuration(formatDuration(value)) === value));
  });
});

describe('sizes', () => {
  it('takes units as PostgreSQL does, in powers of 1024', () => {
    expect(parseSize('16MB')).toBe(16 * 1024 * 1024);
    expect(parseSize('1MiB')).toBe(parseSize('1MB'));
    expect(parseSize('8192')).toBe(8192);
  });

  it.each(['', '1.5B', '-1', '16mb', '16 M B', '99999999TB'])('refuses %j and names it', (text) => {
    expect(() => parseSize(text)).toThrow(JSON.stringify(text));
  });

  it('reads back every size it writes', () => {
    fc.assert(fc.property(fc.nat(), (value) => parseSize(formatSize(value)) === value));
  });
});
