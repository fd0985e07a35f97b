import type { Load } from '@ha-postgres/checker';
import type { ClusterFile, ClusterNode, RemoteCluster } from '@ha-postgres/local-cluster';
import { monotonicNow } from '@ha-postgres/service-kit';
import { masterKey } from '../master-key';
import { eventually, newMaster } from '../wait-for';

/** Writes of each client that show that writing goes on. */
const SOME_WRITES = 50;

/** One run of a row: a whole cluster under load, and what is done to it. */
export class Fault {
  private begunAt: number | null = null;
  private endedAt: number | null = null;

  constructor(
    readonly cluster: RemoteCluster,
    readonly load: Load,
    /** As it was before the fault. */
    readonly described: ClusterFile,
    /** The Master before the fault, and its term. */
    readonly master: ClusterNode,
    readonly term: number,
  ) {}

  get replicas(): ClusterNode[] {
    return this.described.nodes.filter(({ name }) => name !== this.master.name);
  }

  /** A Replica as good as any other. */
  get replica(): ClusterNode {
    const [first] = this.replicas;
    if (first === undefined) throw new Error('a cluster of three has a Replica');
    return first;
  }

  /** When the fault began. @throws Error if the row never struck. */
  get struckAt(): number {
    if (this.begunAt === null) throw new Error('the row did nothing to the cluster: it never called strike');
    return this.begunAt;
  }

  /** When the fault was taken away; null: never. */
  get mendedAt(): number | null {
    return this.endedAt;
  }

  /** Does it to the cluster; outages count from the first time this is called. */
  async strike(how: () => Promise<unknown>): Promise<void> {
    this.begunAt ??= monotonicNow();
    await how();
  }

  /** Takes the fault away; the time until everything is whole again counts from the last time this is called. */
  async mend(how: () => Promise<unknown>): Promise<void> {
    await how();
    this.endedAt = monotonicNow();
  }

  /** Waits until every client has more writes acknowledged, by whomever. */
  async writesGoOn(count = SOME_WRITES): Promise<void> {
    await this.load.moreWrites(count);
  }

  /** Waits until another node is Master and the clients write there. */
  async failsOver(): Promise<ClusterNode> {
    const { name } = await newMaster(this.cluster, this.master.name);
    const { name: way } = await eventually(`the clients to write to a Master after ${this.master.name}`, () => {
      const last = this.lastWriter();
      return last !== null && last.name !== this.master.name ? last : null;
    });
    await this.writesGoOn();
    return this.cluster.node(this.cluster.master?.name ?? way ?? name);
  }

  /** The same Master in the same term. @throws Error saying what became of it. */
  async sameMaster(): Promise<void> {
    const { node, term, phase } = await eventually('Consul to tell the key', () => masterKey(this.described));
    if (node !== this.master.name || term !== this.term || phase !== 'running')
      throw new Error(`${this.master.name} was Master of term ${this.term}; now ${node} is, ${phase}, term ${term}`);
  }

  /** The node that acknowledged the last write of a client behind a load balancer. */
  private lastWriter(): ClusterNode | null {
    const last = this.load.history.acknowledged.findLast(({ direct }) => direct === null);
    const address = last?.acknowledgement.by.address;
    return this.described.nodes.find((node) => `${node.address}:${node.postgresPort}` === address) ?? null;
  }
}
