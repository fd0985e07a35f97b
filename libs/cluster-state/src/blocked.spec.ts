import { expect, test } from '@jest/globals';
import { waitsForConsent, waitsForPerson } from './blocked';

const REPLICA = { rejoin: null, role: 'Replica', runnerPhase: 'running' } as const;

test.each([
  ['HAPG_REJOIN_WOULD_LOSE: 3 commits', true],
  ['HAPG_DATA_NO_ROOM: 1 GB', false],
  [null, false],
])('consent is what %j asks for: %s', (rejoin, asks) => {
  expect(waitsForConsent({ rejoin })).toBe(asks);
});

test.each([
  [{ rejoin: 'HAPG_REJOIN_WOULD_LOSE: 3 commits' }, null, true],
  [{ rejoin: 'HAPG_DATA_NO_ROOM: 1 GB' }, null, true],
  [{ rejoin: 'waits until its data directory is emptied (rejoin: never)', role: 'DeadMaster' }, null, true],
  [{ rejoin: 'rejoins b (its data left the history): rewinding', role: 'DeadMaster' }, null, false],
  [{ role: 'DeadMaster' }, null, true],
  [{}, 'blocked', true],
  [{ runnerPhase: 'blocked' }, null, true],
  [{}, 'follow', false],
] as const)('a node that says %j and is told %s waits for a person: %s', (says, instruction, waits) => {
  expect(waitsForPerson({ ...REPLICA, ...says }, instruction)).toBe(waits);
});
