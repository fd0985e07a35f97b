import { healthAtStart, Threshold } from './probe';
import { container } from '../testing-objects';

const decided = (probe: ConstructorParameters<typeof Threshold>[0], ...results: boolean[]) => {
  const threshold = new Threshold(probe);
  return results.map((result) => threshold.after(result));
};

test('failures count in a row, and a success begins anew', () => {
  const probe = { failureThreshold: 2 };
  expect(decided(probe, false, true, false, false, false)).toEqual([null, true, null, false, false]);
});

test('without being told, one success is enough and three failures are needed', () => {
  expect(decided({}, true, false, false, false)).toEqual([true, null, null, false]);
});

test('a container without probes is well at once; one with a probe when that has succeeded', () => {
  expect(healthAtStart(container())).toEqual({ started: true, ready: true });
  expect(healthAtStart(container({ readinessProbe: {} }))).toEqual({ started: true, ready: false });
  expect(healthAtStart(container({ startupProbe: {} }))).toEqual({ started: false, ready: false });
});
