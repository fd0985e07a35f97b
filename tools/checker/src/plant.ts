import type { EventOf, HistoryEvent, Server } from './history';
import { idsIn, rangesOf } from './stored';
import type { ViolationKind } from './verdict';

export type PlantKind = Exclude<ViolationKind, 'writersAtOnce'> | 'doubleWriter';
type Events = readonly HistoryEvent[];

/** Spoils a copy of a history in one way. */
export interface Plant {
  /** The kinds of violation that it puts there. */
  readonly found: readonly ViolationKind[];
  /** @throws RangeError if the history has no acknowledged write of a client, or no reading of the table. */
  readonly into: (events: Events) => HistoryEvent[];
}

/** A way to spoil a history for every kind of violation: shows that the checker finds it. */
export const PLANTS: Readonly<Record<PlantKind, Plant>> = {
  lost: {
    found: ['lost'],
    into: (events) => restored(events, (times) => times.delete(lastOf(events).id)),
  },
  duplicate: {
    found: ['duplicate'],
    into: (events) => restored(events, (times) => times.set(lastOf(events).id, 2)),
  },
  unexpected: {
    found: ['unexpected'],
    into: (events) => restored(events, (times) => times.set(unusedId(events), 1)),
  },
  late: {
    found: ['late'],
    into: (events) => withWrites(events, [stranger(lastOf(events).by.timeline - 1)]),
  },
  doubleWriter: {
    found: ['late', 'writersAtOnce'],
    into: (events) => {
      const { by } = lastOf(events);
      // Read from somebody who took no part: whose table would be the right one, if two write?
      const bystander = { ...by, address: '192.0.2.2:5432' };
      return withWrites(readFrom(bystander, events), [stranger(by.timeline), { by, direct: null }]);
    },
  },
  staleReading: {
    found: ['staleReading'],
    into: (events) => {
      const timelines = events.map((event) => (event.type === 'acknowledged' ? event.by.timeline : 0));
      return withWrites(readFrom(lastOf(events).by, events), [
        stranger(timelines.reduce((a, b) => Math.max(a, b)) + 1),
      ]);
    },
  },
  unread: {
    found: ['unread'],
    into: (events) => events.filter(({ type }) => type !== 'stored'),
  },
  idle: {
    found: ['idle'],
    into: (events) => {
      const ids = clientsIds(events);
      const others = events.filter((event) => !('id' in event && ids.has(event.id)));
      return restored(others, (times) => ids.forEach((id) => times.delete(id)));
    },
  },
};

interface PlantedWrite {
  readonly by: Server;
  readonly direct: string | null;
}

/** A node that is not there, at an address that is nobody's. */
function stranger(timeline: number): PlantedWrite {
  return { by: { address: '192.0.2.1:5432', startedAt: 'never', timeline }, direct: 'planted' };
}

/** Adds acknowledged writes, one after the other, after everything else; all of them are stored. */
function withWrites(events: Events, writes: readonly PlantedWrite[]): HistoryEvent[] {
  const end = events.reduce((latest, { at }) => Math.max(latest, at), 0);
  const firstId = unusedId(events);
  const added = writes.flatMap(({ by, direct }, index): HistoryEvent[] => {
    const [id, sentAt] = [firstId + index, end + 1 + 2 * index];
    return [
      { type: 'sent', at: sentAt, id, writer: 'planted', direct },
      { type: 'acknowledged', at: sentAt + 1, id, by, connectedAt: sentAt },
    ];
  });
  const stored = restored(events, (times) => writes.forEach((_, index) => times.set(firstId + index, 1)));
  return [...stored, ...added];
}

/** Changes what was read at the end: how often each id was found. */
function restored(events: Events, change: (times: Map<number, number>) => void): HistoryEvent[] {
  if (!events.some(({ type }) => type === 'stored')) throw new RangeError('the table was not read in this history');
  return events.map((event) => {
    if (event.type !== 'stored') return event;
    const times = new Map(idsIn(event.ranges));
    change(times);
    return { ...event, ranges: rangesOf([...times].sort(([a], [b]) => a - b)) };
  });
}

function readFrom(by: Server, events: Events): HistoryEvent[] {
  return events.map((event) => (event.type === 'stored' ? { ...event, by } : event));
}

function lastOf(events: Events): EventOf<'acknowledged'> {
  const ids = clientsIds(events);
  const last = events.findLast(
    (event): event is EventOf<'acknowledged'> => event.type === 'acknowledged' && ids.has(event.id),
  );
  if (last === undefined) throw new RangeError('no write of a client was acknowledged in this history');
  return last;
}

function clientsIds(events: Events): Set<number> {
  return new Set(events.flatMap((event) => ('direct' in event && event.direct === null ? [event.id] : [])));
}

function unusedId(events: Events): number {
  return events.reduce((highest, event) => ('id' in event ? Math.max(highest, event.id) : highest), 0) + 1;
}
