import type { ClusterFile, ClusterLoadBalancer, ClusterNode } from '@ha-postgres/local-cluster';
import { connectTo } from './client';
import { dropAll, holdConnections, stillOpen, type HeldConnection } from './held-connections';

/** Connections that are held through one load balancer. */
export interface HeldThrough {
  readonly lb: ClusterLoadBalancer;
  readonly master: readonly HeldConnection[];
  readonly standby: readonly HeldConnection[];
}

/** Holds `count` connections to each port of each load balancer. */
export async function holdThroughAll(cluster: ClusterFile, count: number): Promise<HeldThrough[]> {
  const held: HeldThrough[] = [];
  for (const lb of cluster.loadBalancers) {
    const master = await holdConnections(cluster, lb.masterPort, count);
    const standby = await holdConnections(cluster, lb.standbyPort, count);
    held.push({ lb, master, standby });
  }
  return held;
}

export function dropAllThrough(held: readonly HeldThrough[]): void {
  for (const { master, standby } of held) dropAll([...master, ...standby]);
}

/** The standby connections that end at a node, of all load balancers. */
export function standbysAt(held: readonly HeldThrough[], node: string): HeldConnection[] {
  return held.flatMap(({ standby }) => standby.filter((one) => one.node === node));
}

export function allClosed(held: readonly HeldConnection[]): boolean {
  return stillOpen(held).length === 0;
}

/** Whether every connection that is held still answers. */
export async function allAnswer(held: readonly HeldConnection[]): Promise<boolean> {
  const answers = await Promise.allSettled(held.map(({ connection }) => connection.client.query('SELECT 1')));
  return answers.every(({ status }) => status === 'fulfilled');
}

/** Whether a port refuses a new connection at once, which is more than being silent to it. */
export async function refuses(cluster: ClusterFile, port: number): Promise<boolean> {
  try {
    (await connectTo(cluster, port)).drop();
    return false;
  } catch (error) {
    return !/time/i.test((error as Error).message);
  }
}

/** The ports of one kind, of all load balancers. */
export function portsOf(cluster: ClusterFile, port: 'masterPort' | 'standbyPort'): number[] {
  return cluster.loadBalancers.map((lb) => lb[port]);
}

export function othersThan(cluster: ClusterFile, ...names: readonly string[]): ClusterNode[] {
  return cluster.nodes.filter(({ name }) => !names.includes(name));
}
