import type { MasterValue } from '@ha-postgres/cluster-state';
import { ZERO_LSN, parseLsn } from '@ha-postgres/lsn';
import fc from 'fast-check';
import { masterValue, standby } from '../../test/fixture/values';
import { Reads, behindMaster } from './reads';

type Seen = Parameters<Reads['whyNot']>[1];

/** A Replica that has replayed to `replayed`, while the key says `value`. */
function seen(replayed: string | null, value: MasterValue | null, session: string | null = 's'): Seen {
  const entry = { session, value, modifyIndex: 7, firstSeenAt: 0 };
  return {
    now: 0,
    master: { known: true, seenAt: 0, value: { entry, consistent: true } },
    postgres: standby({ replayedLsn: replayed === null ? null : parseLsn(replayed) }),
  } as unknown as Seen;
}

const behind = (bytes: number): Seen => seen('1/0', masterValue({ lsn: `1/${bytes.toString(16).toUpperCase()}` }));

describe('how far a Replica is behind', () => {
  it('is what the last beat of the Master said, or its stream since', () => {
    expect(behindMaster(behind(300), null)).toBe(300);
    expect(behindMaster(behind(300), 200)).toBe(300);
    expect(behindMaster(behind(300), 400)).toBe(400);
    expect(behindMaster(seen('2/0', masterValue({ lsn: '1/0' })), null)).toBe(0);
  });

  it('is not known without a running Master, or while PostgreSQL does not say what is replayed, but by the stream', () => {
    for (const o of [
      seen(null, masterValue()),
      seen('0/1', null),
      seen('0/1', masterValue(), null),
      seen('0/1', masterValue({ phase: 'waiting' })),
      { ...seen('0/1', masterValue()), master: { known: false, why: 'Consul is silent' } } as Seen,
    ]) {
      expect(behindMaster(o, null)).toBeNull();
      expect(behindMaster(o, 5)).toBe(5);
    }
  });
});

describe('a Replica gets readers', () => {
  it('however far behind it is, unless there is a limit', () => {
    expect(new Reads(false, null).whyNot('Replica', behind(1e9), 1e9)).toBeNull();
  });

  it('until it is further behind than maximumLagOnRead, and again when it has come half as near', () => {
    const reads = new Reads(false, 1000);
    const why = (bytes: number) => reads.whyNot('Replica', behind(bytes), null);
    expect(why(1000)).toBeNull();
    expect(why(1001)).toContain('1001 bytes behind the Master');
    expect(why(1000)).toContain('comes back at 500');
    expect(why(501)).not.toBeNull();
    expect(why(500)).toBeNull();
    expect(why(1000)).toBeNull();
  });

  it('or not, as before, while its lag is not known', () => {
    const reads = new Reads(false, 1000);
    const unknown = seen(null, masterValue());
    expect(reads.whyNot('Replica', unknown, null)).toBeNull();
    expect(reads.whyNot('Replica', behind(1001), null)).not.toBeNull();
    expect(reads.whyNot('Replica', unknown, null)).toContain('when its lag was last known');
    expect(reads.whyNot('Replica', behind(0), null)).toBeNull();
  });

  it('never while it is tagged noLoadBalance', () => {
    expect(new Reads(true, null).whyNot('Replica', behind(0), 0)).toBe('tagged noLoadBalance');
  });
});

it('what is asked of a Replica is not asked of a Master, which begins anew when it is a Replica again', () => {
  const reads = new Reads(false, 1000);
  expect(reads.whyNot('Replica', behind(1001), null)).not.toBeNull();
  expect(reads.whyNot('Master', behind(1001), null)).toBeNull();
  expect(reads.whyNot('Replica', behind(600), null)).toBeNull();
  expect(new Reads(true, 1).whyNot('Master', behind(5), null)).toBeNull();
  expect(new Reads(true, 1).whyNot('DeadMaster', behind(5), null)).toBeNull();
});

it('no sequence of lags keeps a Replica away that has caught up, or keeps one that is beyond the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3000 })), fc.integer({ min: 1, max: 2000 }), (lags, max) => {
      const reads = new Reads(false, max);
      for (const lag of lags) reads.whyNot('Replica', behind(lag), null);
      expect(reads.whyNot('Replica', behind(max + 1), null)).not.toBeNull();
      expect(reads.whyNot('Replica', seen('1/0', masterValue({ lsn: '1/0' })), Number(ZERO_LSN))).toBeNull();
    }),
  );
});
