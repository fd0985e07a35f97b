import type { Cluster } from '../run/cluster';
import type { SimNode } from '../node/node';

/** Once, when a node takes the lock. */
export function atNextAcquire(cluster: Cluster, then: (node: SimNode) => void): void {
  const once = (name: string): void => {
    cluster.acquired.delete(once);
    then(cluster.node(name));
  };
  cluster.acquired.add(once);
}

/** Once, when a Master's list of members is committed: before it can know that. */
export function atNextListOfMembers(cluster: Cluster, then: (node: SimNode) => void): void {
  const once = (name: string): void => {
    cluster.listed.delete(once);
    then(cluster.node(name));
  };
  cluster.listed.add(once);
}

/** Once, when a Master says that it drains for a switchover. */
export function atNextDrain(cluster: Cluster, then: (node: SimNode) => void): void {
  const once = (name: string): void => {
    cluster.drained.delete(once);
    then(cluster.node(name));
  };
  cluster.drained.add(once);
}

/** Once, when a write of key `master` by its holder is committed: before that can know it. */
export function atNextBeat(cluster: Cluster, then: (node: SimNode) => void): void {
  const once = (name: string): void => {
    cluster.beaten.delete(once);
    then(cluster.node(name));
  };
  cluster.beaten.add(once);
}
