import { endSession } from './consul';
import { Normaliser, forgetUnused, rankAnswers, type AllParts } from './normalise';
import { Parts } from './parts';
import {
  NAMES,
  isWritable,
  nodeOf,
  type Consul,
  type Message,
  type Name,
  type Node,
  type State,
  type World,
} from './state';
import { mayVote } from '@ha-postgres/failover';
import { observationOf } from './observe';
import { diskOf } from './memory';
import { FRESH, Work, type Bounds } from './work';

/** What became of a node in one step, and what it asks of the rest. Worked out once, and never changed. */
interface Outcome extends Pick<Work, 'opened' | 'ended' | 'let' | 'asksVotesFor' | 'notes' | 'violation'> {
  readonly node: Node;
  readonly sent: readonly Message[];
  /** What the work itself returned. */
  readonly said: unknown;
}

/** The parts of all states, and what has been worked out for them. */
export class Workshop {
  readonly parts: AllParts = {
    node: new Parts(),
    consul: new Parts(),
    message: new Parts(),
    messages: new Parts(),
    world: new Parts(),
  };
  readonly normaliser: Normaliser;
  private readonly done = new Map<string, Outcome>();
  private readonly consuls = new Map<string, Consul>();

  constructor(readonly bounds: Bounds) {
    this.normaliser = new Normaliser(this.parts, bounds.idleSessions);
  }

  /** `what`: all that the work depends on beside the node and the world, as text. */
  work(state: State, name: Name, what: string, run: (work: Work) => unknown): Outcome {
    const node = nodeOf(state, name);
    const key = this.keyOf(state, name, node, what);
    const known = this.done.get(key);
    if (known !== undefined) return known;
    const work = new Work(name, node, state.world, this.bounds);
    return this.keep(key, work, run(work));
  }

  async workAsync(state: State, name: Name, what: string, run: (work: Work) => Promise<unknown>): Promise<Outcome> {
    const node = nodeOf(state, name);
    const work = new Work(name, node, state.world, this.bounds);
    return this.keep(this.keyOf(state, name, node, what), work, await run(work));
  }

  /** Null: not worked out yet. */
  known(state: State, name: Name, what: string): Outcome | null {
    return this.done.get(this.keyOf(state, name, nodeOf(state, name), what)) ?? null;
  }

  consulAfter(consul: Consul, what: string, run: (consul: Consul) => void): Consul {
    const key = `${this.parts.consul.idOf(consul)} ${what}`;
    const known = this.consuls.get(key);
    if (known !== undefined) return known;
    const copy = { master: { ...consul.master }, members: { ...consul.members }, sessions: consul.sessions };
    run(copy);
    const after = this.parts.consul.one(copy);
    this.consuls.set(key, after);
    return after;
  }

  private keyOf({ world }: State, name: Name, node: Node, what: string): string {
    return `${name} ${this.parts.node.idOf(node)} ${this.parts.world.idOf(world)} ${what}`;
  }

  private keep(key: string, work: Work, said: unknown): Outcome {
    rankAnswers(work.node);
    forgetUnused(work.node, { failsafe: this.bounds.failsafe, crashes: work.world.left.crashes > 0 });
    const { opened, ended, asksVotesFor, notes, violation } = work;
    const outcome: Outcome = {
      ...{ opened, ended, let: work.let, asksVotesFor, notes, violation, said },
      node: this.parts.node.one(work.node),
      sent: work.sent.map((message) => this.parts.message.one(message)),
    };
    this.done.set(key, outcome);
    return outcome;
  }
}

/** The next state while it is put together from parts. */
export class Next implements State {
  nodes: Node[];
  consul: Consul;
  messages: Message[];
  world: World;
  readonly notes: string[] = [];
  /** Why this step must never happen. */
  violation: string | null = null;

  constructor(
    from: State,
    readonly workshop: Workshop,
  ) {
    this.nodes = [...from.nodes];
    this.consul = from.consul;
    this.messages = from.messages;
    this.world = from.world;
  }

  never(what: string): void {
    this.violation ??= what;
  }

  set(name: Name, node: Node): void {
    this.nodes[NAMES.indexOf(name)] = node;
  }

  changeWorld(change: (world: World) => void): void {
    const { told, gone, left, listed } = this.world;
    const world: World = { ...this.world, told: [...told], gone: [...gone], left: { ...left }, listed: { ...listed } };
    change(world);
    this.world = this.workshop.parts.world.one(world);
  }

  /** A node has done something by itself: what it asks of the rest is carried out. */
  take(name: Name, outcome: Outcome): void {
    const asked = nodeOf(this, name).controller?.asking ?? null;
    this.set(name, outcome.node);
    this.notes.push(...outcome.notes);
    this.violation ??= outcome.violation;
    if (outcome.sent.length > 0) this.messages = [...this.messages, ...outcome.sent];
    for (const session of outcome.let) if (this.consul.master.session === session) this.freed(name);
    for (const session of outcome.opened) this.open(session);
    for (const session of outcome.ended) this.end(session);
    const asks = outcome.node.controller?.asking ?? null;
    const list = asks === null ? undefined : asked === null ? this.consul.members.value : this.world.listed[name];
    if (list !== this.world.listed[name]) this.noteList(name, list);
    if (outcome.asksVotesFor !== null) this.vote(name, outcome.asksVotesFor);
  }

  /** Forgotten with the question. */
  private noteList(name: Name, list: string | undefined): void {
    this.changeWorld((world) => {
      const others = Object.entries(world.listed).filter(([asker]) => asker !== name);
      world.listed = Object.fromEntries(list === undefined ? others : [...others, [name, list]]);
    });
  }

  do(name: Name, what: string, run: (work: Work) => unknown): Outcome {
    const outcome = this.workshop.work(this, name, what, run);
    this.take(name, outcome);
    return outcome;
  }

  async doAsync(name: Name, what: string, run: (work: Work) => Promise<unknown>): Promise<Outcome> {
    const outcome = await this.workshop.workAsync(this, name, what, run);
    this.take(name, outcome);
    return outcome;
  }

  end(session: string): void {
    this.consul = this.workshop.consulAfter(this.consul, `end ${session}`, (consul) =>
      endSession(consul, session, FRESH),
    );
  }

  private open(session: string): void {
    this.consul = this.workshop.consulAfter(this.consul, `open ${session}`, (consul) => {
      consul.sessions = [...consul.sessions, session].sort();
    });
  }

  /** The holder lets the lock go by itself: PostgreSQL must be unable to take a write by then. */
  freed(name: Name): void {
    const node = nodeOf(this, name);
    if (isWritable(node) || node.runner.postgres === 'promoting')
      this.never(`${name} frees the lock while its PostgreSQL can take writes`);
  }

  /** Each member that can be asked answers by the real `mayVote`; whoever agrees has the term on its disk. */
  private vote(candidate: Name, term: number): void {
    const members = nodeOf(this, candidate).controller?.members?.list ?? [];
    for (const voter of members) {
      if (voter === candidate || nodeOf(this, voter).controller === null) continue;
      this.do(voter, `vote ${candidate} ${term}`, (work) => {
        const observation = observationOf(work);
        if (mayVote(observation, { term, candidate }).agree && observation.votedTerm !== term)
          diskOf(voter, work.node).update({ votedTerm: term });
      });
    }
  }
}
