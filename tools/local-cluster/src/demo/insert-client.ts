import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '@ha-postgres/service-kit';
import { DatabaseError } from 'pg';
import { openConnection, type ConnectionPlace, type OpenConnection } from './connection';
import type { Ledger } from './ledger';

const EVERY_MS = 10;
const TIMEOUT_MS = 1_000;

export const INSERT_TABLE = 'demo_inserts';

/** Inserts a row a hundred times a second, one at a time, on one connection that is opened again after every error. */
export class InsertClient {
  private connection: OpenConnection | null = null;
  private running: Promise<void> | null = null;
  private readonly ended = new AbortController();

  constructor(
    private readonly place: ConnectionPlace,
    private readonly ledger: Ledger,
  ) {}

  start(): void {
    this.running ??= this.keepInserting();
  }

  /** Resolves when the last insert has been answered or given up. */
  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    this.connection?.drop();
  }

  private async keepInserting(): Promise<void> {
    const { signal } = this.ended;
    let due = monotonicNow();
    while (!signal.aborted) {
      await this.attempt();
      // A fixed schedule; what was missed while an insert took long is not made up for.
      due = Math.max(due + EVERY_MS, monotonicNow());
      await delay(Math.max(0, due - monotonicNow()), undefined, { signal }).catch(() => undefined);
    }
  }

  private async attempt(): Promise<void> {
    const id = this.ledger.attempt();
    const connection = await this.connected();
    if (connection === null) {
      this.ledger.fail(false);
      return;
    }
    try {
      await connection.client.query({
        name: 'insert',
        text: `INSERT INTO ${INSERT_TABLE} (id) VALUES ($1)`,
        values: [id],
      });
      this.ledger.acknowledge({ id, at: monotonicNow(), connectedAt: connection.openedAt });
    } catch (error) {
      this.ledger.fail(!isRefusal(error));
      connection.drop();
    }
  }

  private async connected(): Promise<OpenConnection | null> {
    if (this.connection?.isBroken() === false) return this.connection;
    this.connection?.drop();
    this.connection = await openConnection(this.place, TIMEOUT_MS).catch(() => null);
    return this.connection;
  }
}

/**
 * PostgreSQL said ERROR: the statement has had no effect. After FATAL, a timeout or a broken connection nobody knows:
 * a commit may have gone through before its answer was lost.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === 'ERROR';
}
