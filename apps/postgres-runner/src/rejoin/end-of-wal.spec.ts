import { describe, expect, it } from '@jest/globals';
import { parseLsn } from '@ha-postgres/lsn';
import { parseSegmentHead, segmentBytesIn, whyUnreadable, type ReadingEnd } from './end-of-wal';

const END: ReadingEnd = {
  fork: parseLsn('0/5000000'),
  readTo: parseLsn('0/5000100'),
  across: null,
  error: 'invalid record length at 0/5000100: wanted 24, got 0',
  checkpoint: parseLsn('0/4FFFF00'),
  laterSegment: null,
};

describe('a reading of the WAL', () => {
  it('went to its end where nothing is known to lie beyond', () => {
    expect(whyUnreadable(END)).toBeNull();
    expect(whyUnreadable({ ...END, readTo: END.fork, checkpoint: null })).toBeNull();
  });

  it.each<[string, Partial<ReadingEnd>, string]>([
    ['where nothing could be read', { readTo: null }, 'no record around 0/5000000'],
    ['where it ended before the fork', { readTo: parseLsn('0/4FFFFF8') }, 'before the fork at 0/5000000'],
    ['as far as the fork is in a record', { across: parseLsn('0/4FFFFE0') }, '0/4FFFFE0 goes on beyond the fork'],
    ['where a checkpoint lies beyond', { checkpoint: parseLsn('0/5000200') }, 'checkpoint lies at 0/5000200'],
    [
      'where a later segment was written to',
      { laterSegment: '000000010000000000000006' },
      '000000010000000000000006 was',
    ],
  ])('did not %s, and says why', (_title, change, why) => {
    expect(whyUnreadable({ ...END, ...change })).toContain(why);
  });
});

describe('the head of a segment', () => {
  const head = Buffer.alloc(40);
  head.writeUInt16LE(0xd110, 0);
  head.writeUInt16LE(2, 2);
  head.writeBigUInt64LE(0x5000000n, 8);
  head.writeUInt32LE(16 * 2 ** 20, 32);

  it('tells where the segment belongs, and how large segments are', () => {
    expect(parseSegmentHead(head)).toEqual({ address: 0x5000000n, isContinued: false });
    expect(segmentBytesIn(head)).toBe(16 * 2 ** 20);
  });

  it('is none in a file that was only allocated, or is too short', () => {
    expect(parseSegmentHead(Buffer.alloc(40))).toBeNull();
    expect(parseSegmentHead(head.subarray(0, 20))).toBeNull();
    expect(segmentBytesIn(Buffer.alloc(40))).toBeNull();
  });
});
