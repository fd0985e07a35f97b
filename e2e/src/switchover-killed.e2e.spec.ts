import { readNodeStatus, type RemoteCluster } from '@ha-postgres/local-cluster';
import { deadMastersJoinAgain } from './emptied-data';
import { Failpoint, type FailpointName } from './failpoint';
import { hapg } from './hapg';
import { loadOn } from './load';
import { othersThan } from './load-balancers';
import { sharedCluster } from './shared-cluster';
import { outcomeOf, requestSwitchover } from './switchover-request';
import { eventually, newMaster } from './wait-for';

const SOME_WRITES = 20;

/** What a fenced Master had not sent may be left on it: that nothing acknowledged is lost is judged by what is stored. */
const shared = sharedCluster({ settings: { failpoints: 'true', rejoin: 'always' } });

/** A controller is killed at one place in a switchover; whatever comes of it must be one of its two ends. */
async function killedAt(cluster: RemoteCluster, place: FailpointName, whose: 'from' | 'to'): Promise<void> {
  await deadMastersJoinAgain(cluster);
  const [from, to] = pair(cluster);
  const load = await loadOn(cluster);
  const trap = new Failpoint(cluster, whose === 'from' ? from : to, place);
  try {
    await load.moreWrites(SOME_WRITES);
    trap.set('kill');
    const id = await requestSwitchover(cluster.describe(), from, to);
    await eventually(`the controller of ${trap.node} to die there`, () => trap.isReached());
    const { promotion, refused } = await outcomeOf(cluster, id);
    await load.moreWrites(SOME_WRITES);
    await deadMastersJoinAgain(cluster);
    // A Master that ended before anybody was told what it had accepted: the next one refuses in its place.
    if (refused !== null && place === 'switchover-accepted') expect(refused.why).toMatch(/is the Master|became Master/);
    else expect(cluster.master?.name).toBe(promotion?.node);
  } finally {
    trap.remove();
    await load.stop();
  }
  expect((await load.finish()).violations).toEqual([]);
}

/** The Master, and who is to succeed it. */
function pair(cluster: RemoteCluster): [from: string, to: string] {
  const from = cluster.master?.name ?? '';
  return [from, othersThan(cluster.describe(), from)[0]?.name ?? ''];
}

describe('a switchover in which a controller is killed is completed or rolled back, and the cluster takes writes', () => {
  shared.story('when the Master has accepted it', (cluster) => killedAt(cluster, 'switchover-accepted', 'from'));
  shared.story('when the load balancers hold', (cluster) => killedAt(cluster, 'switchover-draining', 'from'));
  shared.story('when its PostgreSQL has stopped', (cluster) => killedAt(cluster, 'switchover-stopped', 'from'));
  shared.story('when the lock is released', (cluster) => killedAt(cluster, 'switchover-released', 'from'));
  shared.story('when the successor is about to promote', (cluster) => killedAt(cluster, 'before-promote', 'to'));
  shared.story('when the successor has promoted', (cluster) => killedAt(cluster, 'before-running', 'to'));
});

describe('a switchover whose Master is lost', () => {
  shared.story('before it has accepted is refused by the next, and who asked for it is told', async (cluster) => {
    await deadMastersJoinAgain(cluster);
    const [from, to] = pair(cluster);
    const load = await loadOn(cluster);
    const trap = new Failpoint(cluster, from, 'switchover-accepted');
    try {
      await load.moreWrites(SOME_WRITES);
      trap.set('wait');
      const asked = hapg(cluster.describe(), 'switchover', '--to', to, '--yes');
      await eventually('the Master to have accepted', () => trap.isReached());
      await cluster.kill(from);
      const { name, roleServerUrl } = await newMaster(cluster, from);
      expect(await asked).toMatchObject({ code: 1, errors: expect.stringContaining(name) as string });
      // Until then its status may tell of a switchover before this one.
      const said = await eventually(`${name} to refuse`, async () => {
        const told = (await readNodeStatus(roleServerUrl))?.switchover;
        return told?.state === 'refused' ? told : null;
      });
      expect(said.why).toBe(`asked of ${from}, but ${name} is the Master`);
      trap.remove();
      await cluster.start(from);
      await load.moreWrites(SOME_WRITES);
      await deadMastersJoinAgain(cluster);
    } finally {
      trap.remove();
      await load.stop();
    }
    const verdict = await load.finish({ allowLost: Number.MAX_SAFE_INTEGER });
    expect(verdict.violations).toEqual([]);
  });
});

describe('a switchover whose successor is lost', () => {
  shared.story('on its way is answered by another node, or rolled back, and loses nothing', async (cluster) => {
    await deadMastersJoinAgain(cluster);
    const [from, to] = pair(cluster);
    const load = await loadOn(cluster);
    const trap = new Failpoint(cluster, from, 'switchover-stopped');
    try {
      await load.moreWrites(SOME_WRITES);
      trap.set('wait');
      const id = await requestSwitchover(cluster.describe(), from, to);
      await eventually('the Master to have stopped', () => trap.isReached());
      await cluster.freeze(to);
      trap.remove();
      const { promotion } = await outcomeOf(cluster, id);
      expect(promotion?.node).not.toBe(to);
      expect(promotion?.why).toMatch(new RegExp(`^switchover ${id}( rolled back)?: ${to} did not take over$`));
      await load.moreWrites(SOME_WRITES);
      await cluster.thaw(to);
      await deadMastersJoinAgain(cluster);
      await eventually(`${to} to stream`, async () => {
        const status = await readNodeStatus(cluster.node(to).roleServerUrl);
        return status?.role === 'Replica' && status.streaming;
      });
    } finally {
      trap.remove();
      await cluster.thaw(to);
      await load.stop();
    }
    expect((await load.finish()).violations).toEqual([]);
  });
});
