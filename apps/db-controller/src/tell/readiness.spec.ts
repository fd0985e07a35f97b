import type { Observation } from '@ha-postgres/failover';
import { runnerReport, standby, stoppedReport } from '../../test/fixture/values';
import { endWorlds, world } from '../../test/fixture/world';
import { readiness, toldRecovery } from './readiness';

afterEach(endWorlds);

const STREAMS = { lastInRecovery: true, isReplicationFailing: false };
const LEADS = { lastInRecovery: false, isReplicationFailing: false };
const SILENT = { inRecovery: null, lsn: null, readAt: null };

function observed(change: Partial<Observation> = {}): Observation {
  const w = world();
  const o = w.observation();
  return {
    ...o,
    disk: { ...o.disk, dataTerm: 5 },
    postgres: standby(),
    runner: { known: true, seenAt: 0, value: runnerReport() },
    ...change,
  };
}

const asMaster = (postgres: Partial<Observation['postgres']>): Observation =>
  observed({ hold: { term: 5, phase: 'running' } as never, postgres: standby({ inRecovery: false, ...postgres }) });

describe('a Master', () => {
  it('is ready while it takes writes', () => {
    expect(readiness('Master', asMaster({}), LEADS)).toEqual({ ready: true, why: 'runs as Master' });
  });

  it('stays ready when one look gets no answer, as long as its alive check has not failed', () => {
    expect(readiness('Master', asMaster(SILENT), LEADS).ready).toBe(true);
    expect(readiness('Master', asMaster({ ...SILENT, alive: false }), LEADS).ready).toBe(false);
  });

  it('is not ready while only Replicas are let in, which its own successor waits for', () => {
    const o = asMaster({});
    const value = { version: 1, term: 5, mode: 'quorum', k: 1, names: ['a'], previous: null } as const;
    const barred = {
      ...o,
      hold: { term: 5, phase: 'running', last: { node: o.self.node, term: 4, timeline: 1, lsn: '0/1' } } as never,
      disk: { ...o.disk, admittedTerm: null },
      sync: { known: true, seenAt: 0, value: { value, isReadable: true } } as const,
    };
    expect(readiness('Master', barred, LEADS)).toMatchObject({ ready: false });
    expect(readiness('Master', { ...barred, disk: { ...o.disk, admittedTerm: 5 } }, LEADS).ready).toBe(true);
  });

  it('is not ready before it is promoted, or without the lock', () => {
    expect(readiness('Master', asMaster({ inRecovery: true }), LEADS).ready).toBe(false);
    expect(readiness('Master', asMaster(SILENT), STREAMS).ready).toBe(false);
    expect(readiness('Master', { ...asMaster({}), hold: null }, LEADS).ready).toBe(false);
  });
});

describe('a Replica', () => {
  it('is ready in standby mode, also when one look gets no answer', () => {
    expect(readiness('Replica', observed(), STREAMS)).toEqual({ ready: true, why: 'streams as Replica' });
    expect(readiness('Replica', observed({ postgres: standby(SILENT) }), STREAMS).ready).toBe(true);
  });

  it.each<[string, Partial<Observation>, Partial<typeof STREAMS>]>([
    ['when its alive check failed', { postgres: standby({ ...SILENT, alive: false }) }, {}],
    ['before PostgreSQL has said anything', { postgres: standby(SILENT) }, { lastInRecovery: null } as never],
    ['when PostgreSQL is out of recovery', { postgres: standby({ inRecovery: false }) }, {}],
    ['when it does not stream', {}, { isReplicationFailing: true }],
  ])('is not ready %s', (_, change, told) => {
    expect(readiness('Replica', observed(change), { ...STREAMS, ...told }).ready).toBe(false);
  });

  it('is not ready before it has streamed from a Master', () => {
    const o = observed();
    expect(readiness('Replica', { ...o, disk: { ...o.disk, dataTerm: 0 } }, STREAMS).ready).toBe(false);
  });
});

it.each(['DeadMaster', null] as const)('role %s is never ready', (role) => {
  expect(readiness(role, observed(), STREAMS).ready).toBe(false);
});

it('what a PostgreSQL said is forgotten when none runs any more', () => {
  const runner = { known: true, seenAt: 0, value: stoppedReport() } as const;
  expect(toldRecovery({ postgres: standby(SILENT), runner }, STREAMS)).toBeNull();
});
