import type { Server } from './server';
import { parseSyncRule, type SyncRule } from './sync-rule';

/** A process that is at work may take so long until it has read a changed setting. */
const SLOW_MS = 400;

/**
 * Which commits wait for Replicas (syncrep.c). Every process reads a changed `synchronous_standby_names` in its own time: new
 * sessions when the postmaster has, walsenders each by itself, and whether commits wait at all is the checkpointer's word.
 */
export class SynchronousCommit {
  /** `sync_standbys_defined`, which the checkpointer sets. */
  private doCommitsWait: boolean;
  /** Everything up to here may be acknowledged. */
  private releasedTo = 0;
  private reload = 0;

  constructor(
    private readonly server: Server,
    /** The setting as the postmaster has read it: what new sessions show, and new walsenders go by. */
    public names: string,
  ) {
    this.doCommitsWait = names !== '';
  }

  /** Whether a commit whose record ends there must wait for a Replica. */
  waits(end: number): boolean {
    return this.doCommitsWait && end > this.releasedTo;
  }

  /** SIGHUP to the postmaster, which passes it on. */
  reread(names: string): void {
    const { server } = this;
    const turn = (this.reload += 1);
    server.later(server.around.random.between(0.3, 3), () => {
      if (turn !== this.reload) return;
      this.names = names;
      server.later(this.processMs(), () => {
        if (turn === this.reload) this.checkpointerReads();
      });
      const rule = parseSyncRule(names);
      for (const sender of server.senders) server.later(this.processMs(), () => sender.readRule(rule));
    });
  }

  /** Also by a CHECKPOINT, before it begins. */
  checkpointerReads(): void {
    this.doCommitsWait = this.names !== '';
    if (!this.doCommitsWait) this.server.releaseCommits();
  }

  /** A walsender has heard of its standby: it releases what enough of them have, by its own count. */
  confirmedBy(rule: SyncRule | null, priority: number): void {
    if (rule === null || priority === 0) return;
    const flushed = [...this.server.senders].filter((one) => one.priority > 0).map((one) => one.flushed);
    const enough = flushed.sort((a, b) => b - a)[rule.count - 1];
    if (enough === undefined || enough <= this.releasedTo) return;
    this.releasedTo = enough;
    this.server.releaseCommits();
  }

  private processMs(): number {
    const { random } = this.server.around;
    return random.chance(0.1) ? random.between(20, SLOW_MS) : random.between(0.2, 8);
  }
}
