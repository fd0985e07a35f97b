import { CONSUL } from '../consul/consul-model';
import type { SimNode } from '../node/node';
import type { Cluster } from '../run/cluster';
import type { Random } from '../world/random';

/** A fault that nobody mends for a while: what is left of the cluster must be whole all the same. */
export interface Standing {
  /** The node that it befell, of which nothing is asked; null: none. */
  readonly away: SimNode | null;
  /** Nobody reaches it: neither clients and Replicas nor an administrator. */
  readonly isGone: boolean;
  readonly end: () => void;
}

type Stand = (cluster: Cluster, node: SimNode, random: Random) => Standing;

function cutBothWays({ network }: Cluster, name: string, from: readonly string[]): () => void {
  const healed = from.flatMap((other) => [network.cut(name, other), network.cut(other, name)]);
  return () => healed.forEach((heal) => heal());
}

const nodeStaysDead: Stand = (_cluster, node) => {
  node.crash();
  node.isGone = true;
  return {
    away: node,
    isGone: true,
    end: () => {
      node.isGone = false;
      node.boot();
    },
  };
};

const nodeStaysCutOff: Stand = (cluster, node) => {
  const others = [...cluster.nodes.keys()].filter((name) => name !== node.name);
  const everybody = [...others, CONSUL, ...cluster.scenario.balancers];
  return { away: node, isGone: true, end: cutBothWays(cluster, node.name, everybody) };
};

const nodeStaysCutFromConsul: Stand = (cluster, node) => ({
  away: node,
  isGone: true,
  end: cutBothWays(cluster, node.name, [CONSUL]),
});

/** Its agent, and now and then one of the servers as well. */
const agentStaysSilent: Stand = ({ consul }, node, random) => {
  consul.silentAgents.add(node.name);
  const server = random.chance(0.5) ? random.pick(consul.serverPaths) : null;
  if (server !== null) consul.silentServers.add(server);
  return {
    away: node,
    isGone: false,
    end: () => {
      consul.silentAgents.delete(node.name);
      if (server !== null) consul.silentServers.delete(server);
    },
  };
};

const balancerStaysCutOff: Stand = (cluster, _node, random) => ({
  away: null,
  isGone: false,
  end: cutBothWays(cluster, random.pick(cluster.scenario.balancers), [CONSUL, ...cluster.nodes.keys()]),
});

const KINDS: Readonly<Record<string, Stand>> = {
  nodeStaysDead,
  nodeStaysCutOff,
  nodeStaysCutFromConsul,
  agentStaysSilent,
  balancerStaysCutOff,
};
const DRAWN = [
  ...['nodeStaysDead', 'nodeStaysDead', 'nodeStaysDead', 'nodeStaysCutOff', 'nodeStaysCutOff'],
  ...['nodeStaysCutFromConsul', 'agentStaysSilent', 'balancerStaysCutOff'],
];

/** Lets one fault begin; null: there is but one node. */
export function letOneStand(cluster: Cluster, random: Random): Standing | null {
  const { nodes, lastHolder, world, coverage } = cluster;
  const kind = random.pick(DRAWN);
  const node = lastHolder !== null && random.chance(0.5) ? lastHolder : random.pick([...nodes.values()]);
  const stand = KINDS[kind];
  if (nodes.size === 1 || stand === undefined) return null;
  world.tell(node.name, () => `FAULT     ${kind}`);
  coverage.fault(kind);
  const standing = stand(cluster, node, random);
  return {
    ...standing,
    end: () => {
      world.tell(node.name, () => `fault     ${kind} is over`);
      standing.end();
    },
  };
}
