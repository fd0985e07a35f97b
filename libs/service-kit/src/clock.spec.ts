import { bootId, millisToNanosText, monotonicNanos, monotonicNow, nanosTextToMillis } from './clock';

describe('the monotonic clock', () => {
  it('never goes back and counts milliseconds of the same clock as its nanoseconds', () => {
    const before = monotonicNanos();
    const now = monotonicNow();
    const after = monotonicNanos();
    expect(now).toBeGreaterThanOrEqual(Number(before) / 1e6);
    expect(now).toBeLessThanOrEqual(Number(after) / 1e6);
  });

  it('writes deadlines as whole nanoseconds and reads them back', () => {
    expect(millisToNanosText(1234.5)).toBe('1234500000');
    expect(nanosTextToMillis('1234500000')).toBe(1234.5);
    // 100 days after boot: still exact to the microsecond.
    expect(nanosTextToMillis(millisToNanosText(8_640_000_000.123))).toBeCloseTo(8_640_000_000.123, 3);
  });

  it.each(['', '-1', '1.5', '1e9', ' 1', '123456789012345678901'])('refuses %j as a deadline', (text) => {
    expect(() => nanosTextToMillis(text)).toThrow(JSON.stringify(text));
  });

  it.each([NaN, -1, Infinity])('refuses to write %d as a deadline', (moment) => {
    expect(() => millisToNanosText(moment)).toThrow(String(moment));
  });

  it('knows one boot id per boot', () => {
    expect(bootId()).toMatch(/^[0-9a-f-]{36}$/i);
    expect(bootId()).toBe(bootId());
  });
});
