import { leaseRanOut } from '@ha-postgres/failover';
import { copied } from './copied';
import { initialState } from './initial';
import { pass, passMessage } from './passing';
import type { Node } from './state';
import { DRIFT, FENCE, LEASE, POLICY, toMillis } from './times';
import { ONE, must } from './testing';

const state = initialState(ONE);
const master = (): Node => copied(must(state.nodes[0]));
const replica = (): Node => copied(must(state.nodes[1]));

test('a lease, its deadline and what was seen of it come closer with every tick', () => {
  const [a, b] = [master(), replica()];
  pass(a);
  pass(b);
  expect(a.controller?.hold?.record.end).toBe(LEASE - 1);
  expect(a.runner.armed?.validUntil).toBe(LEASE - FENCE - 1);
  expect(b.controller?.master?.firstSeen).toBe(-1);
});

test('an end that has passed is none any more, and a promise that is over is none', () => {
  const a = master();
  a.vow = LEASE;
  for (let ticks = 0; ticks < LEASE; ticks += 1) pass(a);
  expect(a.controller?.hold?.record.end).toBeNull();
  expect(a.vow).toBeNull();
});

test('a node that nothing happens to comes to a state that time does not change', () => {
  const b = replica();
  for (let ticks = 0; ticks < 20; ticks += 1) pass(b);
  const before = JSON.stringify(b);
  pass(b);
  expect(JSON.stringify(b)).toBe(before);
});

test.each([0, LEASE + DRIFT, LEASE + DRIFT + 1])(
  'whether a lease ran out, confirmed %i ticks after the first look, is not changed by time',
  (confirmed) => {
    const b = replica();
    const sight = must(b.controller?.master);
    Object.assign(sight, { firstSeen: -confirmed, confirmed: 0 });
    const hasRunOut = () =>
      leaseRanOut(
        {
          ...{ value: null, modifyIndex: 2, session: 'a2' },
          ...{ firstSeenAt: toMillis(sight.firstSeen), confirmedSentAt: toMillis(sight.confirmed) },
        },
        POLICY,
      );
    expect(hasRunOut()).toBe(confirmed > LEASE + DRIFT);
    for (let ticks = 0; ticks < 10; ticks += 1) {
      pass(b);
      expect(hasRunOut()).toBe(confirmed > LEASE + DRIFT);
    }
  },
);

test('a request that is under way for longer than a lease is as old as any', () => {
  let beat = {
    ...{ kind: 'beat' as const, node: 'a' as const, session: 'a2', value: '', sentAt: 0, result: null },
    ...{ number: 1, also: null, why: 'beat' as const },
  };
  for (let ticks = 0; ticks < 9; ticks += 1) beat = passMessage(beat) as typeof beat;
  expect(beat.sentAt).toBe(-LEASE);
});
