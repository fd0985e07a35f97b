import type { NodeStatus } from '@ha-postgres/cluster-state';
import { until } from '../../test/fixture/clock';
import { address, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { Replicas } from './replicas';

const running: Replicas[] = [];
afterEach(() => {
  for (const replicas of running.splice(0)) replicas.stop();
  endWorlds();
});

const status = (node: string, change: Partial<NodeStatus> = {}): NodeStatus => ({
  ...address(node),
  role: 'Replica',
  rule: '',
  term: 0,
  dataTerm: 6,
  timeline: 1,
  lsn: '0/1',
  inRecovery: true,
  streaming: true,
  lagBytes: 0,
  postgresAlive: true,
  runnerPhase: 'running',
  takeover: { able: true, why: '' },
  tags: { noFailover: false, failoverPriority: 0 },
  lastError: null,
  ...change,
});

/** Node `b` runs as Master; `streaming` are who streams from it. */
async function master(...streaming: string[]): Promise<World> {
  const w = world();
  w.set(w.parts.keys.members, { members: ['a', 'b', 'c'].map(address) });
  await w.look();
  w.postgres.sight = standby({ inRecovery: false, streamingReplicas: streaming });
  w.parts.facts.hold = { view: { phase: 'running' }, stop: () => undefined } as never;
  return w;
}

function look(w: World): void {
  const replicas = new Replicas(w.parts);
  running.push(replicas);
  replicas.start();
}

describe('what a Master knows of its Replicas', () => {
  it('is the addresses that those give who stream from it, each once', async () => {
    const w = await master('a', 'a', 'c');
    w.set(w.parts.keys.status('a'), status('a', { host: 'elsewhere' }));
    w.set(w.parts.keys.status('c'), status('c'));
    look(w);
    await until('it is known', () => w.parts.facts.reachableReplicas.length > 0);
    expect(w.parts.facts.reachableReplicas).toEqual([{ ...address('a'), host: 'elsewhere' }, address('c')]);
    expect(w.pokes).toBeGreaterThan(0);
  });

  it('is who may confirm commits: the preferred first, and nobody that must not be promoted', async () => {
    const w = await master('a', 'c', 'd');
    w.set(w.parts.keys.status('a'), status('a'));
    w.set(w.parts.keys.status('c'), status('c', { tags: { noFailover: false, failoverPriority: 5 } }));
    w.set(w.parts.keys.status('d'), status('d', { tags: { noFailover: true, failoverPriority: 9 } }));
    look(w);
    await until('it is known', () => w.parts.facts.eligibleReplicas !== null);
    expect(w.parts.facts.eligibleReplicas).toEqual(['c', 'a']);
  });

  it('gives those that the rule names a while to come, when it begins to run', async () => {
    const w = await master('c');
    const rule = { version: 1, term: 6, mode: 'quorum', k: 1, names: ['a'], previous: null };
    w.set(w.parts.keys.sync, rule);
    await w.parts.consul.readSync(1000);
    w.set(w.parts.keys.status('c'), status('c'));
    look(w);
    await until('it is known', () => w.parts.facts.eligibleReplicas !== null);
    expect(w.parts.facts.eligibleReplicas).toEqual(['a', 'c']);
    await until('a has not come', () => w.parts.facts.eligibleReplicas?.includes('a') === false);
    expect(w.parts.facts.eligibleReplicas).toEqual(['c']);
  });

  it('leaves out one that has told nothing that can be read', async () => {
    const w = await master('a', 'c', 'walreceiver');
    w.set(w.parts.keys.status('a'), '{"node":7}');
    w.set(w.parts.keys.status('c'), status('c'));
    look(w);
    await until('it is known', () => w.parts.facts.reachableReplicas.length > 0);
    expect(w.parts.facts.reachableReplicas).toEqual([address('c')]);
  });

  it('counts a member as gone only after 30 s without an answer', async () => {
    const w = await master('a');
    w.set(w.parts.keys.status('a'), status('a'));
    const asked: string[] = [];
    jest.spyOn(w.parts.peers, 'isLive').mockImplementation(({ node }) => {
      asked.push(node);
      return Promise.resolve(false);
    });
    const now = process.hrtime.bigint.bind(process.hrtime);
    const clock = jest.spyOn(process.hrtime, 'bigint');
    try {
      look(w);
      await until('it has looked', () => w.parts.facts.reachableReplicas.length > 0);
      clock.mockImplementation(() => now() + 28_000_000_000n);
      await until('c was asked', () => asked.includes('c'), 40_000);
      expect(w.parts.facts.goneMembers).toEqual([]);
      clock.mockImplementation(() => now() + 31_000_000_000n);
      await until('c is gone', () => w.parts.facts.goneMembers.length > 0, 60_000);
      expect(w.parts.facts.goneMembers).toEqual(['c']);
      expect(asked).not.toContain('a');
    } finally {
      clock.mockRestore();
    }
  });

  it('is nothing where it is not Master', async () => {
    const w = await master('a');
    w.parts.facts.hold = null;
    w.parts.facts.reachableReplicas = [address('a')];
    w.parts.facts.goneMembers = ['c'];
    look(w);
    await until('it is forgotten', () => w.parts.facts.reachableReplicas.length === 0);
    expect(w.parts.facts.goneMembers).toEqual([]);
  });

  it('stays what it was while Consul does not answer', async () => {
    const w = await master('a');
    w.parts.facts.reachableReplicas = [address('a')];
    w.fate = () => ({ toServerMs: null, toClientMs: null });
    look(w);
    await until('it was tried', () => w.log.of('replicas.look-failed').length > 0);
    expect(w.parts.facts.reachableReplicas).toEqual([address('a')]);
  });
});
