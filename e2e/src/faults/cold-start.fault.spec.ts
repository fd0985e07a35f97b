import { setTimeout as delay } from 'node:timers/promises';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

/** Within `coldStartWait`, and long enough for Replicas to come up and, were they not to wait, to take over. */
const MASTER_COMES_LATER_MS = 15_000;
/** Twice a session's TTL: Consul itself, started anew, counts it from the beginning. */
const SESSION_ENDS_MS = 25_000;

const coldStart = faultCluster();

/**
 * Everything that was acknowledged lies on the last Master's disk: it is Master again, or, where its session outlived it and it so
 * releases the lock as after any death of its PostgreSQL, a Replica is that has fetched the end of its WAL. Nothing may be missing.
 */
coldStart.row(40, { half: 'quick', variant: 'everything comes back at once' }, async (fault) => {
  const { cluster, described } = fault;
  await fault.strike(() => everythingDies(fault));
  const members = [...described.consul.servers, ...described.nodes];
  await fault.mend(() => Promise.all(members.map(({ name }) => cluster.start(name))));
  await runsAgain(fault);
});

coldStart.row(
  40,
  { half: 'long', runs: 1, variant: 'the last Master comes back first, Consul last' },
  async (fault) => {
    const { cluster, described, replicas, master } = fault;
    await fault.strike(() => everythingDies(fault));
    await cluster.start(master.name);
    for (const { name } of replicas) await cluster.start(name);
    await delay(MASTER_COMES_LATER_MS);
    await fault.mend(() => Promise.all(described.consul.servers.map(({ name }) => cluster.start(name))));
    await runsAgain(fault);
  },
);

coldStart.row(
  40,
  { half: 'quick', variant: 'the last Master comes back last, after its session: it is waited for, and Master again' },
  async (fault) => {
    const { cluster, described, replicas, master } = fault;
    await fault.strike(() => everythingDies(fault));
    for (const { name } of described.consul.servers) await cluster.start(name);
    await delay(SESSION_ENDS_MS);
    for (const { name } of replicas) await cluster.start(name);
    await delay(MASTER_COMES_LATER_MS);
    await fault.mend(() => cluster.start(master.name));
    expect(await runsAgain(fault)).toBe(master.name);
  },
);

coldStart.row(
  40,
  { half: 'long', runs: 1, variant: 'the last Master does not come back', mayLoseUnsent: true },
  async (fault) => {
    const { cluster, described, replicas, master } = fault;
    await fault.strike(() => everythingDies(fault));
    for (const { name } of described.consul.servers) await cluster.start(name);
    for (const { name } of replicas) await cluster.start(name);
    expect(await runsAgain(fault)).not.toBe(master.name);
    await fault.mend(() => cluster.start(master.name));
  },
);

async function everythingDies({ cluster, described }: Fault): Promise<void> {
  const members = [...described.nodes, ...described.consul.servers];
  await Promise.all(members.map(({ name }) => cluster.kill(name)));
}

/** Waits until a Master runs in a later term, and clients write. @returns who it is */
async function runsAgain(fault: Fault): Promise<string> {
  const { node } = await eventually('a Master of a later term', async () => {
    const value = await masterKey(fault.described).catch(() => null);
    return value?.phase === 'running' && value.term > fault.term ? value : null;
  });
  await fault.writesGoOn();
  return node;
}
