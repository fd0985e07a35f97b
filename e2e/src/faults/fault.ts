import type { Load } from '@ha-postgres/checker';
import type { ClusterFile, ClusterNode, RemoteCluster } from '@ha-postgres/local-cluster';
import { monotonicNow } from '@ha-postgres/service-kit';
import { logOf, type LogLine } from '../log-of';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';

/** Writes of each client that show that writing goes on. */
const SOME_WRITES = 50;

/** One run of a row: a whole cluster under load, and what is done to it. */
export class Fault {
  private begunAt: number | null = null;
  private begunAtWallClock = 0;
  private endedAt: number | null = null;
  private readonly toTidy: (() => unknown)[] = [];

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
    if (this.begunAt === null) this.begunAtWallClock = Date.now();
    this.begunAt ??= monotonicNow();
    await how();
  }

  /** Takes the fault away; the time until everything is whole again counts from the last time this is called. */
  async mend(how: () => Promise<unknown>): Promise<void> {
    await how();
    this.endedAt = monotonicNow();
  }

  /** Adds what is to be put in order when the run has been judged, or has failed. The last that was added is done first. */
  afterwards(work: () => unknown): void {
    this.toTidy.unshift(work);
  }

  async tidy(): Promise<void> {
    for (const work of this.toTidy.splice(0)) await work();
  }

  /** Waits until every client has more writes acknowledged, by whomever. */
  async writesGoOn(count = SOME_WRITES): Promise<void> {
    await this.load.moreWrites(count);
  }

  /**
   * Waits until another node is Master and the clients write there. Consul is asked and not the nodes: one whose controller
   * stands still goes on telling what it was.
   */
  async failsOver(): Promise<ClusterNode> {
    const { name: node } = await this.anotherMaster(this.master.name);
    await eventually(`the clients to write to ${node}`, () => this.lastWriter() === node);
    await this.writesGoOn();
    return this.cluster.node(node);
  }

  /** Waits until somebody runs as Master who is none of these; whom clients reach is not asked. */
  async anotherMaster(...than: readonly string[]): Promise<ClusterNode> {
    const { node } = await eventually(`a Master other than ${than.join()}`, async () => {
      const value = await masterKey(this.described);
      return !than.includes(value.node) && value.phase === 'running' ? value : null;
    });
    return this.cluster.node(node);
  }

  /** Waits until Consul has taken two more beats of the Master: one may have been under way. */
  async masterBeats(): Promise<void> {
    const { beat } = await eventually('Consul to tell the key', () => masterKey(this.described));
    await eventually('two more beats of the Master', async () => (await masterKey(this.described)).beat >= beat + 2);
  }

  /** Waits until a node's controller has logged an event since the fault began. */
  async isLogged(node: string, event: string): Promise<void> {
    await eventually(`${event} of ${node}`, () =>
      this.logOf(`${node}/db-controller`).some((line) => line.event === event),
    );
  }

  /** The same Master in the same term. @throws Error saying what became of it. */
  async sameMaster(): Promise<void> {
    const { node, term, phase } = await eventually('Consul to tell the key', () => masterKey(this.described));
    if (node !== this.master.name || term !== this.term || phase !== 'running')
      throw new Error(`${this.master.name} was Master of term ${this.term}; now ${node} is, ${phase}, term ${term}`);
  }

  /** Nothing changed for clients, and writing goes on. @throws Error saying what did. */
  async nothingHappens(): Promise<void> {
    await this.writesGoOn();
    await this.sameMaster();
    const [first, ...more] = this.failures;
    if (first !== undefined) throw new Error(`${more.length + 1} writes failed, the first: ${first}`);
  }

  /** Why writes through load balancers have failed since the fault began. */
  get failures(): string[] {
    return [...this.load.history.writes].flatMap(({ direct, failure }) =>
      direct === null && failure !== null && failure.at >= this.struckAt ? [failure.why] : [],
    );
  }

  /** What a service has logged since the fault began, or since a moment of the wall clock. */
  logOf(target: string, since = this.begunAtWallClock): LogLine[] {
    return logOf(this.cluster, target).filter(({ time = '' }) => Date.parse(time) >= since);
  }

  /** Kills a process, or ends it in order, and waits until another one runs in its place. */
  async isReplaced(target: string, how: 'kill' | 'restart' = 'kill'): Promise<void> {
    const before = this.pidOf(target);
    await this.cluster[how](target);
    await eventually(`another process as ${target}`, () => {
      const pid = this.pidOf(target);
      return pid !== null && pid !== before;
    });
  }

  private pidOf(target: string): number | null {
    const [member, process = ''] = target.split('/');
    const { nodes, loadBalancers } = this.cluster.describe();
    return [...nodes, ...loadBalancers].find(({ name }) => name === member)?.processes[process] ?? null;
  }

  /** The node that acknowledged the last write of a client behind a load balancer. */
  private lastWriter(): string | null {
    const last = this.load.history.acknowledged.findLast(({ direct }) => direct === null);
    const address = last?.acknowledgement.by.address;
    return this.described.nodes.find((node) => `${node.address}:${node.postgresPort}` === address)?.name ?? null;
  }
}
