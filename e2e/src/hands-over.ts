import type { Verdict } from '@ha-postgres/checker';
import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { loadOn } from './load';
import { logOf } from './log-of';
import { Newcomer } from './newcomer';
import { outcomeOf, requestSwitchover } from './switchover-request';
import { eventually, settled } from './wait-for';

const MORE_WRITES = 20;

/** The Master hands over to a node (null: to the best) under load; everything that must hold of that, and what was seen. */
export async function handsOver(cluster: RemoteCluster, to: string | null): Promise<Verdict> {
  const described = cluster.describe();
  const from = cluster.master?.name ?? '';
  const load = await loadOn(cluster, { clients: [{ everyMs: 2, isFresh: false }], probeEveryMs: 200 });
  const newcomers = described.loadBalancers.map(({ masterPort }) => Newcomer.start(described, masterPort));
  let next: string;
  try {
    await load.moreWrites(MORE_WRITES);
    const { promotion, refused } = await outcomeOf(cluster, await requestSwitchover(described, from, to));
    expect(refused).toBeNull();
    next = promotion?.node ?? '';
    expect(promotion?.why).not.toMatch(/did not take over/);
    await load.moreWrites(MORE_WRITES);
    await settled(cluster);
  } finally {
    await Promise.all([load, ...newcomers].map((client) => client.stop()));
  }
  if (to !== null) expect(next).toBe(to);
  expect(next).not.toBe(from);
  // A receiver starts again when the slot of its new term is there: not one glance.
  await eventually(`${from} to stream`, async () => {
    const status = await readNodeStatus(cluster.node(from).roleServerUrl);
    return status?.role === 'Replica' && status.streaming;
  });
  // Whoever had come before all new clients were held, and was still logging in when the Master stopped, was cut off with it.
  const heldAt = clientsHeldAt(cluster, from);
  const refusals = newcomers.flatMap((newcomer) => newcomer.refusals);
  expect(refusals.filter(({ begunAt }) => begunAt >= heldAt)).toEqual([]);
  expect(newcomers.every(({ served }) => served > MORE_WRITES)).toBe(true);
  const verdict = await load.finish();
  expect(verdict.violations).toEqual([]);
  expect(verdict.writers.map(({ node }) => node)).toEqual([from, next]);
  return verdict;
}

/** When all load balancers had told the Master that they hold new clients, the last time; by the wall clock. */
function clientsHeldAt(cluster: RemoteCluster, master: string): number {
  const line = logOf(cluster, `${master}/db-controller`).findLast(({ event }) => event === 'switchover.clients-held');
  return Date.parse(line?.time ?? '');
}
