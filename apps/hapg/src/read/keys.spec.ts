import fc from 'fast-check';
import { KEYS, entries, entry } from '../testing/samples';
import { understand } from './keys';

test('every key of a cluster is found by its place, with index and session', () => {
  const seen = understand(KEYS, entries());
  expect(seen.master).toMatchObject({ modifyIndex: 100, session: 'session', value: { node: 'a', term: 4 } });
  expect(seen.members.value?.members.map(({ node }) => node)).toEqual(['a', 'b', 'c']);
  expect(seen.statuses.map(({ node }) => node)).toEqual(['a', 'b', 'c']);
  expect(seen.loadBalancers.map(({ name }) => name)).toEqual(['lb0']);
  expect(seen.unreadable).toEqual([]);
});

test('a key that does not exist has index 0, so that a write over it demands that it still does not', () => {
  expect(understand(KEYS, []).pause).toEqual({ value: null, modifyIndex: 0, session: null, unreadable: null });
});

test('what cannot be read counts as absent, keeps its index, and is named with the reason', () => {
  const seen = understand(KEYS, [entry(KEYS.pause, '{"id":1}'), entry(KEYS.status('a'), 'garbage')]);
  expect(seen.pause).toMatchObject({ value: null, modifyIndex: 100 });
  expect(seen.unreadable.map(({ key }) => key)).toEqual([KEYS.pause, KEYS.status('a')]);
});

test('nothing that stands in Consul ends it', () => {
  const places = [KEYS.master, KEYS.history, KEYS.epoch, KEYS.status('x'), KEYS.lbStatus('y'), `${KEYS.prefix}/x/y/z`];
  const any = fc.record({ key: fc.constantFrom(...places), value: fc.oneof(fc.string(), fc.json()) });
  fc.assert(
    fc.property(fc.array(any), (found) => {
      const seen = understand(
        KEYS,
        found.map(({ key, value }) => entry(key, value)),
      );
      expect(seen.unreadable.every(({ why }) => why.length > 0)).toBe(true);
    }),
  );
});
