import { firstOnConnectionAfter, History, isAmbiguous, type HistoryEvent } from './history';
import { serverOf } from './testing/stories';

const sent = (id: number): HistoryEvent => ({ type: 'sent', at: id, id, writer: 'client0', direct: null });
const acknowledged = (id: number, connectedAt = 0): HistoryEvent => {
  return { type: 'acknowledged', at: id, id, by: serverOf(0, 1), connectedAt };
};
const failed = (id: number, isAmbiguous: boolean): HistoryEvent => {
  return { type: 'failed', at: id, id, writer: 'client0', direct: null, isAmbiguous, why: '' };
};

describe('a damaged record', () => {
  it.each([
    ['answered twice', [sent(1), acknowledged(1), acknowledged(1)]],
    ['answered and never sent', [acknowledged(1)]],
    ['acknowledged and never sent', [failed(1, false), acknowledged(1)]],
    ['began twice', [sent(1), sent(1)]],
  ])('is refused: a write was %s', (_, events) => {
    expect(() => History.of(events)).toThrow(RangeError);
  });
});

it.each([
  ['that was never sent', [failed(1, false)], false],
  ['that was refused', [sent(1), failed(1, false)], false],
  ['that failed in an unknown way', [sent(1), failed(1, true)], true],
  ['that has no answer', [sent(1)], true],
  ['that was acknowledged', [sent(1), acknowledged(1)], false],
])('a write %s: is it ambiguous?', (_, events, expected) => {
  expect([...History.of(events).writes].map(isAmbiguous)).toEqual([expected]);
});

it('the first acknowledgement on a connection that is younger than a moment is found', () => {
  const history = History.of([1, 2, 3].flatMap((id) => [sent(id), acknowledged(id, id === 3 ? 25 : 0)]));
  expect(firstOnConnectionAfter(history, 20)?.id).toBe(3);
  expect(firstOnConnectionAfter(history, 25)).toBeNull();
});
