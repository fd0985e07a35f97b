import { pairsToRun } from './pods-images';

test('both pairs of versions are run, unless one is named', () => {
  expect(pairsToRun('')).toEqual(['trixie', 'bookworm']);
  expect(pairsToRun('bookworm')).toEqual(['bookworm']);
  expect(() => pairsToRun('sid')).toThrow('PODS_ON=sid: one of trixie, bookworm');
});
