import type { Fact, MasterEntry, MasterSight } from '@ha-postgres/failover';
import { masterValue } from '../../test/fixture/values';
import { hasMasterToStreamFrom } from './master-to-stream-from';

const NOW = 100_000;
const HEARTBEAT = 500;

function sees(change: Partial<MasterEntry> | null, seenAt = NOW - 50): Fact<MasterSight> {
  const entry: MasterEntry | null = change && {
    value: masterValue(),
    modifyIndex: 7,
    session: 's',
    firstSeenAt: NOW - 400,
    confirmedSentAt: null,
    ...change,
  };
  return { known: true, seenAt, value: { entry } };
}

describe('a Master to stream from', () => {
  it.each([
    ['is there while it beats', true, sees({})],
    ['is not there without a key', false, sees(null)],
    ['is not there while nobody holds the key', false, sees({ session: null })],
    ['is not there before the holder runs', false, sees({ value: masterValue({ phase: 'promoting' }) })],
    ['is not there while it drains', false, sees({ value: masterValue({ phase: 'draining' }) })],
    ['is not there once it has missed two beats, though its lease runs', false, sees({ firstSeenAt: NOW - 1001 })],
    ['is taken to be there while Consul is silent', true, sees({ firstSeenAt: NOW - 5000 }, NOW - 1001)],
    ['is taken to be there before Consul has answered', true, { known: false, why: 'not yet' } as const],
  ])('%s', (_, expected, master) => {
    expect(hasMasterToStreamFrom(master, NOW, HEARTBEAT)).toBe(expected);
  });
});
