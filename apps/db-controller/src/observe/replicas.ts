import { parseNodeStatus, type NodeAddress } from '@ha-postgres/cluster-state';
import { messageOf, type Millis, type Timer } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';

const LOOK_MS = 1000;
/** A node that came back may have another address. */
const ADDRESS_VALID_MS = 10_000;
/** A member that has not answered for so long comes off the list. */
const GONE_MS = 30_000;
const LIVE_LIMIT_MS = 1000;

/** While this node is Master: which Replicas stream from it, at which addresses, and which members have gone silent. */
export class Replicas {
  private readonly seenAt = new Map<string, Millis>();
  private readonly addresses = new Map<string, { readonly address: NodeAddress; readonly at: Millis }>();
  private timer: Timer | null = null;
  private stopped = false;

  constructor(private readonly parts: Parts) {}

  start(): void {
    void this.look();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private async look(): Promise<void> {
    const { facts, log } = this.parts;
    try {
      if (facts.hold?.view.phase === 'running') await this.lookAsMaster();
      else {
        this.seenAt.clear();
        this.addresses.clear();
        facts.reachableReplicas = [];
        facts.goneMembers = [];
      }
    } catch (error) {
      log.debug({ event: 'replicas.look-failed', why: messageOf(error) }, 'could not look for Replicas');
    }
    if (!this.stopped) this.timer = this.parts.clock.schedule(LOOK_MS, () => void this.look());
  }

  private async lookAsMaster(): Promise<void> {
    const { facts, consul, postgres, poke, clock } = this.parts;
    const now = clock.now();
    const streaming = postgres.sight.streamingReplicas;
    for (const node of streaming) this.seenAt.set(node, now);
    const addresses = await Promise.all([...new Set(streaming)].map((node) => this.addressOf(node)));
    facts.reachableReplicas = addresses.filter((address): address is NodeAddress => address !== null);
    if (consul.members.known) facts.goneMembers = await this.gone(consul.members.value.members);
    poke();
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
    const { entry } = await client.kvGet(keys.status(node), { timeoutMs: LIVE_LIMIT_MS });
    const parsed = entry === null ? null : parseNodeStatus(entry.value);
    if (parsed?.ok !== true) return null;
    const { host, port, apiPort } = parsed.value;
    const address = { node, host, port, apiPort };
    this.addresses.set(node, { address, at: this.parts.clock.now() });
    return address;
  }
}
