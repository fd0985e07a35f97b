/** The TLS settings that a connection to PostgreSQL needs; a subset of Node's `tls.connect` options, PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  /** `false` accepts any certificate. Default: `true`. */
  readonly rejectUnauthorized?: boolean;
}

/** Where a PostgreSQL server is, and as whom to ask it. */
export interface ConnectionTarget {
  /** Name or address; a path that begins with `/` is the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Nothing but this is tried: neither `PGPASSWORD` nor `.pgpass` is read. */
  readonly password?: string;
  readonly database: string;
  readonly applicationName?: string;
  /** Default: `false`, no TLS. */
  readonly ssl?: boolean | TlsOptions;
}

export interface QueryOptions {
  /** How long this one query may take, in milliseconds, instead of the connection's own limit. */
  readonly timeoutMs?: number;
}

/**
 * What the queries of this library need of a connection. `HeldConnection` is one; so is any object with this method.
 * Never hand in a connection inside a transaction: PostgreSQL shows the same `pg_stat_activity` until it ends.
 */
export interface Queryable {
  query<Row>(sql: string, params?: readonly unknown[], options?: QueryOptions): Promise<Row[]>;
}

/** Names a target in messages: everything but the secrets. */
export function describeTarget(target: ConnectionTarget): string {
  return `${target.user}@${target.host}:${target.port}/${target.database}`;
}
