import { describe, expect, it } from '@jest/globals';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import fc from 'fast-check';
import {
  historyName,
  leftAt,
  placesOf,
  segmentName,
  segmentsIn,
  segmentStart,
  stretchesBeyond,
  timelinesIn,
} from './own-wal';

const MB16 = 16 * 2 ** 20;

describe('the files of pg_wal', () => {
  it('are read by name, sorted by position', () => {
    const names = ['00000002.history', '000000020000000100000000', '0000000100000000000000FF', 'archive_status'];
    expect(segmentsIn(names, MB16).map(({ timeline, start }) => [timeline, formatLsn(start)])).toEqual([
      [1, '0/FF000000'],
      [2, '1/0'],
    ]);
    expect(timelinesIn([...names, '00000010.history', '000000030000000100000000.partial'])).toEqual(
      new Set([1, 2, 16]),
    );
    expect(historyName(16)).toBe('00000010.history');
  });

  it('have the names that positions give them', () => {
    const position = fc.bigInt({ min: 0n, max: 2n ** 48n }).map((lsn) => lsn as Lsn);
    const size = fc.constantFrom(2 ** 20, MB16, 2 ** 30);
    fc.assert(
      fc.property(position, size, fc.integer({ min: 1, max: 2 ** 31 }), (lsn, bytes, timeline) => {
        const [segment] = segmentsIn([segmentName(timeline, lsn, bytes)], bytes);
        expect(segment).toMatchObject({ timeline, start: segmentStart(lsn, bytes) });
      }),
    );
  });
});

describe('the stretches of WAL beyond a position', () => {
  const history = '1\t0/3000000\tno recovery target specified\n\n2\t0/5000060\tno recovery target specified\n';
  const beyond = (lsn: string, timeline: number, text: string | null) =>
    stretchesBeyond(parseLsn(lsn), timeline, text).map(
      (one) => `${one.timeline}: ${formatLsn(one.from)}-${one.to === null ? '' : formatLsn(one.to)}`,
    );

  it('begin where a timeline was left', () => {
    expect(leftAt(2, history)).toBe(parseLsn('0/5000060'));
    expect(leftAt(3, history)).toBeNull();
  });

  it('are one where no timeline was left since', () => {
    expect(beyond('0/4000000', 1, null)).toEqual(['1: 0/4000000-']);
    expect(beyond('0/6000000', 3, history)).toEqual(['3: 0/6000000-']);
  });

  it('are as many as timelines were gone through since', () => {
    expect(beyond('0/2000000', 3, history)).toEqual([
      '1: 0/2000000-0/3000000',
      '2: 0/3000000-0/5000060',
      '3: 0/5000060-',
    ]);
    expect(beyond('0/3000000', 3, history)).toEqual(['2: 0/3000000-0/5000060', '3: 0/5000060-']);
  });
});

describe('the places that pg_waldump is given', () => {
  const written = segmentsIn(['000000020000000000000004', '000000020000000000000005'], MB16);
  const places = (from: string, to: string | null, of = written) =>
    placesOf({ timeline: 2, from: parseLsn(from), to: to === null ? null : parseLsn(to) }, of, MB16).join(' ');

  it('name files that were written to: from others it cannot learn how large they are', () => {
    expect(places('0/4000028', null)).toBe('--start 0/4000028 000000020000000000000004 000000020000000000000005');
    expect(places('0/5000000', null)).toBe('--start 0/5000000 000000020000000000000005 000000020000000000000005');
  });

  it('end where the timeline was left, if that much was written', () => {
    const first = '000000020000000000000004';
    expect(places('0/4000000', '0/4000100')).toBe(`--start 0/4000000 --end 0/4000100 ${first} ${first}`);
    expect(places('0/4000000', '0/5000000')).toBe(`--start 0/4000000 --end 0/5000000 ${first} ${first}`);
    expect(places('0/4000000', '0/7000000')).toBe(`--start 0/4000000 ${first} 000000020000000000000005`);
  });

  it('begin at the file that is missing, where it is', () => {
    expect(places('0/3000000', null, [])).toBe('--start 0/3000000 000000020000000000000003 000000020000000000000003');
  });
});
