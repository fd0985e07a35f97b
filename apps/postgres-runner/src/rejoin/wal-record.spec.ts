import { describe, expect, it } from '@jest/globals';
import { formatLsn, parseLsn } from '@ha-postgres/lsn';
import fc from 'fast-check';
import { captured } from './testing/captured';
import { endOfRecord, parseWalRecord, relationsOf, type WalRecord } from './wal-record';

const SEGMENT = 16 * 2 ** 20;

describe('a record of the WAL', () => {
  it('is read as pg_waldump prints it', () => {
    const line =
      'rmgr: Heap        len (rec/tot):     59/  3714, tx:        785, lsn: 0/130000D8, prev 0/130000B0, desc: INSERT+INIT off 2 flags 0x00, blkref #0: rel 1663/5/16392 blk 0 FPW';
    expect(parseWalRecord(line)).toEqual({
      rmgr: 'Heap',
      op: 'INSERT+INIT',
      xid: 785,
      lsn: parseLsn('0/130000D8'),
      bytes: 3714,
      description: 'INSERT+INIT off 2 flags 0x00, blkref #0: rel 1663/5/16392 blk 0 FPW',
    });
  });

  it('is every captured line', () => {
    const lines = [...captured().values()].flatMap((one) => one.lines);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.filter((line) => parseWalRecord(line) === null)).toEqual([]);
  });

  it('is no message and no rest of a name with a line break', () => {
    expect(parseWalRecord('first record is after 0/1000000, at 0/1000028, skipping over 40 bytes')).toBeNull();
    expect(parseWalRecord("and on': 2026-11-23 04:24:30 UTC")).toBeNull();
  });

  it('names its relations, of files as well', () => {
    const of = (rmgr: string, description: string) => relationsOf({ rmgr, description } as WalRecord);
    expect(
      of('Heap2', 'VISIBLE, blkref #0: rel 1663/5/2619 fork vm blk 0, blkref #1: rel 1663/5/16384 blk 18'),
    ).toEqual(['1663/5/2619', '1663/5/16384']);
    expect(of('Storage', 'CREATE base/5/16404')).toEqual(['1663/5/16404']);
  });

  // A record that ends where the next one begins: `prev` of the next is its own position.
  it('ends where the next one begins, also over a page, and a switch at the end of its segment', () => {
    const records = [...captured().values()].flatMap(({ lines }) => {
      const all = lines.map((line) => ({ line, record: parseWalRecord(line) }));
      return all.flatMap(({ record }, index) => {
        const next = all[index + 1];
        const follows = next?.record != null && record !== null && next.line.includes(`prev ${padded(record)},`);
        return record !== null && follows && next.record !== null ? [{ record, next: next.record }] : [];
      });
    });
    expect(records.length).toBeGreaterThan(80);
    for (const { record, next } of records) {
      const end = endOfRecord(record, SEGMENT);
      const isAtPage = end % 8192n === 0n;
      expect(formatLsn(isAtPage ? ((end + 24n) as typeof end) : end)).toBe(formatLsn(next.lsn));
    }
    const switched = { rmgr: 'XLOG', op: 'SWITCH', lsn: parseLsn('0/C0008E8'), bytes: 24 } as WalRecord;
    expect(formatLsn(endOfRecord(switched, SEGMENT))).toBe('0/D000000');
  });

  it('never ends before it has had room for all of its bytes', () => {
    const offset = fc.bigInt({ min: 5n, max: 2n ** 40n }).map((n) => n * 8n);
    fc.assert(
      fc.property(offset, fc.integer({ min: 24, max: 10 ** 6 }), (at, bytes) => {
        const end = endOfRecord({ rmgr: 'Heap', op: 'X', lsn: at, bytes } as WalRecord, SEGMENT);
        const headers = end - at - BigInt(bytes);
        return headers >= 0n && headers <= 40n + (BigInt(bytes) / 8152n + 2n) * 24n + 16n && end % 8n === 0n;
      }),
    );
  });
});

function padded({ lsn }: WalRecord): string {
  const [high = '', low = ''] = formatLsn(lsn).split('/');
  return `${high}/${low.padStart(8, '0')}`;
}
