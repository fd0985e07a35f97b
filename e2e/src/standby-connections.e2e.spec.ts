import { readNodeStatus } from '@ha-postgres/local-cluster';
import { nodeBehind } from './client';
import { allAnswer, dropAllThrough, holdThroughAll, othersThan, portsOf, standbysAt } from './load-balancers';
import { eventually, newMaster } from './wait-for';
import { withCluster } from './with-cluster';

it('when the Master’s whole node dies, a Replica without a Master to stream from keeps its standby connections until there is one', () =>
  withCluster({}, async (cluster) => {
    const described = cluster.describe();
    const old = cluster.master?.name ?? '';
    const held = await holdThroughAll(described, 4);
    try {
      await cluster.kill(old);
      const { name: promoted, postgresPort } = await newMaster(cluster, old);
      const [other] = othersThan(described, old, promoted);
      if (other === undefined) throw new Error('a cluster of three has a third node');
      await eventually(`${other.name} to stream from ${promoted}`, async () => {
        const status = await readNodeStatus(other.roleServerUrl);
        return status?.role === 'Replica' && status.streaming;
      });
      for (const port of portsOf(described, 'masterPort'))
        await eventually(`port ${port} to lead to ${promoted} at ${postgresPort}`, async () => {
          return (await nodeBehind(described, port)) === promoted;
        });
      const stayed = standbysAt(held, other.name);
      expect(stayed.length).toBeGreaterThan(0);
      expect(await allAnswer(stayed)).toBe(true);
    } finally {
      dropAllThrough(held);
    }
  }));
