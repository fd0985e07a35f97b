import { parseSyncRule } from './sync-rule';
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

type Statement = readonly [RegExp, (server: Server, sql: string) => object[]];

/** The statements that a controller sends. One that is unknown here ends the run: the model must be taught it. */
const STATEMENTS: readonly Statement[] = [
  [/WITH mode AS MATERIALIZED/, (server) => [stateRow(server)]],
  [
    /FILTER \(WHERE backend_type = 'walreceiver'\)/,
    (server) => [{ receivers: server.receiver.hasProcess ? 1 : 0, ...MAY }],
  ],
  [/^SELECT pg_is_in_recovery\(\)/, (server) => [{ recovering: server.inRecovery }]],
  [/^SELECT pg_promote\(false\)/, promote],
  [/^SELECT pg_wal_replay_resume\(\)/, resumeReplay],
  [/^SELECT pg_last_wal_replay_lsn\(\)/, (server) => [{ fork: forkLsn(server) }]],
  [/name = 'wal_segment_size'/, () => [{ bytes: 0x1000000 }]],
  [/^CHECKPOINT$/, checkpoint],
  [/synchronous_standby_names/, synchronousStandbyNames],
];

const MAY = { may_read_all_stats: true, user_name: 'controller' } as const;

/** Carries a statement out. @throws Refused what PostgreSQL would refuse; Error a statement that the model does not know. */
export function execute(server: Server, sql: string): object[] {
  const statement = STATEMENTS.find(([words]) => words.test(sql));
  if (statement === undefined) throw new Error(`the model of PostgreSQL does not know the statement ${sql}`);
  return statement[1](server, sql);
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

function checkpoint(server: Server): object[] {
  server.checkpoint();
  return [];
}

function synchronousStandbyNames(server: Server, sql: string): object[] {
  const [, names] = /'([^']*)'/.exec(sql) ?? [];
  if (names !== undefined) server.syncRule = parseSyncRule(names);
  return [{}];
}

/** Out of recovery it tells where recovery ended. */
function forkLsn(server: Server): string | null {
  if (server.inRecovery) return lsnText(server.replayed);
  return server.endOfRecovery === null ? null : lsnText(server.endOfRecovery);
}

function stateRow(server: Server): object {
  const { database, inRecovery, receiver, replayed } = server;
  const { timeline, wal } = database;
  const flushed = lsnText(wal.flushed);
  const own = inRecovery ? null : lsnText(wal.end);
  return {
    in_recovery: inRecovery,
    ...MAY,
    server_version: 150018,
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
    wal_receiver_backends: receiver.hasProcess ? 1 : 0,
    wal_receiver: receiver.isConnected ? receiverRow(server, flushed) : null,
    senders: senderRows(server),
  };
}

function receiverRow({ receiver, database }: Server, flushed: string): object {
  return {
    pid: 1,
    status: 'streaming',
    sender_host: receiver.from,
    sender_port: 5432,
    slot_name: null,
    received_tli: database.timeline.number,
    flushed_lsn: flushed,
    latest_end_lsn: receiver.latestEnd === null ? null : lsnText(receiver.latestEnd),
  };
}

function senderRows(server: Server): object[] {
  return [...server.senders].map((sender) => ({
    pid: 1,
    application_name: sender.to,
    client_addr: sender.to,
    state: 'streaming',
    sync_state: 'async',
    sent_lsn: lsnText(sender.sent),
    write_lsn: lsnText(sender.flushed),
    flush_lsn: lsnText(sender.flushed),
    replay_lsn: lsnText(sender.flushed),
  }));
}
