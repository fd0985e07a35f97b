import type { HistoryEntry, MasterValue, NodeAddress } from '@ha-postgres/cluster-state';
import { NO_MARKS, type SimNode } from '../node/node';
import { Database } from '../postgres/data-directory';
import { lsnText } from '../postgres/wal';
import type { Cluster } from './cluster';

const SYSTEM = '7000000000000000001';

/** Brings the cluster to its beginning and starts its machines. */
export function begin(cluster: Cluster): void {
  const { scenario, world } = cluster;
  if (scenario.beginning !== 'bootstrap') stoppedCluster(cluster, scenario.beginning === 'stopped');
  const spreadMs = world.random.chance(0.8) ? 30 : 1500;
  for (const node of cluster.nodes.values()) world.schedule(world.random.between(0, spreadMs), () => node.boot());
}

/** What a cluster leaves in Consul and on disks when all of it stops: at the end of its Master's first term. */
function stoppedCluster({ nodes, keys, consul }: Cluster, isClean: boolean): void {
  const all = [...nodes.values()];
  const [first] = all;
  if (first === undefined) return;
  const addressOf = ({ name }: SimNode): NodeAddress => ({ node: name, host: name, port: 5432, apiPort: 8080 });
  const addresses = all.map(addressOf);
  const address = addressOf(first);
  const origin = new Database(SYSTEM);
  const end = lsnText(origin.wal.end);
  const promotion: HistoryEntry = {
    term: 1,
    parentTerm: 0,
    timeline: 1,
    forkLsn: end,
    node: first.name,
    from: null,
    why: 'bootstrap',
    at: '2026-01-01T00:00:00.000Z',
    tookMs: 1,
  };
  const master: MasterValue = {
    ...address,
    term: 1,
    beat: 1,
    phase: isClean ? 'draining' : 'running',
    timeline: 1,
    lsn: end,
    lsnExact: isClean,
    released: isClean,
    successor: null,
    last: null,
  };
  const set = (key: string, value: unknown): void =>
    void consul.fake.store.apply([{ verb: 'set', key, value: JSON.stringify(value) }]);
  set(keys.initialize, { node: first.name, systemId: SYSTEM });
  set(keys.history, { promotions: [promotion] });
  set(keys.members, { members: addresses });
  set(keys.master, master);
  const { index } = consul.fake.store;
  for (const node of all) {
    node.disk.data.database = origin.copy();
    node.disk.data.database.control = { ...origin.control, cleanShutdown: isClean };
    node.disk.marks = { ...NO_MARKS, systemId: SYSTEM };
    node.disk.controller = {
      node: node.name,
      highestTerm: 1,
      highestModifyIndex: index,
      dataTerm: 1,
      ledTerm: node === first ? 1 : null,
      deadMaster: false,
      votedTerm: 0,
      promise: null,
      hold: null,
    };
  }
}
