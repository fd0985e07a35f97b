import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { switchoverOutcome } from './switchover-outcome';
import { KEYS, PROMOTION, answered, entries, entry, reading } from './testing/samples';

const ASKED = { id: 'wish-1', from: 'a', term: 4 };

const seen = (promotions: readonly HistoryEntry[], says: object = {}) =>
  reading({
    entries: [
      ...entries().filter(({ key }) => key !== KEYS.history),
      entry(KEYS.history, { promotions: [PROMOTION, ...promotions] }),
    ],
    answers: [answered('a', says), answered('b')],
  });
const promotion = (change: object): HistoryEntry => ({ ...PROMOTION, term: 5, node: 'b', from: 'a', ...change });
const said = (state: string, id = 'wish-1') => ({ switchover: { id, state, why: 'b lags 9 MB' } });

test('waits while nothing is said, and while it is under way', () => {
  expect(switchoverOutcome(ASKED, seen([]))).toMatchObject({ kind: 'waiting' });
  expect(switchoverOutcome(ASKED, seen([], said('draining')))).toEqual({
    kind: 'waiting',
    what: 'draining: b lags 9 MB',
  });
});

test.each([{ switchover: 'wish-1' }, { why: 'switchover wish-1' }])(
  'is done by the promotion that answers to it: %j',
  (change) => {
    const done = promotion(change);
    expect(switchoverOutcome(ASKED, seen([done]))).toEqual({ kind: 'done', promotion: done });
  },
);

test('is refused by the Master’s own word', () => {
  expect(switchoverOutcome(ASKED, seen([], said('refused')))).toEqual({ kind: 'refused', why: 'b lags 9 MB' });
});

test('what was said of an earlier wish is not taken for this one', () => {
  expect(switchoverOutcome(ASKED, seen([], said('refused', 'wish-0')))).toMatchObject({ kind: 'waiting' });
});

test('a promotion for another reason, or of the old Master itself, is no switchover', () => {
  expect(switchoverOutcome(ASKED, seen([promotion({ why: 'took over' })]))).toMatchObject({ kind: 'refused' });
  expect(switchoverOutcome(ASKED, seen([promotion({ node: 'a', switchover: 'wish-1' })]))).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('a took over again itself') as string,
  });
});
