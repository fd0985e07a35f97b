import { begin } from '../run/beginning';
import { Cluster } from '../run/cluster';
import { drawScenario, type NodePlan } from '../run/scenario';
import { Random } from '../world/random';
import { World } from '../world/world';
import { whyNotWhole } from './convergence';
import { Coverage } from './coverage';
import { whyMayWait } from './may-wait';

const LIMIT_MS = 60_000;

/** A cluster that was stopped and has begun again, whole; none of its nodes but the first may be Master unless `may` names it. */
async function whole(count: number, may: (name: string) => boolean, changes: object = {}): Promise<Cluster> {
  const world = new World(1);
  const drawn = drawScenario(new Random(1, 9), []);
  const nodes = Array.from({ length: count }, (_, i): NodePlan => {
    const name = `n${i}`;
    return { name, rate: 1, fsyncMs: 1, lateMs: 0, lateness: 0, changes: may(name) ? {} : { noFailover: true } };
  });
  const config = { coldStartWait: 1000, ...changes };
  const cluster = new Cluster(
    world,
    { ...drawn, nodes, config, lagLimitBytes: 1024 * 1024, beginning: 'stopped' },
    new Coverage(),
  );
  begin(cluster);
  cluster.writers.start();
  await until(cluster, () => whyNotWhole(cluster) === null);
  return cluster;
}

async function until({ world }: Cluster, holds: () => boolean): Promise<void> {
  const end = world.now() + LIMIT_MS;
  while (!holds() && world.now() < end) await world.runUntil(world.now() + 100);
  expect(world.violations).toEqual([]);
  expect(holds()).toBe(true);
}

/** The Master is gone for good, and its lease is over. */
function masterDies(cluster: Cluster) {
  const master = cluster.lastHolder;
  if (master === null) throw new Error('there is no Master');
  master.crash();
  return master;
}

describe('a cluster whose Master stays dead', () => {
  it('must have a Master where one is left that has what it told', async () => {
    const cluster = await whole(3, () => true);
    const away = masterDies(cluster);
    expect(whyMayWait(cluster, away)).toBeNull();
    await until(cluster, () => whyNotWhole(cluster, { away, isGone: true }) === null);
    expect(whyNotWhole(cluster)).toBe(`${away.name} has no PostgreSQL running`);
  });

  it('waits where nobody that is left may be Master', async () => {
    const cluster = await whole(2, (name) => name === 'n0');
    expect(whyMayWait(cluster, masterDies(cluster))).toBe('nobody that is left may take over');
  });

  it('waits where too few of those are left that confirm commits', async () => {
    const cluster = await whole(3, () => true, { replication: 'quorum', synchronousReplicas: 1 });
    const away = masterDies(cluster);
    expect(whyMayWait(cluster, away)).toBeNull();
    const [replica] = [...cluster.nodes.values()].filter((node) => node !== away);
    if (replica === undefined) throw new Error('there is no Replica');
    replica.crash();
    replica.disk.data.isDamaged = true;
    expect(whyMayWait(cluster, away)).toBe('too few that are left confirmed commits');
  });

  it('does not wait while somebody takes writes', async () => {
    const cluster = await whole(2, (name) => name === 'n0');
    const [, replica] = [...cluster.nodes.values()];
    if (replica === undefined) throw new Error('there is no Replica');
    expect(whyMayWait(cluster, replica)).toBeNull();
  });
});
