import { whyNotWhole } from './convergence';
import { whyMayWait } from './may-wait';
import { masterDies, until, whole } from './testing';

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
