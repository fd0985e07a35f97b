import { parseNodeStatus, type NodeAddress, type NodeTags } from '@ha-postgres/cluster-state';
import { currentRule, syncOf } from '@ha-postgres/failover';
import type { Millis } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';
import { LookAgain } from './look-again';

const LOOK_MS = 1000;
/** A node that came back may have another address. */
const ADDRESS_VALID_MS = 10_000;
/** A member that has not answered for so long comes off the list. */
const GONE_MS = 30_000;
const LIVE_LIMIT_MS = 1000;
/** A Replica that connects again has not gone; nor has one that has yet to find a new Master. */
const RETURNS_MS = 3000;

/** What a node says of itself in Consul. */
interface Known {
  readonly address: NodeAddress;
  readonly tags: NodeTags;
  readonly at: Millis;
}

/** While this node is Master: which Replicas stream from it, at which addresses, and which members have gone silent. */
export class Replicas extends LookAgain {
  private readonly seenAt = new Map<string, Millis>();
  private readonly streamedAt = new Map<string, Millis>();
  private readonly addresses = new Map<string, Known>();

  constructor(parts: Parts) {
    super(parts, LOOK_MS, { event: 'replicas.look-failed', text: 'could not look for Replicas' });
  }

  protected async look(): Promise<void> {
    const { facts } = this.parts;
    if (facts.hold?.view.phase === 'running') return this.lookAsMaster();
    this.seenAt.clear();
    this.streamedAt.clear();
    this.addresses.clear();
    facts.reachableReplicas = [];
    facts.goneMembers = [];
    facts.eligibleReplicas = null;
  }

  private async lookAsMaster(): Promise<void> {
    const { facts, consul, postgres, poke, clock } = this.parts;
    const now = clock.now();
    const streaming = postgres.sight.streamingReplicas;
    for (const node of streaming) this.seenAt.set(node, now);
    this.noteStreaming(streaming, now);
    const addresses = await Promise.all([...new Set(streaming)].map((node) => this.addressOf(node)));
    const before = this.told();
    facts.reachableReplicas = addresses.filter((address): address is NodeAddress => address !== null);
    facts.eligibleReplicas = this.eligible();
    if (consul.members.known) facts.goneMembers = await this.gone(consul.members.value.members);
    if (this.told() !== before) poke();
  }

  private told(): string {
    const { reachableReplicas, eligibleReplicas, goneMembers } = this.parts.facts;
    return JSON.stringify([reachableReplicas, eligibleReplicas, goneMembers]);
  }

  /** Named Replicas count as streaming when this node begins to run: they have a while to come. */
  private noteStreaming(streaming: readonly string[], now: Millis): void {
    const { facts, consul, disk } = this.parts;
    const rule = currentRule(syncOf({ sync: consul.sync, disk: disk.record }) ?? null);
    if (facts.eligibleReplicas === null) for (const node of rule.names) this.streamedAt.set(node, now);
    for (const node of streaming) this.streamedAt.set(node, now);
  }

  /** Those that may stand in the synchronous rule, the preferred ones first. */
  private eligible(): readonly string[] {
    const now = this.parts.clock.now();
    const priorityOf = (node: string) => this.addresses.get(node)?.tags.failoverPriority ?? 0;
    return [...this.streamedAt]
      .filter(([node, at]) => now - at < RETURNS_MS && this.addresses.get(node)?.tags.noFailover !== true)
      .map(([node]) => node)
      .sort((a, b) => priorityOf(b) - priorityOf(a) || (a < b ? -1 : 1));
  }

  /** Members that neither stream nor answer. (One whose acquire is under way cannot harm: it names the list it was decided on.) */
  private async gone(members: readonly NodeAddress[]): Promise<readonly string[]> {
    const others = members.filter(({ node }) => node !== this.parts.self.node);
    const verdicts = await Promise.all(
      others.map(async (member) => ((await this.isGone(member)) ? member.node : null)),
    );
    return verdicts.filter((node): node is string => node !== null);
  }

  private async isGone(member: NodeAddress): Promise<boolean> {
    const now = this.parts.clock.now();
    const seenAt = this.seenAt.get(member.node) ?? now;
    this.seenAt.set(member.node, seenAt);
    if (now - seenAt < LOOK_MS) return false;
    if (await this.parts.peers.isLive(member, LIVE_LIMIT_MS)) {
      this.seenAt.set(member.node, this.parts.clock.now());
      return false;
    }
    return now - seenAt > GONE_MS;
  }

  /** From what the node says of itself in Consul. */
  private async addressOf(node: string): Promise<NodeAddress | null> {
    const { client, keys } = this.parts;
    const known = this.addresses.get(node);
    if (known !== undefined && this.parts.clock.now() < known.at + ADDRESS_VALID_MS) return known.address;
    const { entry } = await client.kvGet(keys.status(node), { consistency: 'consistent', timeoutMs: LIVE_LIMIT_MS });
    const parsed = entry === null ? null : parseNodeStatus(entry.value);
    if (parsed?.ok !== true) return null;
    const { host, port, apiPort, tags } = parsed.value;
    const address = { node, host, port, apiPort };
    this.addresses.set(node, { address, tags, at: this.parts.clock.now() });
    return address;
  }
}
