import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ZERO_LSN, formatLsn, lagBytes, latestLsn, parseLsn, type Lsn } from './index';

const anyLsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value as Lsn);

describe('lsn', () => {
  it('reads back every position it writes', () => {
    fc.assert(fc.property(anyLsn, (lsn) => parseLsn(formatLsn(lsn)) === lsn));
  });

  it('writes positions as PostgreSQL prints them', () => {
    expect(formatLsn(parseLsn('0/75b67f0'))).toBe('0/75B67F0');
    expect(formatLsn(parseLsn('16/B374D848'))).toBe('16/B374D848');
  });

  it.each(['', '0', '0/', '/0', '0/123456789', 'G/0', '0/0 ', '-1/0'])('refuses %j and names it', (text) => {
    expect(() => parseLsn(text)).toThrow(JSON.stringify(text));
  });

  it('takes the latest position, and 0/0 of none', () => {
    expect(latestLsn()).toBe(ZERO_LSN);
    expect(latestLsn(parseLsn('0/2'), parseLsn('1/0'), parseLsn('0/3'))).toBe(parseLsn('1/0'));
  });

  it('counts lag in bytes and never below zero', () => {
    expect(lagBytes(parseLsn('1/0'), parseLsn('0/FFFFFF00'))).toBe(256);
    expect(lagBytes(parseLsn('0/1'), parseLsn('0/2'))).toBe(0);
  });
});
