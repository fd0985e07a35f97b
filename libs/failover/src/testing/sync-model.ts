import type { SyncValue } from '@ha-postgres/cluster-state';
import type { Lsn } from '@ha-postgres/lsn';
import { currentRule, isEnough, namedIn, parseStandbyNames, rulesOf, standbyNames } from '../sync-set';
import { inPlace, nextStep, withRule, type SyncProgress, type SyncStep } from '../sync-transition';
import { wantedRule, type SyncWish } from '../sync-wish';

/** A process of the Master that sends WAL to a Replica: it goes by the setting as it has read it last. */
interface Sender {
  readonly pid: number;
  read: string;
}

interface Commit {
  readonly at: number;
  acknowledged: boolean;
  /** Acknowledged while nothing was promised. */
  free: boolean;
}

export const NODES = ['a', 'b', 'c', 'd', 'e'] as const;
export type Node = (typeof NODES)[number];

/**
 * The Master's PostgreSQL with its senders, each of which reads a changed setting in its own time and counts Replicas as PostgreSQL
 * does (syncrep.c: every process to its own k, among all whose priority any process has set), the key, and the real rules above.
 */
export class SyncModel {
  wish: SyncWish = { mode: 'quorum', k: 1, durability: 'strict' };
  key: SyncValue | null = null;
  master: Node = 'a';
  readonly counts = { settled: 0, failovers: 0, ended: 0, acknowledged: 0, checkpoints: 0 };
  private term = 1;
  private now = 1;
  private wal = 1;
  private nextPid = 100;
  /** The postmaster's setting, and whether the checkpointer has made commits wait. */
  private setting = '';
  private waits = false;
  private commits: Commit[] = [];
  private readonly flushed = new Map<Node, number>(NODES.map((node) => [node, 1]));
  private readonly senders = new Map<Node, Sender>();
  private progress: SyncProgress | null = null;
  private checkpointAt: number | null = null;

  commit(): void {
    this.wal += 1;
    this.commits.push({ at: this.wal, acknowledged: false, free: false });
    if (!this.waits) this.acknowledgeUpTo(this.wal);
  }

  connect(node: Node): void {
    if (node === this.master || this.senders.has(node)) return;
    this.senders.set(node, { pid: this.nextPid++, read: this.setting });
  }

  disconnect(node: Node): void {
    this.senders.delete(node);
  }

  /** The Replica has everything on disk, and its sender hears of it. */
  replicate(node: Node): void {
    if (!this.senders.has(node)) return;
    this.flushed.set(node, this.wal);
    this.hear(node);
  }

  /** The sender reads the setting again. */
  reload(node: Node): void {
    const sender = this.senders.get(node);
    if (sender !== undefined) sender.read = this.setting;
  }

  reloadCheckpointer(): void {
    this.waits = this.setting !== '';
    if (!this.waits) this.acknowledgeUpTo(this.wal);
  }

  /** The runner carries out what the key says. */
  applySetting(): void {
    if (this.key !== null) this.setting = standbyNames(this.key);
  }

  /** The controller reads the server, decides, and acts, unless the last is `lost`. */
  step(lost = false): SyncStep['kind'] {
    this.now += 1;
    const members = NODES.filter((node) => node !== this.master);
    const streaming = members.filter((node) => this.senders.has(node));
    const current = currentRule(this.key);
    const rule = wantedRule(this.wish, current, { streaming, members });
    const wanted = { term: this.term, rule, version: (this.key?.version ?? 0) + 1 };
    const { step, progress } = nextStep(this.key, wanted, this.sight(), this.progress, this.checkpointAt);
    this.progress = progress;
    if (!lost) this.act(step);
    return step.kind;
  }

  restartController(): void {
    this.progress = null;
    this.checkpointAt = null;
  }

  /** The Master dies. The most advanced of the voters takes over, if they are enough; with the rule in place. */
  failOver(voters: readonly Node[]): void {
    const able = voters.filter((node) => node !== this.master);
    if (this.key === null || !rulesOf(this.key).every((rule) => isEnough(rule, able))) return;
    const counted = able.filter((node) => namedIn(this.key).has(node));
    const next = [...counted].sort((a, b) => this.at(b) - this.at(a))[0];
    if (next === undefined) return;
    this.counts.failovers += 1;
    const fork = this.at(next);
    this.term += 1;
    this.master = next;
    this.wal = fork;
    this.commits = this.commits.filter(({ at, acknowledged, free }) => at <= fork || (acknowledged && !free));
    for (const node of NODES) this.flushed.set(node, Math.min(this.at(node), fork));
    this.senders.clear();
    const streaming = able.filter((node) => node !== next);
    const members = NODES.filter((node) => node !== next);
    const rule = wantedRule(this.wish, currentRule(this.key), { streaming, members });
    const version = this.key.version + 1;
    this.key = withRule(this.key, this.term, rule, version) ?? this.key;
    this.progress = inPlace(this.key.version, this.now);
    this.checkpointAt = null;
    this.setting = standbyNames(this.key);
    this.waits = this.setting !== '';
  }

  /** A set of voters that is enough, and a promised commit that none of them holds; null: there is none. */
  violation(): string | null {
    const promised = this.commits.filter(({ acknowledged, free }) => acknowledged && !free);
    const newest = Math.max(0, ...promised.map(({ at }) => at));
    const rules = rulesOf(this.key);
    const counted = namedIn(this.key);
    const others = NODES.filter((node) => node !== this.master);
    for (let bits = 0; bits < 1 << others.length; bits += 1) {
      const voters = others.filter((_, i) => (bits & (1 << i)) !== 0);
      if (!rules.every((rule) => isEnough(rule, voters))) continue;
      const best = Math.max(0, ...voters.filter((node) => counted.has(node)).map((node) => this.at(node)));
      if (best < newest) return `[${voters.join()}] are enough, but have ${best}, and ${newest} was acknowledged`;
    }
    return null;
  }

  private act(step: SyncStep): void {
    if (step.kind === 'write') this.write(step.value);
    if (step.kind === 'endSenders') {
      for (const [node, { pid }] of [...this.senders]) {
        if (!step.pids.includes(pid)) continue;
        this.counts.ended += 1;
        this.senders.delete(node);
      }
    }
    if (step.kind === 'checkpoint') {
      this.counts.checkpoints += 1;
      this.checkpointAt = this.now;
      this.reloadCheckpointer();
    }
  }

  private write(value: SyncValue): void {
    const before = this.key;
    if (before !== null && value.version !== before.version + 1) throw new Error('versions grow by one');
    if (before?.previous != null && value.previous === null && value.mode !== 'async') this.counts.settled += 1;
    this.key = value;
    // Whoever asks for asynchronous replication gives up what was promised before.
    if (rulesOf(value).every(({ mode }) => mode === 'async')) for (const commit of this.commits) commit.free = true;
  }

  private sight() {
    const senders = [...this.senders].map(([name, { pid }]) => {
      const priority = this.isCounted(name) ? 1 : 0;
      return { pid, name, streaming: true, priority, flushed: BigInt(this.at(name)) as Lsn };
    });
    return { readAt: this.now, standbyNames: this.setting, position: BigInt(this.wal) as Lsn, senders };
  }

  private hear(node: Node): void {
    if (!this.isCounted(node)) return;
    const k = parseStandbyNames(this.senders.get(node)?.read ?? '')?.k ?? 0;
    const positions = [...this.senders.keys()].filter((name) => this.isCounted(name)).map((name) => this.at(name));
    const kth = positions.sort((a, b) => b - a)[k - 1];
    if (kth !== undefined) this.acknowledgeUpTo(kth);
  }

  /** The priority that its own sender has set for this Replica is above 0. */
  private isCounted(node: Node): boolean {
    return parseStandbyNames(this.senders.get(node)?.read ?? '')?.names.includes(node) === true;
  }

  private acknowledgeUpTo(position: number): void {
    const free = rulesOf(this.key).some(({ mode }) => mode === 'async');
    for (const commit of this.commits) {
      if (commit.acknowledged || commit.at > position) continue;
      commit.acknowledged = true;
      commit.free = free;
      this.counts.acknowledged += 1;
    }
  }

  private at(node: Node): number {
    return node === this.master ? this.wal : (this.flushed.get(node) ?? 0);
  }
}
