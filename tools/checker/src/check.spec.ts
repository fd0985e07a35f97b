import fc from 'fast-check';
import { checkHistory } from './check';
import { History, type HistoryEvent } from './history';
import { PLANTS, type PlantKind } from './plant';
import { isBefore, reignsOf } from './reigns';
import { idsIn, rangesOf } from './stored';
import { fineHistory, serverOf } from './testing/stories';
import { withIds } from './testing/with-ids';
import type { ViolationKind } from './verdict';

const kindsIn = (events: readonly HistoryEvent[], allowances = {}): ViolationKind[] =>
  checkHistory(History.of(events), allowances).violations.map(({ kind }) => kind);

describe('a history of one Master at a time, whatever became of its writes', () => {
  it('shows nothing wrong', () => {
    fc.assert(
      fc.property(fineHistory(), (events) => {
        const verdict = checkHistory(History.of(events));
        expect(verdict.violations).toEqual([]);
        expect(verdict).toMatchObject({ isFine: true, writersAtOnceMax: 1, lost: [], duplicates: [], late: [] });
      }),
      { numRuns: 500 },
    );
  });

  it('has every attempt counted once', () => {
    fc.assert(
      fc.property(fineHistory(), (events) => {
        const { attempts, acknowledged, failed, direct } = checkHistory(History.of(events));
        expect(attempts).toBe(acknowledged + failed);
        const ids = new Set(events.flatMap((event) => ('id' in event ? [event.id] : [])));
        expect(attempts + direct.attempts).toBe(ids.size);
      }),
    );
  });
});

describe.each(Object.keys(PLANTS) as PlantKind[])('%s, put into any fine history,', (kind) => {
  it('is found, and nothing else', () => {
    fc.assert(
      fc.property(fineHistory(), (events) => {
        expect(kindsIn(PLANTS[kind].into(events))).toEqual(PLANTS[kind].found);
      }),
      { numRuns: 300 },
    );
  });
});

describe('wherever in a fine history it happens', () => {
  it('an acknowledged write that is missing is found, and named', () => {
    fc.assert(
      fc.property(fineHistory(), fc.nat(), (events, which) => {
        const acknowledged = History.of(events).acknowledged;
        const id = acknowledged[which % acknowledged.length]?.id ?? 0;
        const spoilt = events.map((event) =>
          event.type === 'stored'
            ? { ...event, ranges: rangesOf([...idsIn(event.ranges)].filter(([found]) => found !== id)) }
            : event,
        );
        const { violations } = checkHistory(History.of(spoilt));
        expect(violations).toMatchObject([{ kind: 'lost', ids: [id] }]);
      }),
    );
  });

  it('a write that is sent to a former Master after the next one has acknowledged is found, and named', () => {
    fc.assert(
      fc.property(fineHistory(), fc.nat(), fc.nat(), (events, which, later) => {
        const reigns = reignsOf(History.of(events));
        const next = reigns[which % reigns.length];
        const former = reigns.find((one) => next !== undefined && one.node !== next.node && isBefore(one, next));
        fc.pre(next !== undefined && former !== undefined);
        const by = former.writes[0]?.acknowledgement.by ?? serverOf(0, 0);
        const at = next.firstAcknowledgedAt + 0.5 + (later % 1_000);
        const late: HistoryEvent[] = [
          { type: 'sent', at, id: 1_000_000, writer: 'client0', direct: null },
          { type: 'acknowledged', at: at + 0.1, id: 1_000_000, by, connectedAt: 0 },
        ];
        expect(checkHistory(History.of([...events, ...late])).late).toEqual([1_000_000]);
      }),
    );
  });
});

it('a write that PostgreSQL refused must not be stored', () => {
  const events = withIds([{ id: 1, sent: 10, acknowledged: 20, by: serverOf(0, 1) }], [1, 2]);
  const refused: HistoryEvent[] = [
    { type: 'sent', at: 30, id: 2, writer: 'client0', direct: null },
    { type: 'failed', at: 40, id: 2, writer: 'client0', direct: null, isAmbiguous: false, why: 'ERROR' },
  ];
  expect(kindsIn([...events, ...refused])).toEqual(['unexpected']);
});

describe('the order of two writers', () => {
  const [one, other] = [0, 1] as const;
  const kinds = (...args: Parameters<typeof withIds>) => kindsIn(withIds(...args));

  it('lets a write that was under way at the failover be acknowledged after it', () => {
    const late = { id: 1, sent: 10, acknowledged: 90, by: serverOf(one, 1) };
    expect(kinds([late, { id: 2, sent: 20, acknowledged: 30, by: serverOf(other, 2) }])).toEqual([]);
  });

  it('forbids one that was sent after it', () => {
    const first = { id: 1, sent: 20, acknowledged: 30, by: serverOf(other, 2) };
    expect(kinds([first, { id: 2, sent: 31, acknowledged: 40, by: serverOf(one, 1) }], [1, 2], [], other)).toEqual([
      'late',
    ]);
  });

  it('goes by terms where timelines are misleading', () => {
    const writes = [
      { id: 1, sent: 10, acknowledged: 20, by: serverOf(one, 7) },
      { id: 2, sent: 30, acknowledged: 40, by: serverOf(other, 3) },
    ];
    expect(kinds(writes)).toEqual(['staleReading', 'late']);
    const terms = [
      { term: 4, node: 'node0', timeline: 7 },
      { term: 5, node: 'node1', timeline: 3 },
    ];
    expect(kinds(writes, [1, 2], terms)).toEqual([]);
    expect(
      kinds(
        writes,
        [1, 2],
        terms.map((one) => ({ ...one, term: 10 - one.term })),
      ),
    ).toEqual(['staleReading', 'late']);
  });

  it('takes a term that does not fit one promotion alone for unknown', () => {
    const writes = [
      { id: 1, sent: 10, acknowledged: 20, by: serverOf(one, 2) },
      { id: 2, sent: 30, acknowledged: 40, by: serverOf(other, 3) },
    ];
    const terms = [1, 9].map((term) => ({ term, node: 'node0', timeline: 2 }));
    expect(kinds(writes, [1, 2], [...terms, { term: 5, node: 'node1', timeline: 3 }])).toEqual([]);
  });

  it('of two that promoted to one timeline unknown to each other, calls only turns wrong', () => {
    const writes = [
      { id: 1, sent: 10, acknowledged: 20, by: serverOf(one, 2) },
      { id: 2, sent: 30, acknowledged: 40, by: serverOf(other, 2) },
    ];
    expect(kinds(writes)).toEqual([]);
    const turn = { id: 3, sent: 50, acknowledged: 60, by: serverOf(one, 2) };
    expect(kinds([...writes, turn])).toEqual(['staleReading', 'late', 'writersAtOnce']);
  });

  it('counts three writers at once', () => {
    const writes = [0, 1, 2, 0, 1, 2].map((node, index) => {
      return { id: index + 1, sent: 10 * index, acknowledged: 10 * index + 1, by: serverOf(node, 1) };
    });
    expect(checkHistory(History.of(withIds(writes))).writersAtOnceMax).toBe(3);
  });
});

describe('what is allowed', () => {
  const writes = [1, 2, 3].map((id) => ({ id, sent: 10 * id, acknowledged: 10 * id + 1, by: serverOf(0, 1) }));

  it('covers as many lost writes as it says, and counts them all the same', () => {
    const events = withIds(writes, [2]);
    expect(kindsIn(events, { allowLost: 1 })).toEqual(['lost']);
    expect(kindsIn(events, { allowLost: 2 })).toEqual([]);
    expect(checkHistory(History.of(events), { allowLost: 2 }).lost).toEqual([1, 3]);
  });

  it('covers as many late writes as it says, and counts them all the same', () => {
    const events = withIds([{ id: 4, sent: 0, acknowledged: 5, by: serverOf(1, 2) }, ...writes], [1, 2, 3, 4], [], 1);
    expect(kindsIn(events, { allowLate: 2 })).toEqual(['late']);
    expect(kindsIn(events, { allowLate: 3 })).toEqual([]);
    expect(checkHistory(History.of(events), { allowLate: 3 }).late).toEqual([1, 2, 3]);
  });
});

it('the verdict names nodes that never answered the prober', () => {
  const probe = { type: 'sent', at: 5, id: 9, writer: 'prober:node1', direct: 'node1' } as const;
  const events = [...withIds([{ id: 1, sent: 10, acknowledged: 20, by: serverOf(0, 1) }]), probe];
  expect(checkHistory(History.of(events)).unseenNodes).toEqual(['node1']);
});
