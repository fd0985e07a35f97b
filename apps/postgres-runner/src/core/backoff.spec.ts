import fc from 'fast-check';
import { delayAfter, failed, NO_FAILURE, RESTART, RETRY } from './backoff';

test('restarts wait 0.2 s, doubling up to 5 s; other work 0.5 s up to 10 s', () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((n) => delayAfter(n, RESTART))).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  expect([0, 1, 6, 1_000].map((n) => delayAfter(n, RETRY))).toEqual([0, 500, 10_000, 10_000]);
});

test('a failure never lets the next try come at once', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1e9, noNaN: true }), (failures, now) => {
      const next = failed({ ...NO_FAILURE, failures }, now, RESTART);
      return next.failures === failures + 1 && next.retryAt >= now + RESTART.firstMs;
    }),
  );
});
