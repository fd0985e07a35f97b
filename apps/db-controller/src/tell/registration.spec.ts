import type { NodeStatus, Role } from '@ha-postgres/cluster-state';
import { until } from '../../test/fixture/clock';
import { told } from '../../test/fixture/told';
import { address } from '../../test/fixture/values';
import { endWorlds, world } from '../../test/fixture/world';
import { Registration } from './registration';

afterEach(endWorlds);

const status = (role: Role | null, change: Partial<NodeStatus> = {}) =>
  told({
    ...address('b'),
    role,
    rule: 'replicaFollowsTheRunningMaster',
    term: 0,
    dataTerm: 5,
    timeline: 1,
    lsn: '0/5000000',
    inRecovery: role === 'Replica',
    streaming: true,
    lagBytes: 0,
    postgresAlive: true,
    runnerPhase: 'running',
    takeover: { able: true, why: '' },
    tags: { noFailover: false, failoverPriority: 0 },
    lastError: null,
    ...change,
  });

/** What is told to Consul, one line a call, and whether it takes it. */
function registered() {
  const w = world();
  const calls: string[] = [];
  let fails: RegExp | null = null;
  const tell = (call: string): Promise<void> => {
    calls.push(call);
    return fails?.test(call) === true ? Promise.reject(new Error('no')) : Promise.resolve();
  };
  const last = (prefix: string) => calls.findLast((call) => call.startsWith(prefix));
  const inConsul = (key: string) => {
    const found = last(key.endsWith('/role') ? 'b/role=' : 'b/status=');
    return found === undefined ? null : { value: found.slice(found.indexOf('=') + 1), modifyIndex: 1 };
  };
  Object.assign(w.parts.client, {
    kvPut: (key: string, value: string) => tell(`${key.split('/').slice(2).join('/')}=${value.slice(0, 10)}`),
    transaction: async ([operation]: [{ key: string; value: string }]) => {
      await tell(`${operation.key.split('/').slice(2).join('/')}=${operation.value.slice(0, 10)}`);
      return { committed: true, entries: [{ modifyIndex: 1 }] };
    },
    kvGet: (key: string) => Promise.resolve({ entry: inConsul(key) }),
    registerService: ({ id, tags }: { id: string; tags: string[] }) => tell(`register ${id} ${tags.join()}`),
    updateTtlCheck: (id: string, state: string) => tell(`${id} ${state}`),
  });
  const registration = new Registration(w.parts);
  const isTold = (call: string) => until(`it is told: ${call} (told: ${calls.join('; ')})`, () => calls.includes(call));
  return { w, calls, registration, isTold, failing: (what: RegExp | null) => void (fails = what) };
}

const REPLICA = [
  'register postgres-b replica',
  'postgresAlive passing',
  'postgresStandbyReplication passing',
  'b/role=Replica',
  'b/status={"node":"b',
];

describe('what a node tells Consul of itself', () => {
  it('is the service first, then the checks, then the role, then the status', async () => {
    const { calls, registration } = registered();
    registration.tell(status('Replica'));
    await until('all is told', () => calls.length === 5);
    expect(calls).toEqual(REPLICA);
  });

  it('is nothing before a role is decided', async () => {
    const { calls, registration, isTold } = registered();
    registration.tell(status(null));
    registration.tell(status('Replica'));
    await isTold('b/role=Replica');
    expect(calls[0]).toBe(REPLICA[0]);
  });

  it('of a Replica that lost its PostgreSQL is critical before anything else changes', async () => {
    const { calls, registration, isTold } = registered();
    registration.tell(status('Replica'));
    await isTold(REPLICA[4] ?? '');
    calls.length = 0;
    registration.tell(status('Replica', { postgresAlive: false, inRecovery: null }));
    await until('it is told', () => calls.length === 3);
    expect(calls).toEqual(['postgresAlive critical', 'postgresStandbyReplication critical', 'b/status={"node":"b']);
  });

  it('of a Replica that does not stream is critical for the standby port only', async () => {
    const { w, registration, isTold } = registered();
    w.postgres.isReplicationFailing = true;
    registration.tell(status('Replica'));
    await isTold('postgresStandbyReplication critical');
    await isTold('postgresAlive passing');
  });

  it('of a Replica that is too far behind is critical for the standby port at once, and passing when it is back', async () => {
    const { calls, registration, isTold } = registered();
    registration.tell(status('Replica', { whyNoReads: null }));
    await isTold(REPLICA[4] ?? '');
    calls.length = 0;
    registration.tell(status('Replica', { whyNoReads: '17 bytes behind' }));
    await isTold('postgresStandbyReplication critical');
    await until('the checks are told', () => calls.includes('b/status={"node":"b'));
    expect(calls).toContain('postgresAlive passing');
    calls.length = 0;
    registration.tell(status('Replica', { whyNoReads: null }));
    await isTold('postgresStandbyReplication passing');
  });

  it('of a Replica tagged noLoadBalance is the tag in place of "replica", and that it streams all the same', async () => {
    const { calls, registration, isTold } = registered();
    const tags = { noFailover: false, failoverPriority: 0, noLoadBalance: true };
    registration.tell(status('Replica', { tags, whyNoReads: 'tagged noLoadBalance' }));
    await isTold('b/role=Replica');
    expect(calls[0]).toBe('register postgres-b noLoadBalance');
    expect(calls).toContain('postgresStandbyReplication passing');
    registration.tell(status('Master', { tags }));
    await isTold('register postgres-b master,noLoadBalance');
  });

  it('of a Master has its tag, and is never called failing for not streaming', async () => {
    const { w, registration, isTold, calls } = registered();
    w.postgres.isReplicationFailing = true;
    registration.tell(status('Replica'));
    await isTold('register postgres-b replica');
    registration.tell(status('Master'));
    await isTold('register postgres-b master');
    expect(calls.indexOf('register postgres-b master')).toBeGreaterThan(calls.indexOf('b/role=Master'));
    await isTold('postgresStandbyReplication passing');
  });

  it('stays what it was while a hold ends: checks and role change only after the release', async () => {
    const { w, calls, registration, isTold } = registered();
    registration.tell(status('Master'));
    await isTold('b/status={"node":"b');
    calls.length = 0;
    w.parts.facts.hold = { stop: () => undefined } as never;
    registration.tell(status('Replica', { postgresAlive: false, inRecovery: null }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([]);
    w.parts.facts.hold = null;
    registration.tell(status('DeadMaster', { postgresAlive: false, inRecovery: null }));
    await isTold('b/role=DeadMaster');
    expect(calls.slice(0, 3)).toEqual([
      'postgresAlive critical',
      'postgresStandbyReplication critical',
      'b/role=DeadMaster',
    ]);
    expect(calls).not.toContain('b/role=Replica');
  });

  it('is told again until Consul has it, the service included when the agent lost it', async () => {
    const { calls, registration, isTold, failing } = registered();
    registration.start();
    try {
      registration.tell(status('Replica'));
      await isTold(REPLICA[4] ?? '');
      calls.length = 0;
      failing(/^postgresAlive/);
      registration.tell(status('DeadMaster'));
      await isTold('postgresAlive passing');
      failing(null);
      await isTold('b/role=DeadMaster');
      expect(calls.filter((call) => call.startsWith('register'))).toEqual(['register postgres-b replica']);
      expect(calls.indexOf('register postgres-b replica')).toBeLessThan(calls.indexOf('b/role=DeadMaster'));
    } finally {
      registration.stop();
    }
  });

  it('is looked at: a role that somebody has overwritten is written again', async () => {
    const { w, calls, registration, isTold } = registered();
    registration.start();
    try {
      registration.tell(status('Replica'));
      await isTold(REPLICA[4] ?? '');
      calls.length = 0;
      const { client } = w.parts;
      const kvGet = client.kvGet.bind(client);
      client.kvGet = async (key) => (key.endsWith('/role') ? ({ entry: { value: 'garbage' } } as never) : kvGet(key));
      await isTold('b/role=Replica');
    } finally {
      registration.stop();
    }
  });

  it('is not written twice where it did not change', async () => {
    const { calls, registration, isTold } = registered();
    registration.tell(status('Replica'));
    await isTold(REPLICA[4] ?? '');
    registration.tell(status('Replica', { postgresAlive: false, inRecovery: null }));
    await isTold('postgresAlive critical');
    registration.tell(status('Replica'));
    await until('all is told', () => calls.filter((call) => call === 'postgresAlive passing').length === 2);
    expect(calls.filter((call) => call === 'b/role=Replica')).toHaveLength(1);
    expect(calls.filter((call) => call.startsWith('register'))).toHaveLength(1);
  });

  it('is repeated before the checks run out, whatever the wall clock does', async () => {
    const { calls, registration, isTold } = registered();
    const now = process.hrtime.bigint.bind(process.hrtime);
    const monotonic = jest.spyOn(process.hrtime, 'bigint');
    const wall = jest.spyOn(Date, 'now');
    try {
      registration.start();
      registration.tell(status('Replica'));
      await isTold(REPLICA[4] ?? '');
      calls.length = 0;
      monotonic.mockImplementation(() => now() + 10_000_000_000n);
      wall.mockReturnValue(0);
      await isTold('postgresAlive passing');
      await isTold('postgresStandbyReplication passing');
    } finally {
      registration.stop();
      monotonic.mockRestore();
      wall.mockRestore();
    }
  });
});
