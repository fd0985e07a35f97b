import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseLsn } from '@ha-postgres/lsn';
import { pageOf, readWal, segmentName, writeWal, type WalPlace } from './wal-segments';

const MIB = 1024 * 1024;

describe('WAL segments', () => {
  let place: WalPlace;
  const file = (name: string) => join(place.dataDir, 'pg_wal', name);

  beforeEach(() => {
    place = { dataDir: mkdtempSync(join(tmpdir(), 'hapg-wal-')), timeline: 2, segmentBytes: MIB };
    mkdirSync(join(place.dataDir, 'pg_wal'));
    writeFileSync(file('000000020000000000000001'), Buffer.alloc(MIB, 'a'));
  });
  afterEach(() => rmSync(place.dataDir, { recursive: true, force: true }));

  it.each([
    [1, '0/5000148', 16 * MIB, '000000010000000000000005'],
    [2, '1/0', 16 * MIB, '000000020000000100000000'],
    [0x1f, 'A/FF000000', 16 * MIB, '0000001F0000000A000000FF'],
    [1, '0/5000148', MIB, '000000010000000000000050'],
    [1, '3/80000000', 1024 * MIB, '000000010000000300000002'],
  ])('of timeline %i are named for %s with segments of %i bytes', (timeline, lsn, bytes, name) => {
    expect(segmentName(timeline, parseLsn(lsn), bytes)).toBe(name);
  });

  it('are read from a page on, to their end at most', () => {
    expect(pageOf(parseLsn('0/1FFFFF'))).toBe(parseLsn('0/1FE000'));
    expect(readWal(place, parseLsn('0/1FE000'), 64 * 1024)).toEqual(Buffer.alloc(8192, 'a'));
    expect(readWal(place, parseLsn('0/100000'), 3)).toEqual(Buffer.from('aaa'));
    expect(() => readWal(place, parseLsn('0/200000'), 3)).toThrow(/ENOENT.*000000020000000000000002/);
  });

  it('are written where the position says, and nowhere else', () => {
    writeWal(place, parseLsn('0/102000'), Buffer.from('bb'));
    const bytes = readFileSync(file('000000020000000000000001'));
    expect(bytes.subarray(0x1fff, 0x2004).toString()).toBe('abbaa');
    expect(bytes).toHaveLength(MIB);
  });

  it('are not written beyond their end, and not made anew', () => {
    expect(() => writeWal(place, parseLsn('0/1FE000'), Buffer.alloc(8193))).toThrow(/8193 bytes.*leave a segment/);
    expect(() => writeWal(place, parseLsn('0/200000'), Buffer.alloc(1))).toThrow(/ENOENT/);
  });
});
