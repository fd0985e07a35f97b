import { FIRST_LSN, Wal, type WalRecord } from './wal';

function records(count: number, timeline = 1, from: WalRecord | null = null): WalRecord[] {
  const made: WalRecord[] = [];
  for (let i = 0; i < count; i += 1) {
    const last = made.at(-1) ?? from;
    const start = last?.end ?? FIRST_LSN;
    made.push({ start, end: start + 100, prev: last?.start ?? 0, timeline, kind: 'write', write: i });
  }
  return made;
}

const walOf = (all: readonly WalRecord[]): Wal => {
  const wal = new Wal();
  for (const record of all) wal.append(record);
  return wal;
};

describe('WAL', () => {
  it('holds records that follow upon each other, and refuses any other', () => {
    const [first, second, third] = records(3) as [WalRecord, WalRecord, WalRecord];
    const wal = walOf([first]);
    expect(wal.isNext(third)).toBe(false);
    expect(() => wal.append(third)).toThrow('does not follow');
    wal.append(second);
    expect([wal.end, wal.flushed, wal.length]).toEqual([second.end, second.end, 2]);
  });

  it('keeps the torn beginning of a record apart from what it holds, until something is written over it', () => {
    const wal = walOf(records(2));
    const { end } = wal;
    wal.tear(end + 50);
    expect([wal.end, wal.flushed]).toEqual([end, end + 50]);
    wal.dropTorn();
    expect(wal.flushed).toBe(end);
  });

  it('has a record across a position that lies within it, and none where one ends', () => {
    const [first, second] = records(2) as [WalRecord, WalRecord];
    const wal = walOf([first, second]);
    expect([first.end, second.end, second.end + 8, FIRST_LSN].map((at) => wal.isAcross(at))).not.toContain(true);
    expect([first.end - 8, second.start + 8].map((at) => wal.isAcross(at))).toEqual([true, true]);
  });

  it('tells a record of its own from another at the same place', () => {
    const [mine] = records(1) as [WalRecord];
    const [other] = records(1) as [WalRecord];
    const wal = walOf([mine]);
    expect([wal.has(mine), wal.has(other), wal.endingAt(mine.end)]).toEqual([true, false, mine]);
  });

  it('is copied, cut and read from a place without touching what it was copied from', () => {
    const all = records(5);
    const wal = walOf(all);
    const copy = new Wal(wal);
    copy.cut(all[2]?.start ?? 0);
    expect([copy.length, wal.length]).toEqual([2, 5]);
    expect(wal.from(all[3]?.start ?? 0)).toEqual(all.slice(3));
  });
});
