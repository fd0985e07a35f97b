import { parseLsn } from '@ha-postgres/lsn';
import { Database } from '../postgres/data-directory';
import { fork } from '../postgres/timeline';
import { lsnText, type WalRecord } from '../postgres/wal';
import type { SimNode } from './node';
import { walPort } from './wal-port';

/** Writes a record, on whatever timeline it is. */
function write(database: Database): WalRecord {
  const { end, last } = database.wal;
  const { number } = database.timeline;
  const record: WalRecord = {
    start: end,
    end: end + 80,
    prev: last?.start ?? 0,
    timeline: number,
    kind: 'write',
    write: 1,
  };
  database.wal.append(record);
  return record;
}

/** `from` was promoted at the end of what both have, and wrote a record that `to` has not got. */
function pair() {
  const walOnItsWay = new Map<string, readonly WalRecord[]>();
  const nodeOf = (database: Database) =>
    ({ disk: { data: { database } }, cluster: { walOnItsWay }, newName: (of: string) => of }) as unknown as SimNode;
  const from = new Database('1');
  write(from);
  const to = from.copy();
  from.timeline = fork(from.timeline, from.known, from.wal.end);
  const handOver = (): void => {
    const start = parseLsn(lsnText(to.wal.end));
    const place = { dataDir: '', timeline: from.timeline.number, segmentBytes: 0 };
    const bytes = walPort(nodeOf(from)).read(place, start, 0);
    walPort(nodeOf(to)).write(place, start, bytes);
  };
  return { from, to, handOver };
}

describe('the tail of a dead Master', () => {
  it('is put behind what has come of its timeline', () => {
    const { from, to, handOver } = pair();
    to.timeline = from.timeline;
    const record = write(from);
    handOver();
    expect(to.wal.last).toBe(record);
  });

  it('finds no file where nothing has come of that timeline yet', () => {
    const { from, to, handOver } = pair();
    write(from);
    const before = to.wal.last;
    expect(handOver).toThrow('ENOENT');
    expect(to.wal.last).toBe(before);
  });
});
