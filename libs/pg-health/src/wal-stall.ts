import type { Lsn } from '@ha-postgres/lsn';
import type { ServerState } from './server-state';

interface Standing {
  readonly written: Lsn;
  readonly flushed: Lsn;
  readonly since: number;
}

/**
 * Whether the disk under a Master's WAL still takes anything. Such a server answers every query that writes nothing, so it is
 * alive, and each commit hangs. It is seen without writing anything: somebody waits for WAL to be written at every look, and from
 * one to the next no byte was. Knows no clock.
 */
export class WalStall {
  readonly #limitMs: number;
  #standing: Standing | null = null;
  #lastLookAt = 0;

  /** @param limitMs how long WAL may stand still while somebody waits for it. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** So long it has stood still, in milliseconds, at the last look. */
  get standsForMs(): number {
    return this.#standing === null ? 0 : this.#lastLookAt - this.#standing.since;
  }

  get isStalled(): boolean {
    return this.#standing !== null && this.standsForMs >= this.#limitMs;
  }

  /** @param at when the state was asked for: monotonic, in milliseconds. */
  look(state: ServerState, at: number): void {
    this.#lastLookAt = at;
    // PostgreSQL that replays waits for its Master, and writes when it is told.
    if (state.inRecovery || !(state.walWaiters > 0)) {
      this.#standing = null;
      return;
    }
    const { writtenLsn: written, flushedLsn: flushed } = state;
    const isMoving = this.#standing?.written !== written || this.#standing.flushed !== flushed;
    if (isMoving) this.#standing = { written, flushed, since: at };
  }

  /** Another server: what was seen of the last one says nothing about it. */
  forget(): void {
    this.#standing = null;
  }
}
