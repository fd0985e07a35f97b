import type { EventOf, History, StoredRange, Write } from './history';

/** What the reading of the table shows. */
export interface StoredFindings {
  /** Acknowledged, and not there. */
  readonly lost: readonly Write[];
  readonly duplicates: readonly number[];
  /** There, though refused or never sent. */
  readonly unexpected: readonly number[];
}

/** Holds what was read at the end against what was acknowledged, refused, and sent. */
export function holdAgainst(history: History, { ranges }: EventOf<'stored'>): StoredFindings {
  const times = new Map<number, number>();
  for (const [id, count] of idsIn(ranges)) times.set(id, count);
  return {
    lost: history.acknowledged.filter(({ id }) => !times.has(id)),
    duplicates: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    unexpected: [...times.keys()].filter((id) => !mayStand(history.write(id))),
  };
}

/** PostgreSQL said ERROR, or the write never went out: then it must not be there. */
function mayStand(write: Write | undefined): boolean {
  return write !== undefined && write.sentAt !== null && write.failure?.isAmbiguous !== false;
}

/** Ids in rising order, with how often each was found, in as few ranges as there can be. */
export function rangesOf(found: Iterable<readonly [id: number, times: number]>): StoredRange[] {
  const ranges: [number, number, number][] = [];
  for (const [id, times] of found) {
    const last = ranges.at(-1);
    if (last !== undefined && id === last[1] + 1 && times === last[2]) last[1] = id;
    else ranges.push([id, id, times]);
  }
  return ranges;
}

export function* idsIn(ranges: readonly StoredRange[]): Generator<[id: number, times: number]> {
  for (const [first, last, times] of ranges) for (let id = first; id <= last; id += 1) yield [id, times];
}
