import type { Server } from './server';
import { lsnText } from './wal';

/** PostgreSQL's refusal of a statement. */
export class Refused extends Error {
  constructor(
    readonly sqlState: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

const MAY = { may_read_all_stats: true, user_name: 'controller' } as const;

/** The statements that a controller sends. One that is unknown here ends the run: the model must be taught it. */
const KNOWN: readonly (readonly [RegExp, (server: Server, statement: Statement) => object[]])[] = [
  [/WITH mode AS MATERIALIZED/, (server) => [stateRow(server)]],
  [
    /FILTER \(WHERE backend_type = 'walreceiver'\)/,
    (server) => [{ receivers: Number(server.receiver.hasProcess), ...MAY }],
  ],
  [/^SELECT pg_is_in_recovery\(\)/, (server) => [{ recovering: server.inRecovery }]],
  [/^SELECT pg_promote\(false\)/, promote],
  [/^SELECT pg_wal_replay_resume\(\)/, resumeReplay],
  [/^SELECT pg_last_wal_replay_lsn\(\)/, (server) => [{ fork: forkLsn(server) }]],
  [/name = 'wal_segment_size'/, () => [{ bytes: 0x1000000 }]],
  [/^SELECT current_setting\('synchronous_standby_names'\) AS names/, (server) => [shown(server)]],
  [/pg_terminate_backend\(pid\) FROM pg_stat_replication/, endSenders],
  [/a\.xact_start IS NOT NULL/, endReaders],
  [/^SELECT count\(pg_terminate_backend\(a\.pid\)\)/, () => [{ count: 0 }]],
  [/FROM pg_replication_slots WHERE slot_type = 'physical'/, ownSlots],
  [/pg_create_physical_replication_slot/, createSlots],
  [/pg_drop_replication_slot/, dropSlots],
];

/** Carries a statement out. @throws Refused what PostgreSQL would refuse; Error a statement that the model does not know. */
export function execute(server: Server, statement: Statement): object[] {
  const known = KNOWN.find(([words]) => words.test(statement.sql));
  if (known === undefined) throw new Error(`the model of PostgreSQL does not know the statement ${statement.sql}`);
  return known[1](server, statement);
}

function promote(server: Server): object[] {
  if (!server.inRecovery) throw new Refused('55000', 'recovery is not in progress');
  server.promote();
  return [{ asked: true }];
}

function resumeReplay(server: Server): object[] {
  if (!server.inRecovery) throw new Refused('55000', 'recovery is not in progress');
  server.around.behaviour.isReplayPaused = false;
  server.replaySoon();
  return [{}];
}

/** The query that holds replay up is ended with its session. */
function endReaders({ around: { behaviour } }: Server): object[] {
  if (!behaviour.isReplayHeld) return [];
  behaviour.isReplayHeld = false;
  return [{}];
}

function endSenders(server: Server, { params }: Statement): object[] {
  const pids = params[0] as readonly number[];
  for (const sender of [...server.senders]) if (pids.includes(sender.pid)) sender.end();
  return pids.map(() => ({}));
}

function shown({ synchronous, admits }: Server): object {
  return { names: synchronous.names, admits };
}

function ownSlots({ slots }: Server): object[] {
  return [...slots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { lost }]) => ({ name, lost }));
}

function createSlots({ slots }: Server, { params }: Statement): object[] {
  const names = params[0] as readonly string[];
  for (const name of names) if (!slots.has(name)) slots.set(name, { lost: false });
  return names.map(() => ({}));
}

function dropSlots({ slots, senders }: Server, { params }: Statement): object[] {
  const used = [...senders].map(({ slot }) => slot);
  for (const name of params[0] as readonly string[]) if (!used.includes(name)) slots.delete(name);
  return [];
}

/** Out of recovery it tells where recovery ended. */
function forkLsn(server: Server): string | null {
  if (server.inRecovery) return lsnText(server.replayed);
  return server.endOfRecovery === null ? null : lsnText(server.endOfRecovery);
}

function stateRow(server: Server): object {
  const { database, inRecovery, receiver, replayed } = server;
  const { timeline, wal } = database;
  const own = inRecovery ? null : lsnText(wal.end);
  return {
    in_recovery: inRecovery,
    ...MAY,
    server_version: 150018,
    synchronous_standby_names: server.synchronous.names,
    system_identifier: database.systemId,
    wal_file_name: inRecovery ? null : `${timeline.number.toString(16).toUpperCase().padStart(8, '0')}0000000000000003`,
    control_timeline: database.control.timeline,
    inserted_lsn: own,
    written_lsn: own,
    flushed_lsn: own,
    received_lsn: inRecovery && receiver.received !== null ? lsnText(receiver.received) : null,
    replayed_lsn: inRecovery ? lsnText(replayed) : null,
    replay_paused: inRecovery ? server.around.behaviour.isReplayPaused : null,
    last_replay_age: null,
    startup_wait_event: inRecovery ? receiver.waitEvent : null,
    wal_waiters: 0,
    wal_receiver_backends: receiver.hasProcess ? 1 : 0,
    wal_receiver: receiver.isConnected ? receiverRow(server) : null,
    senders: senderRows(server),
  };
}

function receiverRow({ receiver, database }: Server): object {
  return {
    pid: 1,
    status: 'streaming',
    sender_host: receiver.from,
    sender_port: 5432,
    slot_name: receiver.slot,
    received_tli: receiver.timeline,
    flushed_lsn: lsnText(database.wal.flushed),
    latest_end_lsn: receiver.latestEnd === null ? null : lsnText(receiver.latestEnd),
  };
}

function senderRows(server: Server): object[] {
  return [...server.senders].map((sender) => {
    const flushed = lsnText(sender.flushed);
    return {
      pid: sender.pid,
      application_name: sender.to,
      client_addr: sender.to,
      state: 'streaming',
      sync_state: sender.priority > 0 ? 'quorum' : 'async',
      sync_priority: sender.priority,
      sent_lsn: lsnText(sender.sent),
      write_lsn: flushed,
      flush_lsn: flushed,
      replay_lsn: flushed,
    };
  });
}
