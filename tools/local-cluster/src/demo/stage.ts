import { setTimeout as delay } from 'node:timers/promises';
import { clusterKeys } from '@ha-postgres/cluster-state';
import type { LocalCluster } from '../local-cluster';
import { waitFor } from '../waiting';
import { openConnection, type ConnectionPlace } from './connection';
import type { EventList } from './event-list';
import { InsertClient, INSERT_TABLE } from './insert-client';
import { Ledger } from './ledger';
import { MasterTimeline, type MasterSight } from './master-timeline';

const STATEMENT_MS = 10_000;

/** A running cluster with a client that writes, and everything that is noted about it. */
export class Stage {
  readonly ledger = new Ledger();
  readonly timeline: MasterTimeline;
  private client: InsertClient | null = null;

  constructor(
    readonly cluster: LocalCluster,
    readonly events: EventList,
  ) {
    const key = clusterKeys(cluster.layout.consulPrefix).master;
    this.timeline = new MasterTimeline(cluster.describe().consul.http, key, (now, before) =>
      this.noteMaster(now, before),
    );
    cluster.on('event', ({ event, member, process, text }) => {
      if (event === 'role.changed') events.add(`${member} is ${text}`);
      if (event === 'process.exited') events.add(`${member}/${process ?? ''} ${text}`);
    });
  }

  /** Makes the table and starts the client, and waits until inserts have been acknowledged for a while without a failure. */
  async begin(signal: AbortSignal): Promise<void> {
    this.timeline.start();
    await this.withConnection((query) =>
      query(`CREATE TABLE IF NOT EXISTS ${INSERT_TABLE} (id bigint PRIMARY KEY, at timestamptz DEFAULT now())`),
    );
    await this.withConnection((query) => query(`TRUNCATE ${INSERT_TABLE}`));
    this.client = new InsertClient(this.place, this.ledger);
    this.client.start();
    await waitFor(() => this.ledger.acknowledgements.length >= 200, {
      what: '200 acknowledged inserts',
      timeoutMs: 60_000,
      signal,
    });
    const master = await waitFor(() => runningMaster(this.timeline.current), {
      what: 'a running Master',
      timeoutMs: 10_000,
      signal,
    });
    this.events.add(`settled: ${master} is Master and takes writes`);
    await delay(1_000, undefined, { signal });
  }

  /** Ends the client, and counts the acknowledged inserts that the Master does not have; null if it cannot be asked. */
  async end(): Promise<number | null> {
    await this.client?.stop();
    this.timeline.stop();
    try {
      const rows = await this.withConnection((query) => query(`SELECT id::int AS id FROM ${INSERT_TABLE}`));
      return this.ledger.missingFrom(new Set(rows.map(({ id }) => id as number))).length;
    } catch (error) {
      this.events.add(`the inserts cannot be counted: ${(error as Error).message}`);
      return null;
    }
  }

  private async withConnection<T>(
    work: (query: (sql: string) => Promise<Record<string, unknown>[]>) => Promise<T>,
  ): Promise<T> {
    const connection = await openConnection(this.place, STATEMENT_MS);
    try {
      return await work(async (sql) => (await connection.client.query<Record<string, unknown>>(sql)).rows);
    } finally {
      connection.drop();
    }
  }

  /** The way of every client: the first load balancer's master port. */
  private get place(): ConnectionPlace {
    const { loadBalancers, users } = this.cluster.describe();
    const { name: user, password } = users.superuser;
    const [lb] = loadBalancers;
    return { host: lb?.address ?? '', port: lb?.masterPort ?? 0, user, password, database: 'postgres' };
  }

  private noteMaster({ value, isHeld }: MasterSight, before: MasterSight | null): void {
    if (value === null) return;
    const { node, term, phase, released } = value;
    if (released) this.events.add(`${node} has released the lock of term ${term}`);
    else if (!isHeld) this.events.add(`the lock of term ${term}, ${node}'s, is free`);
    else if (before?.value?.term !== term) this.events.add(`${node} is elected: holds the lock, term ${term}`);
    if (isHeld && phase === 'running' && before?.value?.phase !== 'running')
      this.events.add(`${node} runs as Master of term ${term}`);
  }
}

/** The name of the Master if the key says that one runs, else null. */
export function runningMaster(sight: MasterSight | null): string | null {
  return sight?.isHeld === true && sight.value?.phase === 'running' ? sight.value.node : null;
}
