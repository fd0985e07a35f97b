import { parseNodeStatus, type NodeStatus } from '@ha-postgres/cluster-state';
import { opCas, type KvEntry } from '@ha-postgres/consul-election';
import type { Millis } from '@ha-postgres/service-kit';
import { errors } from '../errors';
import type { Parts } from '../parts';

const CALL_MS = 2000;
const ASK_MS = 1000;
/** Whoever finds so soon after its start that another writes under its name is the one that came later. */
const NEWCOMER_MS = 15_000;
/** How often the key is looked at, to see that it still is what was written. A newcomer must see it before it is none any more. */
const LOOK_MS = 5000;
const NEWCOMER_LOOK_MS = 1000;

/**
 * Key `<node>/status`. It is written only over what this process wrote itself, so that two nodes of one name cannot overwrite
 * each other unnoticed; and it tells when Consul has forgotten it.
 */
export class OwnStatus {
  /** ModifyIndex of what this process wrote or took over; 0: the key is absent; null: not looked yet. */
  private index: number | null = null;
  private lookedAt: Millis = Number.NEGATIVE_INFINITY;
  /** This process has written since it took the key over: nothing that names what stood there before can succeed any more. */
  private hasWritten = false;

  constructor(
    private readonly parts: Parts,
    private readonly incarnation: string,
    /** Consul does not hold what was told to it any more. */
    private readonly onForgotten: () => void,
  ) {}

  /** Looks whether the name is free, once. @throws NoAnswerError while Consul does not say, CodedError if it is taken */
  async claim(): Promise<void> {
    if (this.index !== null) return;
    const entry = await this.read();
    await this.refuseATakenName(statusIn(entry));
    this.index = entry?.modifyIndex ?? 0;
    this.lookedAt = this.parts.clock.now();
    this.parts.facts.nameInDoubt = false;
    this.parts.poke();
  }

  /** @throws NoAnswerError, CodedError if the name is taken */
  async write(text: string): Promise<void> {
    await this.claim();
    const key = this.parts.keys.status(this.parts.self.node);
    const result = await this.parts.client.transaction([opCas(key, text, this.index)], { timeoutMs: CALL_MS });
    if (result.committed) {
      this.index = result.entries[0]?.modifyIndex ?? this.index;
      this.hasWritten = true;
      return;
    }
    this.found(await this.read());
    throw new Error('the key of this node was not as written last: told again');
  }

  /** Now and then: does the key still hold what was written? True if it was looked at. */
  async look(): Promise<boolean> {
    const { clock, startedAt } = this.parts;
    const every = clock.now() < startedAt + NEWCOMER_MS ? NEWCOMER_LOOK_MS : LOOK_MS;
    if (this.index === null || clock.now() < this.lookedAt + every) return false;
    this.lookedAt = clock.now();
    const entry = await this.read();
    if ((entry?.modifyIndex ?? 0) !== this.index) this.found(entry);
    return true;
  }

  /** Something else stands there than what was written last. */
  private found(entry: KvEntry | null): void {
    const isOlder = entry !== null && entry.modifyIndex < (this.index ?? 0);
    this.index = entry?.modifyIndex ?? 0;
    this.onForgotten();
    const other = statusIn(entry);
    // From before this process wrote: Consul's memory went back, and nobody has written since.
    if (other === null || isOlder) return;
    if (other.incarnation === this.incarnation) {
      // A write that was not answered.
      this.hasWritten = true;
      return;
    }
    // The last write of the process before this one may arrive late. Whoever lives and has the same address writes again.
    if (this.isAtOwnAddress(other) && !this.hasWritten) return;
    const { clock, startedAt, fail, log } = this.parts;
    const taken = errors.HAPG_NODE_NAME_TAKEN(
      `${other.node} at ${other.host}:${other.apiPort} is written by another controller as well (incarnation ${other.incarnation ?? 'unknown'})`,
    );
    if (clock.now() < startedAt + NEWCOMER_MS) fail(taken);
    else log.error({ event: 'node.name-taken', code: taken.code, other: other.incarnation }, taken.message);
  }

  /** What stands at the own address is of a process that ended: the lock of the node says so. Elsewhere it may live. */
  private async refuseATakenName(other: NodeStatus | null): Promise<void> {
    const { self, peers } = this.parts;
    if (other === null || this.isAtOwnAddress(other)) return;
    const living = await peers.statusOf(other, ASK_MS);
    if (living?.node !== self.node || living.incarnation === this.incarnation) return;
    throw errors.HAPG_NODE_NAME_TAKEN(
      `${self.node} runs already, at ${other.host}:${other.apiPort} (incarnation ${living.incarnation ?? 'unknown'})`,
    );
  }

  private isAtOwnAddress({ host, apiPort }: NodeStatus): boolean {
    const { self } = this.parts;
    return host === self.host && apiPort === self.apiPort;
  }

  private async read(): Promise<KvEntry | null> {
    const { client, keys, self } = this.parts;
    return (await client.kvGet(keys.status(self.node), { consistency: 'consistent', timeoutMs: CALL_MS })).entry;
  }
}

function statusIn(entry: KvEntry | null): NodeStatus | null {
  const parsed = entry === null ? null : parseNodeStatus(entry.value);
  return parsed?.ok === true ? parsed.value : null;
}
