import type { ConsulApi, ConsulClient } from '@ha-postgres/consul-election';
import type { AliveCheck, HeldConnection, HeldConnectionOptions } from '@ha-postgres/pg-health';
import type { Millis } from '@ha-postgres/service-kit';
import type { WalPlace } from './act/wal-segments';
import type { Peers } from './peers';
import type { Lsn } from '@ha-postgres/lsn';

/** What a class offers: whoever offers the same can stand in its place. */
type Offered<T> = { readonly [K in keyof T]: T[K] };

/** Consul, as the controller asks it. */
export interface ControllerConsul
  extends ConsulApi, Pick<ConsulClient, 'kvPut' | 'registerService' | 'updateTtlCheck'> {}

/** Other nodes. */
export type PeersPort = Offered<Peers>;

/** A connection to PostgreSQL that is kept. */
export type HeldPort = Offered<HeldConnection>;

/** This node's PostgreSQL, as its clients reach it. */
export interface PostgresPort {
  /** Asks by a new connection each time. */
  aliveCheck(timeouts: { readonly connectTimeoutMs: Millis; readonly queryTimeoutMs: Millis }): Offered<AliveCheck>;
  hold(options: HeldConnectionOptions): HeldPort;
}

/** Processes of the data directory, as the kernel shows them. */
export interface ProcessesPort {
  /** SIGKILL to all; the pids that were signalled. */
  kill(): readonly number[];
  list(): readonly number[];
}

/** What must survive a restart: one value. */
export interface StateStore {
  /** Null if nothing was ever written. @throws what makes the stored value unreadable */
  read(): unknown;
  /** Durable when this returns. */
  write(value: unknown): void;
  /** For messages. */
  readonly name: string;
}

/** WAL files; see `wal-segments.ts`. */
export interface WalPort {
  read(place: WalPlace, start: Lsn, bytesMax: number): Buffer;
  write(place: WalPlace, start: Lsn, bytes: Buffer): void;
  /** The history file of a timeline. @throws the file system's error */
  history?(dataDir: string, timeline: number): string;
}
