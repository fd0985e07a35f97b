import { leaseRanOut } from '@ha-postgres/failover';
import { CONSUL_INDEXES, Indexes, MESSAGE_INDEXES, NODE_INDEXES } from './indexes';
import type { Parts } from './parts';
import { NAMES, nodeOf, type Consul, type Controller, type Message, type Name, type Node, type State } from './state';
import { POLICY, toMillis } from './times';
import { toldIn, withBeat } from './values';

/** The parts of all states, each kind of its own. */
export interface AllParts {
  readonly node: Parts<Node>;
  readonly consul: Parts<Consul>;
  readonly message: Parts<Message>;
  readonly messages: Parts<Message[]>;
  readonly world: Parts<State['world']>;
}

/**
 * States that differ in nothing that any step can tell are made the same: numbers of which only the order matters become ranks,
 * requests stand in a fixed order, and what nobody waits for any more is dropped.
 */
export class Normaliser {
  private readonly old = new WeakMap<Node, Node>();
  private readonly inNode: Indexes<Node>;
  private readonly inConsul: Indexes<Consul>;
  private readonly inMessage: Indexes<Message>;

  constructor(
    private readonly parts: AllParts,
    private readonly keepsIdleSessions: boolean,
  ) {
    this.inNode = new Indexes(NODE_INDEXES, (part) => parts.node.one(part));
    this.inConsul = new Indexes(CONSUL_INDEXES, (part) => parts.consul.one(part));
    this.inMessage = new Indexes(MESSAGE_INDEXES, (part) => parts.message.one(part));
  }

  /** Of a state whose parts all are of {@link AllParts}, but for the list of messages. */
  normalise(state: State): void {
    if (state.messages.some((message) => !isOfUse(message, state)))
      state.messages = state.messages.filter((message) => isOfUse(message, state));
    this.rankIndexes(state);
    for (const name of NAMES.slice(0, state.nodes.length)) this.rankBeats(state, name);
    if (state.messages.length > 1) state.messages = this.sorted(state.messages);
    this.dropSessions(state);
  }

  /**
   * A ModifyIndex is compared with the one that the key has now, and with that of the other key. Whatever was overtaken is refused
   * alike, so that all that lie between two of these are one.
   */
  private rankIndexes(state: State): void {
    const { master, members } = state.consul;
    const [low, high] = master.index < members.index ? [master.index, members.index] : [members.index, master.index];
    const rankOf = (index: number): number => {
      if (index === 0) return 0;
      if (index < low) return 1;
      if (index === low) return 2;
      if (index < high) return 3;
      return index === high ? 4 : 5;
    };
    state.consul = this.inConsul.with(state.consul, rankOf);
    state.messages = state.messages.map((message) => this.inMessage.with(message, rankOf));
    state.nodes = state.nodes.map((node) => this.overtaken(this.inNode.with(node, rankOf), state.consul));
  }

  /** What a node saw that is not so any more: when it saw that is of no use, for whatever it decides on it will be refused. */
  private overtaken(node: Node, { master }: Consul): Node {
    const seen = node.controller?.master ?? null;
    if (seen === null || seen.entry.index === master.index || seen.firstSeen === 0) return node;
    const known = this.old.get(node);
    if (known !== undefined) return known;
    const { controller } = node;
    const old = this.parts.node.one({
      ...node,
      controller: controller === null ? null : { ...controller, master: { ...seen, firstSeen: 0, confirmed: 0 } },
    });
    this.old.set(node, old);
    return old;
  }

  /** Numbers of a node's beats, which only must differ and have an order. */
  private rankBeats(state: State, name: Name): void {
    const standing = toldIn(state.consul.master.value);
    const numbers = new Set<number>();
    if (standing.node === name) numbers.add(standing.beat);
    for (const message of state.messages)
      if (message.node === name && message.kind === 'beat') numbers.add(message.number);
    if (numbers.size === 0 || Math.max(...numbers) === numbers.size - 1) return;
    const ranks = ranked(numbers);
    if (standing.node === name) {
      const { master } = state.consul;
      const told = { ...master, value: withBeat(master.value, ranks.get(standing.beat) ?? 0) };
      state.consul = this.parts.consul.one({ ...state.consul, master: told });
    }
    state.messages = state.messages.map((message) =>
      message.node === name && message.kind === 'beat'
        ? this.numbered(message, ranks.get(message.number) ?? 0)
        : message,
    );
  }

  private sorted(messages: readonly Message[]): Message[] {
    const { message } = this.parts;
    return [...messages].sort((x, y) => (message.textOf(x) < message.textOf(y) ? -1 : 1));
  }

  /** A session that neither holds the lock nor can take it any more. */
  private dropSessions(state: State): void {
    const { consul, nodes, messages } = state;
    const isOfAHold = (session: string) =>
      nodes.some(({ disk, controller }) => disk.hold?.session === session || controller?.hold?.session === session);
    const isOfUseStill = (session: string) =>
      consul.master.session === session ||
      messages.some((message) => message.session === session && message.result === null) ||
      (this.keepsIdleSessions && isOfAHold(session)) ||
      nodes.some(({ disk, controller }) => controller?.resuming === true && disk.hold?.session === session);
    if (consul.sessions.every(isOfUseStill)) return;
    state.consul = this.parts.consul.one({ ...consul, sessions: consul.sessions.filter(isOfUseStill) });
  }

  private numbered(message: Extract<Message, { kind: 'beat' }>, number: number): Message {
    if (message.number === number) return message;
    return this.parts.message.one({ ...message, number, value: withBeat(message.value, number) });
  }
}

/**
 * An answer that its sender does not wait for changes nothing. Nor does a request that nobody waits for, of a session that has lost
 * the lock or has ended: it is refused whenever it comes.
 */
function isOfUse(message: Message, state: State): boolean {
  const { consul } = state;
  const node = nodeOf(state, message.node);
  if (node.controller !== null && waitsFor(node, node.controller, message)) return true;
  if (message.result !== null || !consul.sessions.includes(message.session)) return false;
  return message.kind === 'acquire' || consul.master.session === message.session;
}

function waitsFor({ disk }: Node, { hold, acquiring, resuming }: Controller, message: Message): boolean {
  if (hold?.session === message.session) {
    // No beat brings a closed lease back.
    return message.kind !== 'beat' || (message.why !== 'resume' && !(hold.record.closed && message.result?.committed));
  }
  if (disk.hold?.session !== message.session) return false;
  return message.kind === 'acquire' ? acquiring : resuming && message.kind === 'beat' && message.why === 'resume';
}

export function ranked(numbers: Iterable<number>): Map<number, number> {
  const sorted = [...new Set(numbers)].sort((x, y) => x - y);
  return new Map(sorted.map((number, rank) => [number, rank]));
}

/** What no rule looks at in a node, now or later, is the same in all. */
export function forgetUnused(
  node: Node,
  { failsafe, crashes }: { readonly failsafe: boolean; readonly crashes: boolean },
): void {
  const { disk, controller } = node;
  // Consul's memory does not go back here.
  disk.highestIndex = 0;
  if (controller === null) return;
  controller.highestIndexSeen = 0;
  const { hold, published, master, ending } = controller;
  if (hold !== null) {
    // What the controller knows need not be on disk as well, where none is ever restarted.
    if (!crashes) disk.hold = null;
    // Its lease is not asked for any more, or its votes.
    if (ending !== null) hold.record.end = null;
    if (disk.ledTerm === hold.term || ending !== null) controller.votedFor = null;
    if (!failsafe) hold.record.waiting = [];
  }
  if (published !== null && published.instruction.kind !== 'stop') published.since = -1;
  if (master !== null && !hasRunOut(master)) master.confirmed = master.firstSeen;
  if (failsafe) return;
  controller.answered = null;
  controller.lastAsk = null;
}

/** By the rule that asks for it, which asks for nothing else. */
function hasRunOut({ entry, firstSeen, confirmed }: NonNullable<Controller['master']>): boolean {
  const times = { firstSeenAt: toMillis(firstSeen), confirmedSentAt: toMillis(confirmed) };
  return leaseRanOut({ value: null, modifyIndex: entry.index, session: entry.session, ...times }, POLICY);
}

/**
 * Indexes of what a controller tells its runner: is the newest answer taken up, is the newest instruction, was the runner armed by it,
 * and has it fenced at its answer. Nothing else is asked of them.
 */
export function rankAnswers({ runner, controller }: Node): void {
  const { answer, armed } = runner;
  const published = controller?.published ?? null;
  if (answer === null) return;
  const { index } = answer;
  const isArmedByIt = armed !== null && published !== null && armed.index >= published.instructionIndex;
  runner.holdIndex = index <= runner.holdIndex ? 1 : -1;
  answer.index = 1;
  if (armed !== null) armed.index = isArmedByIt ? 1 : 0;
  if (published === null) return;
  published.index = published.index === index ? 1 : 2;
  published.instructionIndex = published.instructionIndex <= index ? 1 : 2;
}
