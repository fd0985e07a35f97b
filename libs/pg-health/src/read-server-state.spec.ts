import { parseLsn } from '@ha-postgres/lsn';
import type { Queryable } from './connection-target';
import { ServerFailure } from './failure-kind';
import { readServerState, toServerState } from './read-server-state';
import { ReplicationCheck } from './replication-check';
import type { ReplicaState } from './server-state';
import type { StateRow } from './state-query';

const REPLICA: StateRow = {
  in_recovery: true,
  user_name: 'controller',
  may_read_all_stats: true,
  server_version: 150018,
  system_identifier: '7312345678901234567',
  synchronous_standby_names: '',
  wal_file_name: null,
  control_timeline: 1,
  inserted_lsn: null,
  written_lsn: null,
  flushed_lsn: null,
  received_lsn: '0/3000060',
  replayed_lsn: '0/3000060',
  replay_paused: false,
  last_replay_age: 12.5,
  startup_wait_event: null,
  wal_waiters: 0,
  wal_receiver_backends: 1,
  wal_receiver: {
    pid: 7,
    status: 'streaming',
    sender_host: '10.0.0.1',
    sender_port: 5432,
    slot_name: null,
    received_tli: 2,
    flushed_lsn: '0/3000060',
    latest_end_lsn: '0/3000100',
  },
  senders: [],
};

const MASTER: StateRow = {
  ...REPLICA,
  in_recovery: false,
  wal_file_name: '0000000B00000000000000FF',
  inserted_lsn: '0/30',
  written_lsn: '0/20',
  flushed_lsn: '0/10',
  received_lsn: null,
  replayed_lsn: null,
  replay_paused: null,
  last_replay_age: null,
  wal_receiver_backends: 0,
  wal_receiver: null,
};

const replica = (changes: Partial<StateRow>): ReplicaState => {
  const state = toServerState({ ...REPLICA, ...changes });
  if (!state.inRecovery) throw new Error('a Master came of a row in recovery');
  return state;
};

describe('the state of a Master', () => {
  it('has its timeline from the WAL file name, whatever the control file still says', () => {
    expect(toServerState(MASTER)).toMatchObject({ timeline: 11, timelineSource: 'wal-file-name' });
  });

  it('reaches as far as its WAL is flushed', () => {
    expect(toServerState(MASTER)).toMatchObject({ inRecovery: false, position: 0x10n, insertedLsn: 0x30n });
  });

  it.each(['nonsense', null])('is refused with %p for a WAL file name', (wal_file_name) => {
    expect(() => toServerState({ ...MASTER, wal_file_name })).toThrow(JSON.stringify(wal_file_name));
  });
});

describe('the state of a Replica', () => {
  it('has its timeline from the receiver, else from control data', () => {
    expect(replica({})).toMatchObject({ timeline: 2, timelineSource: 'receiver' });
    expect(replica({ wal_receiver: null })).toMatchObject({ timeline: 1, timelineSource: 'control-data' });
  });

  it('reaches to the greater of received and replayed', () => {
    expect(replica({ received_lsn: null }).position).toBe(parseLsn('0/3000060'));
    expect(replica({ received_lsn: '0/3000000' }).position).toBe(parseLsn('0/3000060'));
    expect(replica({ received_lsn: '0/4000000' }).position).toBe(parseLsn('0/4000000'));
  });

  it('lags by what it knows of the sender', () => {
    expect(replica({}).replayLagBytes).toBe(0xa0);
    expect(replica({ wal_receiver: null }).replayLagBytes).toBe(0);
    expect(replica({ received_lsn: '0/3000070', wal_receiver: null }).replayLagBytes).toBe(0x10);
  });

  it('lags no seconds while all received is replayed, however old the last commit is', () => {
    expect(replica({}).replayLagSeconds).toBe(0);
    expect(replica({ received_lsn: '0/3000070' }).replayLagSeconds).toBe(12.5);
    expect(replica({ received_lsn: '0/3000070', last_replay_age: -3 }).replayLagSeconds).toBe(0);
    expect(replica({ received_lsn: '0/3000070', last_replay_age: null }).replayLagSeconds).toBeNull();
  });

  it('has replayed all when replay reached what was received, or waits for more', () => {
    expect(replica({}).replayAtEnd).toBe(true);
    expect(replica({ received_lsn: '0/3000070' }).replayAtEnd).toBe(false);
    expect(replica({ received_lsn: '0/3000070', startup_wait_event: 'RecoveryPause' }).replayAtEnd).toBe(false);
  });

  it('has replayed all when WAL ends in the middle of a record, but only once no receiver adds to it', () => {
    const cut = { received_lsn: '0/3000070', startup_wait_event: 'RecoveryRetrieveRetryInterval' };
    expect(replica({ ...cut, wal_receiver_backends: 0 }).replayAtEnd).toBe(true);
    expect(replica({ ...cut, wal_receiver_backends: 1 }).replayAtEnd).toBe(false);
    const waitsForStream = { ...cut, startup_wait_event: 'RecoveryWalStream', wal_receiver_backends: 0 };
    expect(replica(waitsForStream).replayAtEnd).toBe(false);
  });

  it('is known to have replayed all its files, nothing streamed, only by the startup process that waits', () => {
    const unstreamed = { received_lsn: null, wal_receiver: null };
    expect(replica(unstreamed).replayAtEnd).toBe(false);
    expect(replica({ ...unstreamed, startup_wait_event: 'RecoveryPause' }).replayAtEnd).toBe(false);
    for (const startup_wait_event of ['RecoveryWalStream', 'RecoveryRetrieveRetryInterval']) {
      expect(replica({ ...unstreamed, startup_wait_event }).replayAtEnd).toBe(true);
    }
  });
});

describe('readServerState', () => {
  it('refuses a user from whom PostgreSQL hides the receivers, and names the user', () => {
    expect(() => toServerState({ ...REPLICA, may_read_all_stats: false })).toThrow(/user controller .*pg_monitor/);
  });

  it('asks again when a promotion ends in the midst of the query', async () => {
    const answers = [
      () => Promise.reject(new ServerFailure('other', 'recovery is not in progress', { sqlState: '55000' })),
      () => Promise.resolve([MASTER]),
    ];
    const connection = { query: () => answers.shift()?.() } as unknown as Queryable;
    await expect(readServerState(connection)).resolves.toMatchObject({ inRecovery: false });
  });

  it('passes every other failure on', async () => {
    const failure = new ServerFailure('lost', 'gone');
    const connection: Queryable = { query: () => Promise.reject(failure) };
    await expect(readServerState(connection)).rejects.toBe(failure);
  });
});

describe('ReplicationCheck', () => {
  it('fails a Replica whose receiver does not stream for `limit` looks, and says why', () => {
    const check = new ReplicationCheck(2);
    expect(check.record(replica({}))).toEqual({ failing: false, consecutiveFailures: 0, why: null });
    const connecting = replica({ wal_receiver: null });
    expect(check.record(connecting)).toMatchObject({ failing: false, why: 'the WAL receiver is connecting' });
    const none = replica({ wal_receiver: null, wal_receiver_backends: 0 });
    expect(check.record(none)).toMatchObject({ failing: true, why: 'no WAL receiver runs' });
    expect(check.record(replica({}))).toMatchObject({ failing: false, why: null });
  });

  it('does not take a receiver that waits for one that streams', () => {
    const wal_receiver = { ...REPLICA.wal_receiver, status: 'waiting' } as StateRow['wal_receiver'];
    expect(new ReplicationCheck(1).record(replica({ wal_receiver }))).toMatchObject({
      failing: true,
      why: 'the WAL receiver is waiting',
    });
  });

  it('fails a Master, which replicates from nobody, and an unknown state', () => {
    expect(new ReplicationCheck(1).record(toServerState(MASTER)).failing).toBe(true);
    expect(new ReplicationCheck(1).recordUnknown('hung')).toMatchObject({ failing: true, why: 'hung' });
  });
});
