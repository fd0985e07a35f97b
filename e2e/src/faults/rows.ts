/** A fault that a cluster must survive, and what must hold then. */
export interface RowText {
  readonly number: number;
  readonly fault: string;
  readonly holds: string;
  /** Why no test here covers it, if none does. */
  readonly left?: string;
}

export const ROWS: readonly RowText[] = [
  {
    number: 1,
    fault: 'postmaster killed; the same while 8 direct backends run 5-second functions that end in a commit',
    holds:
      'failover; nothing acknowledged after the new Master’s first write; the old Master rejoins by itself (quorum mode, or rejoin: always)',
  },
  { number: 2, fault: 'Postgres hangs', holds: 'found by a query with a timeout; stopped hard; failover' },
  {
    number: 3,
    fault: 'db-controller killed / frozen / out of memory',
    holds: 'Master fenced before anyone can take over; a quick restart of the controller costs no outage',
  },
  {
    number: 4,
    fault: 'controller frozen longer than lease and session, then thawed',
    holds: 'does nothing before it has looked at the lock again',
  },
  {
    number: 5,
    fault: 'role-server killed / frozen',
    holds: 'runner fences when its answer’s validity runs out, not before; restart inside that costs nothing',
  },
  {
    number: 6,
    fault: 'runner killed; or frozen and Consul cut off 2 s later',
    holds: 'its Postgres dies with it; the controller fences in its place',
  },
  { number: 7, fault: 'whole node lost', holds: 'failover within lease + promotion' },
  {
    number: 8,
    fault: 'whole node frozen 60 s, then thawed',
    holds: 'as 7; after the thaw nothing more is acknowledged (synchronous), everything reported (asynchronous)',
  },
  { number: 9, fault: 'Master cut off from everyone', holds: 'Master fences itself; one writer at all times' },
  {
    number: 10,
    fault: 'Master cut off from Consul only',
    holds: 'members that still reach Consul refuse failsafe; failover',
  },
  {
    number: 11,
    fault: 'Master cut off from Replicas only',
    holds: 'no failover; synchronous: writes wait, and an alarm says so',
  },
  { number: 12, fault: 'one-way cuts in each direction of 9–11', holds: 'same invariants' },
  { number: 13, fault: 'Consul leader killed, again and again', holds: 'no failover, no failed write' },
  {
    number: 14,
    fault: 'Consul quorum lost for 5 min',
    holds: 'writes go on (failsafe); recovers alone; a member missing as well → fenced',
  },
  { number: 15, fault: 'the pod’s Consul agent: SIGTERM, SIGKILL, restart', holds: 'no failover, no failed write' },
  {
    number: 16,
    fault: 'all of Consul’s data lost; an old snapshot restored, also one with released: true',
    holds: 'nobody promotes by itself; `hapg` explains and re-creates the keys',
  },
  {
    number: 17,
    fault: 'slow Consul: 0.5–5 s latency, 10 % loss',
    holds: '≤ 1 s: no failover; above: failsafe, or at most one failover in 10 minutes',
  },
  {
    number: 18,
    fault: 'disk full on the Master’s WAL',
    holds: 'failover or stop, no loop; recovers after space is made',
  },
  { number: 19, fault: 'data directory removed or corrupted', holds: 'failover; node bootstraps anew' },
  { number: 20, fault: 'storage stalls (fsync hangs)', holds: 'found by a check that writes, failover' },
  {
    number: 21,
    fault: 'the only candidate lags over the limit',
    holds: 'not promoted; hapg status says why and what would be lost',
  },
  { number: 22, fault: 'best Replica is the last to notice', holds: 'the most advanced one wins' },
  {
    number: 23,
    fault: 'old Master returns with WAL that nobody has',
    holds: 'safe: blocked with count and range; always: rewound, WAL kept aside',
  },
  { number: 24, fault: 'rewind impossible', holds: 'base backup, unattended' },
  {
    number: 25,
    fault: 'Master restarts with synchronous commits waiting; SIGKILL of the waiting backend only',
    holds: 'not visible before they are replicated',
  },
  { number: 26, fault: 'all synchronous Replicas die', holds: 'strict: writes wait; available: go on, with an event' },
  {
    number: 27,
    fault: 'Master and synchronous Replica die together',
    holds: 'nobody promoted without an explicit, logged override',
  },
  { number: 28, fault: 'switchover under load, to each node', holds: '0 lost, 0 refused connections with hold, ≤ 1 s' },
  {
    number: 29,
    fault: 'db-controller killed in every phase of a switchover or promotion',
    holds: 'completes or rolls back',
  },
  {
    number: 30,
    fault: 'the new Master dies while promoting, or right after its first write; the next never heard of it',
    holds: 'next one takes over; equal timeline numbers are not taken for equal histories',
  },
  {
    number: 31,
    fault: '20 failovers back to back (quorum mode)',
    holds: 'slots, WAL, sessions, memory and file descriptors do not grow',
  },
  { number: 32, fault: 'wall clock jumps an hour on one node', holds: 'at most one fence, never two writers' },
  {
    number: 33,
    fault: 'two processes with the same node name',
    holds: 'the second refuses, clearly (lock file; across machines by an incarnation in the status)',
  },
  {
    number: 34,
    fault: 'HAProxy killed or reloaded with open sessions',
    holds: 'lb-syncer restores the state before traffic is misrouted',
  },
  {
    number: 35,
    fault: 'lb-syncer dead for 5 min across a failover',
    holds: 'HAProxy’s own checks keep clients away from a fenced Master',
  },
  {
    number: 36,
    fault: 'one of two load balancers cut off from Consul across a failover',
    holds: 'it never routes writes to the old Master after its fence',
  },
  { number: 37, fault: 'clients take all connections', holds: 'checks, replication and promotion keep working' },
  {
    number: 38,
    fault: 'processor starved',
    holds: 'failover if the alive check fails, and no flapping after',
  },
  {
    number: 39,
    fault: 'garbage in every key, every HTTP endpoint, every option',
    holds: 'a clear error, the previous value stays, nothing dies',
  },
  {
    number: 40,
    fault: 'whole cluster killed and restarted, in any order',
    holds:
      'synchronous: no acknowledged write missing; asynchronous: the last Master is waited for coldStartWait, then as in the head',
  },
  {
    number: 41,
    fault: 'Consul requests stalled up to 7 s and then committed',
    holds: 'stale acquires, beats and releases change nothing they were not decided on',
  },
  {
    number: 42,
    fault: 'replay paused or held by a conflicting query while a vote is taken',
    holds: 'receiver really stopped before the vote; the vote does not hang',
  },
  {
    number: 43,
    fault: 'somebody promotes a Replica by hand',
    holds:
      'no client is led to it; it streams again by itself, or, where it has a commit of its own, says so and waits to be told',
  },
];
