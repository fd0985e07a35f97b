import type { Lsn } from '@ha-postgres/lsn';
import type { WalPort } from '@ha-postgres/db-controller/controller';
import { segmentTimelines, type Database } from '../postgres/data-directory';
import { historyText } from '../postgres/timeline';
import type { WalRecord } from '../postgres/wal';
import type { SimNode } from './node';

/** Of a timeline of which nothing has come here yet there is no file, and PostgreSQL would read none. */
function hasSegment(database: Database, timeline: number): boolean {
  return database.timeline.number === timeline || segmentTimelines(database).has(timeline);
}

/** WAL files of a node, for handing over what a dead Master could not send. */
export function walPort(node: SimNode): WalPort {
  // The simulation hands the records themselves over, and sends their name as the bytes.
  const travelling: Map<string, readonly WalRecord[]> = node.cluster.walOnItsWay;
  return {
    read: ({ timeline }, start: Lsn) => {
      const { database } = node.disk.data;
      const records = (database?.wal.from(Number(start)) ?? []).filter((record) => record.timeline === timeline);
      if (database === null || (records.length === 0 && database.timeline.number !== timeline))
        throw new Error('ENOENT: no such segment');
      const name = node.newName('wal');
      travelling.set(name, records);
      return Buffer.from(name);
    },
    write: ({ timeline }, _start, bytes) => {
      const { database } = node.disk.data;
      const records = travelling.get(bytes.toString()) ?? [];
      travelling.delete(bytes.toString());
      if (database === null || !hasSegment(database, timeline)) throw new Error('ENOENT: no such segment');
      // Its checksums and links tell PostgreSQL where the tail fits on, and where it ends.
      for (const record of records) if (database.wal.isNext(record)) database.wal.append(record);
    },
    history: (_dataDir, timeline) => {
      const { database } = node.disk.data;
      const known = database?.timeline.number === timeline ? database.timeline : database?.known.get(timeline);
      if (known === undefined) throw new Error('ENOENT: no such history file');
      return historyText(known);
    },
  };
}
