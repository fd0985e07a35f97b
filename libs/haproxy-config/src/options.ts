/** How often and how patiently HAProxy asks a node's role-server; times in milliseconds. */
export interface CheckOptions {
  readonly intervalMs: number;
  /** While a server is on its way up or down: the second look after a first failure comes this soon. */
  readonly fastIntervalMs: number;
  /** While a server is down. */
  readonly downIntervalMs: number;
  /** Failures in a row that take a server out. */
  readonly fall: number;
  /** Successes in a row that bring it back. */
  readonly rise: number;
  /** A check that has not answered by then has failed: a frozen node still accepts connections. */
  readonly timeoutMs: number;
}

/** Times in milliseconds. */
export interface TimeoutOptions {
  readonly connectMs: number;
  /** Silence of a client, and of a server: long, for idle pooled connections and long queries are both normal. */
  readonly clientMs: number;
  readonly serverMs: number;
  /** How long a client waits at most while its backend is held: longer than lb-syncer's `holdTimeout`. */
  readonly queueMs: number;
}

/** Everything about a `haproxy.cfg` that may differ; addresses are HAProxy's (`*:5432`, `127.0.0.1:9998`, `/run/haproxy.sock`). */
export interface HaproxyConfigOptions {
  /** Leads to the Master. */
  readonly masterBind: string;
  /** Leads to the Replicas. */
  readonly standbyBind: string;
  /** Leads whoever replicates to the key's holder until it releases the key; null: Replicas connect directly. */
  readonly replicationBind: string | null;
  /**
   * Where lb-syncer puts in the plug by which new clients of the master port wait instead of being refused; null: they cannot. Whoever
   * reaches it can keep the plug's place, so never beyond the pod.
   */
  readonly holdBind: string | null;
  /** Admin-level Runtime API: lb-syncer's. Whoever reaches it can do anything with HAProxy, so never beyond the pod. */
  readonly adminBind: string;
  /** User-level Runtime API (reads only), or null for none. */
  readonly userBind: string | null;
  readonly masterBackend: string;
  readonly standbyBackend: string;
  readonly replicationBackend: string;
  /** Number of servers `standby0…N` in the standby backend: one for each node that there may ever be. */
  readonly standbySlots: number;
  /** Asked of role-server with GET; anything but 200 is a failure. */
  readonly masterCheckPath: string;
  readonly standbyCheckPath: string;
  /** Whether HAProxy closes standby connections when its own check marks a server down, or lets running queries end. */
  readonly standbyMarkedDown: 'shutdown-sessions' | 'keep-sessions';
  readonly check: CheckOptions;
  readonly timeouts: TimeoutOptions;
  readonly maxConnections: number;
  readonly threads: number;
  /** How long an old process lives on after a reload. Its sessions are out of lb-syncer's reach, so: short. */
  readonly hardStopAfterMs: number;
  /** HAProxy's `log` target, or null for none. */
  readonly log: string | null;
}

export const HAPROXY_CONFIG_DEFAULTS: HaproxyConfigOptions = {
  masterBind: '*:5432',
  standbyBind: '*:5433',
  replicationBind: null,
  holdBind: '127.0.0.1:9997',
  adminBind: '127.0.0.1:9998',
  userBind: '*:9999',
  masterBackend: 'master',
  standbyBackend: 'standby',
  replicationBackend: 'replication',
  standbySlots: 10,
  masterCheckPath: '/controller/ready?role=Master',
  standbyCheckPath: '/controller/ready?role=Replica',
  standbyMarkedDown: 'shutdown-sessions',
  // Three looks 700 ms apart: a role-server that is started again within 1.4 s takes no server, and no client, down.
  check: { intervalMs: 1000, fastIntervalMs: 700, downIntervalMs: 500, fall: 3, rise: 1, timeoutMs: 1000 },
  timeouts: { connectMs: 1000, clientMs: 1_800_000, serverMs: 1_800_000, queueMs: 15_000 },
  maxConnections: 1000,
  threads: 2,
  hardStopAfterMs: 5000,
  log: 'stdout format raw local0 notice',
};

/** What a caller gives: any part of the options. */
export type HaproxyConfigInput = Partial<Omit<HaproxyConfigOptions, 'check' | 'timeouts'>> & {
  readonly check?: Partial<CheckOptions>;
  readonly timeouts?: Partial<TimeoutOptions>;
};

export function withDefaults(input: HaproxyConfigInput): HaproxyConfigOptions {
  return {
    ...HAPROXY_CONFIG_DEFAULTS,
    ...input,
    check: { ...HAPROXY_CONFIG_DEFAULTS.check, ...input.check },
    timeouts: { ...HAPROXY_CONFIG_DEFAULTS.timeouts, ...input.timeouts },
  };
}
