import { FakeConsul, type FakeRequest, type Keys } from '@ha-postgres/consul-election/testing';
import { NoAnswerError, opSet, type TxnOperation } from '@ha-postgres/consul-election';
import type { ControllerConsul } from '@ha-postgres/db-controller/controller';
import type { Network } from '../world/network';
import type { Random } from '../world/random';
import type { SimProcess } from '../world/sim-process';
import type { World } from '../world/world';
import { Silence } from './silence';

/** Name of the Consul servers in the network. */
export const CONSUL = 'consul';
const AGENT_CALL_MS = 2000;
const SERVER_PATHS = ['http://consul-1:8500', 'http://consul-2:8500'];

/** How Consul fares now; faults change it for a while. */
export interface ConsulState {
  /** Further milliseconds for each request. */
  slowMs: number;
  /** Probability that a request is held up, and for how long at most; it takes effect all the same. */
  stall: { readonly probability: number; readonly ms: number } | null;
  /** Probability that an answer is lost though its request took effect. */
  answerLoss: number;
  /** What a server that was the leader still believes to be true; default reads may be answered from it. */
  deposed: { readonly keys: Keys; readonly node: string | null } | null;
  /** The next release of a node takes so much longer to arrive. */
  heldUp: { readonly node: string; readonly ms: number; readonly onSent: () => void } | null;
}

/** Called with the request that wrote, and the node that sent it; both null when a session ended by itself. */
export type OnWrite = (request: FakeRequest | null, node: string | null) => void;

/** Consul's servers, the agents of the nodes, and the ways between them. */
export class ConsulModel {
  readonly fake: FakeConsul;
  readonly state: ConsulState = { slowMs: 0, stall: null, answerLoss: 0, deposed: null, heldUp: null };
  /** Nodes whose agent does not answer. */
  readonly silentAgents: Silence;
  readonly serverPaths = SERVER_PATHS;
  /** Paths to servers that do not answer. */
  readonly silentServers: Silence;
  private readonly senders = new WeakMap<FakeRequest, string>();

  constructor(
    private readonly world: World,
    private readonly network: Network,
    private readonly random: Random,
    onWrite: OnWrite,
  ) {
    this.silentAgents = new Silence(world);
    this.silentServers = new Silence(world);
    this.fake = new FakeConsul(world, {
      // Not before the TTL, not after twice as long.
      sessionEndsAfterMs: (ttlMs) => ttlMs * random.between(1, 2),
      onWrite: (request) => onWrite(request, request === null ? null : (this.senders.get(request) ?? null)),
    });
  }

  /** An administrator writes, whatever becomes of the network. */
  write(operation: TxnOperation): void {
    this.fake.write([operation]);
  }

  /** Consul as a process of a node reaches it: through its agent, or the servers directly. */
  client(node: string, process: SimProcess): ControllerConsul {
    const api = this.fake.client({
      clock: process.clock,
      servers: SERVER_PATHS,
      deliver: (fn) => process.deliver(fn),
      carry: {
        there: (request, arrive, broken) => this.there(node, request, arrive, broken),
        back: (request, arrive, broken) => this.back(node, request, arrive, broken),
      },
      deposed: () => this.deposedFor(node),
    });
    return {
      ...api,
      kvPut: async (key, value, options) => (await api.transaction([opSet(key, value)], options)).committed,
      // The agent's own, and for people and load balancers: nothing in the simulation reads the service or its checks.
      registerService: () => this.tellAgent(node, process),
      updateTtlCheck: () => this.tellAgent(node, process),
    };
  }

  private async tellAgent(node: string, { clock }: SimProcess): Promise<void> {
    if (!this.silentAgents.has(node)) return;
    await clock.pause(AGENT_CALL_MS);
    throw new NoAnswerError('agent', 'the time is over');
  }

  private there(node: string, request: FakeRequest, arrive: () => void, broken: () => void): void {
    // Reads write nothing; they are most of all requests, and to remember them by name is a tenth of what garbage costs.
    if (request.kind !== 'kvGet') this.senders.set(request, node);
    if (this.waits(node, request, () => this.there(node, request, arrive, broken))) return;
    const { stall, slowMs } = this.state;
    const stalled = stall !== null && this.random.chance(stall.probability) ? this.random.between(0, stall.ms) : 0;
    const commitMs = request.kind === 'transaction' ? this.random.between(0.4, 3) : this.random.between(0.2, 1);
    const ms = commitMs + slowMs * this.random.next() + stalled + this.heldUpMs(node, request);
    this.network.carry(node, CONSUL, arrive, broken, ms);
  }

  private heldUpMs(node: string, { operations }: FakeRequest): number {
    const { heldUp } = this.state;
    if (heldUp?.node !== node || !operations.some(({ verb }) => verb === 'unlock')) return 0;
    this.state.heldUp = null;
    heldUp.onSent();
    return heldUp.ms;
  }

  private back(node: string, request: FakeRequest, arrive: () => void, broken: () => void): void {
    if (this.waits(node, request, () => this.back(node, request, arrive, broken))) return;
    // A long wait would find its connection broken; an answer to a write is not asked for again.
    const isLost = this.state.answerLoss > 0 && this.random.chance(this.state.answerLoss);
    if (isLost && request.kind !== 'kvGet') return;
    const slow = this.state.slowMs * this.random.next();
    const there = isLost ? broken : arrive;
    const carry = (): void => this.network.carry(CONSUL, node, there, broken);
    if (slow === 0) carry();
    else this.world.schedule(slow, carry);
  }

  /** False: the way is not silent, and `then` is not called. */
  private waits(node: string, { via }: FakeRequest, then: () => void): boolean {
    const [silent, name] = via === 'agent' ? [this.silentAgents, node] : [this.silentServers, via];
    if (!silent.has(name)) return false;
    silent.whenOver(name, then);
    return true;
  }

  private deposedFor(node: string): Keys | null {
    const { deposed } = this.state;
    return deposed !== null && (deposed.node === null || deposed.node === node) ? deposed.keys : null;
  }
}
