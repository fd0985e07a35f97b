import type { NodeStatus } from '@ha-postgres/cluster-state';
import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { loseConsulsData, restoreSnapshot, saveSnapshot } from '../consul-data';
import { hapg, typed } from '../hapg';
import { masterKey } from '../master-key';
import { everyNodeSays } from '../said-by-nodes';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

const consulsData = faultCluster();

consulsData.row(16, { half: 'quick', variant: 'all data lost' }, async (fault) => {
  const { cluster, master, replica } = fault;
  await fault.strike(() => loseConsulsData(cluster));
  await everyNodeRefuses(cluster, 'the master key is gone');
  await theClusterIsKnownAgain(cluster);
  await nodesAreRanked(cluster);
  // Recovery of the one that was Master may take a while; until then hapg refuses for that.
  await everyNodeSays(cluster, 'that its PostgreSQL is in standby mode', ({ inRecovery }) => inRecovery === true);

  const from = ['bootstrap', '--from', master.name];
  await isRefused(cluster, from, 'HAPG_COMMAND_UNCONFIRMED');
  await cluster.kill(`${replica.name}/role-server`, true);
  await isRefused(cluster, [...from, '--yes'], '--unreachable-are-down');
  await cluster.start(`${replica.name}/role-server`);

  await everyNodeRefuses(cluster, 'the master key is gone');
  await fault.mend(() => typed(cluster.describe(), ...from, '--yes'));
  expect(await masterKey(cluster.describe())).toMatchObject({ node: master.name, phase: 'running' });
  await fault.writesGoOn();
});

consulsData.row(
  16,
  { half: 'quick', variant: 'an old snapshot restored, with a lock that is released', mayLoseUnsent: true },
  async (fault) => {
    const { cluster, described, master } = fault;
    const pausedBy = await typed(described, 'pause', '--why', 'for a snapshot');
    expect(pausedBy).toContain('Paused');
    await fault.strike(() => cluster.kill(`${master.name}/postgres`));
    await eventually('the lock to be released', async () => (await masterKey(described)).released);
    const snapshot = await saveSnapshot(described);
    const { term } = await masterKey(described);
    await typed(described, 'resume');
    const next = await eventually('a Master of a later term', async () => {
      const value = await masterKey(described);
      return value.phase === 'running' && value.term > term ? value : null;
    });
    await fault.writesGoOn();

    await restoreSnapshot(described, snapshot);
    await typed(described, 'resume', '--wait', '30s');
    await everyNodeRefuses(cluster, "Consul's memory went back");
    // It looks as if anybody might take it.
    expect(await masterKey(described)).toMatchObject({ released: true, term });
    await fault.mend(() => typed(cluster.describe(), 'bootstrap', '--from', next.node, '--yes'));
    expect(await masterKey(described)).toMatchObject({ node: next.node, phase: 'running' });
    await fault.writesGoOn();
  },
);

/** By its own word: Consul is not to be trusted, and PostgreSQL, where it runs, is in standby mode. */
function everyNodeRefuses(cluster: RemoteCluster, why: string): Promise<void> {
  return everyNodeSays(
    cluster,
    `that ${why}`,
    ({ consulWentBack, role, inRecovery }) =>
      consulWentBack?.includes(why) === true && role !== 'Master' && inRecovery !== false,
  );
}

/** So that an empty node makes no second one. */
async function theClusterIsKnownAgain(cluster: RemoteCluster): Promise<void> {
  const { consul } = cluster.describe();
  await eventually('key initialize with the identifier of the cluster', async () => {
    const response = await fetch(`${consul.http}/v1/kv/${consul.prefix}/initialize?raw`);
    return response.ok && /"systemId":"\d+"/.test(await response.text());
  });
}

interface StatusShown {
  readonly nodes: readonly { readonly node: string; readonly status: NodeStatus | null }[];
  readonly advice: readonly { readonly what: string; readonly remedies: readonly string[] }[];
}

async function nodesAreRanked(cluster: RemoteCluster): Promise<void> {
  const described = cluster.describe();
  await eventually('hapg status to rank all nodes, and to name one in what to type', async () => {
    const { advice } = JSON.parse(await typed(described, 'status', '--json')) as StatusShown;
    return advice.some(
      ({ what, remedies }) =>
        remedies.some((text) => /^hapg bootstrap --from \w+$/.test(text)) &&
        described.nodes.every(({ name }) => what.includes(`${name}: data of term`)),
    );
  });
}

async function isRefused(cluster: RemoteCluster, arguments_: readonly string[], why: string): Promise<void> {
  const { code, errors } = await hapg(cluster.describe(), ...arguments_);
  expect(errors).toContain(why);
  expect(code).toBe(1);
}
