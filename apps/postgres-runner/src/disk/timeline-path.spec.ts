import { mkdirSync, mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timelinePath, TimelinePathReader } from './timeline-path';

let dataDir: string;
const put = (name: string, text = '') => writeFileSync(join(dataDir, 'pg_wal', name), text);
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hapg-path-'));
  mkdirSync(join(dataDir, 'pg_wal', 'archive_status'), { recursive: true });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('the timelines that a data directory went through', () => {
  test('are what the history file of its newest says', () => {
    put('000000010000000000000003');
    expect(timelinePath(dataDir)).toEqual({ left: [], newest: 1 });
    put('00000002.history', '1\t0/3000000\tno reason\n');
    put('0000000A.history', '1\t0/3000000\tno reason\n2\t0/50000A0\tno reason\n');
    expect(timelinePath(dataDir)).toEqual({
      left: [
        { timeline: 1, at: '0/3000000' },
        { timeline: 2, at: '0/50000A0' },
      ],
      newest: 10,
    });
  });

  test('are not known where that file, or all WAL, is missing', () => {
    expect(timelinePath(dataDir)).toBeNull();
    expect(timelinePath(join(dataDir, 'nowhere'))).toBeNull();
    put('00000002.history', '1\t0/3000000\tno reason\n');
    put('000000030000000000000003');
    expect(timelinePath(dataDir)).toBeNull();
  });

  test('of a server that runs are read again once a file has come or gone', () => {
    const reader = new TimelinePathReader(dataDir);
    const touch = (seconds: number) => utimesSync(join(dataDir, 'pg_wal'), seconds, seconds);
    put('000000010000000000000003');
    touch(1000);
    expect(reader.read()?.newest).toBe(1);
    put('00000002.history', '1\t0/3000000\tno reason\n');
    touch(2000);
    expect(reader.read()?.newest).toBe(2);
    unlinkSync(join(dataDir, 'pg_wal', '00000002.history'));
    touch(3000);
    expect(reader.read()?.newest).toBe(1);
    rmSync(join(dataDir, 'pg_wal'), { recursive: true });
    expect(reader.read()).toBeNull();
  });
});
