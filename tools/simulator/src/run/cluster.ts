import {
  clusterKeys,
  parseMaster,
  parseSync,
  type ClusterKeys,
  type MasterValue,
  type SyncValue,
} from '@ha-postgres/cluster-state';
import type { FakeRequest } from '@ha-postgres/consul-election/testing';
import type { Coverage } from '../check/coverage';
import { Invariants } from '../check/invariants';
import { ConsulModel } from '../consul/consul-model';
import { SimNode, type ClusterOf } from '../node/node';
import type { WalRecord } from '../postgres/wal';
import { LoadBalancer } from '../traffic/load-balancer';
import { Writers } from '../traffic/writers';
import { Network } from '../world/network';
import { Random } from '../world/random';
import type { World } from '../world/world';
import { configOf } from './config';
import type { Scenario } from './scenario';

/** A whole cluster in one world. */
export class Cluster {
  readonly nodes = new Map<string, SimNode>();
  readonly network: Network;
  readonly consul: ConsulModel;
  readonly keys: ClusterKeys = clusterKeys('c');
  readonly balancers: readonly LoadBalancer[];
  readonly writers: Writers;
  readonly invariants: Invariants;
  /** Called with the node that has taken the lock. */
  readonly acquired = new Set<(node: string) => void>();
  /** Called with the Master whose list of members was just committed. */
  readonly listed = new Set<(node: string) => void>();
  /** Called with the Master that has begun to hand over. */
  readonly drained = new Set<(node: string) => void>();
  /** Called with the holder whose beat was committed. */
  readonly beaten = new Set<(node: string) => void>();
  /** Nodes that an administrator has told to give up their commits. */
  readonly allowedToLose = new Set<string>();
  /** What each of them began to give up by that: an attempt that failed is made again by the same leave. */
  private readonly givenUp = new Map<string, readonly WalRecord[]>();
  private holder: string | null = null;
  private told: { readonly text: string | undefined; readonly value: MasterValue | null } = {
    text: undefined,
    value: null,
  };
  private sync: { readonly text: string | undefined; readonly value: SyncValue | null } = {
    text: undefined,
    value: null,
  };

  constructor(
    readonly world: World,
    readonly scenario: Scenario,
    readonly coverage: Coverage,
  ) {
    const masterKey = () => this.consul.fake.store.get(this.keys.master);
    this.network = new Network(world, new Random(world.seed, 1));
    this.invariants = new Invariants(world, this.nodes, masterKey, () => this.syncKey(), scenario.lagLimitBytes);
    this.consul = new ConsulModel(world, this.network, new Random(world.seed, 2), (request, node) => {
      this.invariants.onConsulWrite(request, node);
      this.noteHolder(node);
      this.noteList(request, node);
      this.noteSync();
      this.noteDrain(node);
      this.noteBeat(request, node);
    });
    this.addNodes();
    const names = [...this.nodes.keys()];
    this.balancers = scenario.balancers.map((name, i) => new LoadBalancer(name, i, world, this.consul, this.keys));
    this.writers = new Writers({
      world,
      network: this.network,
      nodes: names,
      balancers: this.balancers,
      serverOf: (node) => this.nodes.get(node)?.server ?? null,
      onAcknowledged: (server, record) => this.invariants.onAcknowledged(server, record),
    });
  }

  node(name: string): SimNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new RangeError(`there is no node ${name}`);
    return node;
  }

  /** What stands in key `master`. */
  get master(): MasterValue | null {
    const text = this.consul.fake.store.get(this.keys.master)?.value;
    if (text !== this.told.text) {
      const parsed = text === undefined ? null : parseMaster(text);
      this.told = { text, value: parsed?.ok === true ? parsed.value : null };
    }
    return this.told.value;
  }

  /** The node whose hold, or last hold, key `master` tells of. */
  get lastHolder(): SimNode | null {
    return this.nodes.get(this.master?.node ?? '') ?? null;
  }

  /** Nothing more happens at an occasion that a fault waited for. */
  disarm(): void {
    for (const told of [this.acquired, this.listed, this.drained, this.beaten]) told.clear();
  }

  private onGivenUp(node: SimNode, records: readonly WalRecord[]): void {
    if (this.allowedToLose.delete(node.name)) this.givenUp.set(node.name, records);
    const allowed = this.givenUp.get(node.name);
    const isAllowed = allowed !== undefined && records.every((record) => allowed.includes(record));
    this.invariants.onGivenUp(node, records, isAllowed || node.options.config.rejoin === 'always');
  }

  /** The key `sync`; null: absent or unreadable. */
  private syncKey(): SyncValue | null {
    const entry = this.consul.fake.store.get(this.keys.sync);
    if (entry?.value === this.sync.text) return this.sync.value;
    const parsed = entry === null ? null : parseSync(entry.value);
    this.sync = { text: entry?.value, value: parsed?.ok === true ? parsed.value : null };
    return this.sync.value;
  }

  private noteBeat(request: FakeRequest | null, node: string | null): void {
    if (request === null || node === null || this.beaten.size === 0) return;
    const isBeat = request.operations.some(({ verb, key }) => verb === 'lock' && key === this.keys.master);
    if (isBeat && this.lastHolder?.name === node) for (const told of this.beaten) told(node);
  }

  private noteDrain(node: string | null): void {
    if (node === null || this.drained.size === 0) return;
    if (this.master?.phase === 'draining') for (const told of this.drained) told(node);
  }

  private noteSync(): void {
    const before = this.sync.text;
    this.syncKey();
    if (this.sync.text !== before) this.invariants.onSyncWritten();
  }

  private noteHolder(node: string | null): void {
    const session = this.consul.fake.store.get(this.keys.master)?.session ?? null;
    if (session === this.holder) return;
    this.holder = session;
    if (session !== null && node !== null) for (const told of this.acquired) told(node);
  }

  private noteList(request: FakeRequest | null, node: string | null): void {
    if (request === null || node === null || this.listed.size === 0) return;
    const { members } = this.keys;
    const isList = request.operations.some(({ verb, key }) => verb === 'cas' && key === members);
    if (isList) for (const told of this.listed) told(node);
  }

  private addNodes(): void {
    const common: ClusterOf = {
      world: this.world,
      network: this.network,
      consul: this.consul,
      coverage: this.coverage,
      nodes: this.nodes,
      walOnItsWay: new Map(),
      onWritable: (server) => this.invariants.onWritable(server),
      onStream: (receiver, sender) => this.invariants.onStream(receiver, sender),
      onPromoted: (server) => this.invariants.onPromoted(server),
      onGivenUp: (node, records) => this.onGivenUp(node, records),
    };
    this.scenario.nodes.forEach(({ name, rate, fsyncMs, lateMs, lateness, changes }, number) => {
      const config = configOf(name, { ...this.scenario.config, ...changes });
      this.nodes.set(name, new SimNode(common, { name, number, config, rate, fsyncMs, lateMs, lateness }));
    });
  }
}
