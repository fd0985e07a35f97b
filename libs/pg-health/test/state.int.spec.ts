import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import {
  HeldConnection,
  ReplicationCheck,
  checkpoint,
  promote,
  readServerState,
  resumeReplay,
  walReceiverStopped,
  whyNotStreaming,
  type MasterState,
  type ReplicaState,
} from '../src';
import { LocalPostgres, eventually, signalIfAlive } from './local-postgres';

describe('the state of a real Master and its Replica', () => {
  const servers: LocalPostgres[] = [];
  let master: HeldConnection;
  let replica: HeldConnection;
  let replicaServer: LocalPostgres;
  let masterServer: LocalPostgres;
  let silent: Server | undefined;

  beforeEach(async () => {
    masterServer = await LocalPostgres.initialised();
    servers.push(masterServer);
    await masterServer.start();
    replicaServer = await masterServer.replica();
    servers.push(replicaServer);
    await replicaServer.start();
    master = await masterServer.connect();
    replica = await replicaServer.connect();
    await eventually('the Replica streams', async () => whyNotStreaming(await readServerState(replica)) === null);
  });
  afterEach(async () => {
    await master.close();
    await replica.close();
    for (const server of servers.splice(0)) await server.destroy();
    silent?.close();
    silent = undefined;
  });

  const masterState = async (connection = master): Promise<MasterState> => {
    const state = await readServerState(connection);
    if (state.inRecovery) throw new Error('not a Master');
    return state;
  };
  const replicaState = async (): Promise<ReplicaState> => {
    const state = await readServerState(replica);
    if (!state.inRecovery) throw new Error('not a Replica');
    return state;
  };
  const setOnReplica = async (setting: string, value: string): Promise<void> => {
    await replica.query(`ALTER SYSTEM SET ${setting} = '${value}'`);
    await replica.query('SELECT pg_reload_conf()');
  };
  const killReceiver = async (): Promise<void> => {
    const rows = await replica.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'",
    );
    rows.forEach(({ pid }) => signalIfAlive(pid, 'SIGTERM'));
  };

  it('is the same cluster and timeline on both, and the Master sees its Replica', async () => {
    const [here, there] = [await masterState(), await replicaState()];
    expect(there.systemIdentifier).toBe(here.systemIdentifier);
    expect(here.systemIdentifier).toMatch(/^\d{15,20}$/);
    expect(here).toMatchObject({ timeline: 1, timelineSource: 'wal-file-name' });
    expect(there).toMatchObject({ timeline: 1, timelineSource: 'receiver', walReceiverBackends: 1 });
    expect(here.senders).toHaveLength(1);
    expect(here.senders[0]).toMatchObject({
      applicationName: 'replica',
      state: 'streaming',
      syncState: 'async',
      clientAddress: '127.0.0.1',
    });
    expect(there.walReceiver).toMatchObject({
      status: 'streaming',
      senderHost: '127.0.0.1',
      senderPort: masterServer.port,
    });
    expect(here.serverVersion).toBeGreaterThanOrEqual(130000);
  });

  it('catches up: the Replica reaches the position that the Master had', async () => {
    await master.query('CREATE TABLE rows AS SELECT generate_series(1, 1000)');
    const { position } = await masterState();
    await eventually('it is replayed', async () => ((await replicaState()).replayedLsn ?? 0n) >= position);
    const state = await replicaState();
    expect(state).toMatchObject({ replayAtEnd: true, replayLagSeconds: 0 });
    expect(state.position).toBeGreaterThanOrEqual(position);
  });

  it('lags in bytes and seconds while replay is paused, and not when it is resumed', async () => {
    await master.query('CREATE TABLE rows (id int)');
    await eventually('replayed', async () => {
      const { position } = await masterState();
      return ((await replicaState()).replayedLsn ?? 0n) >= position;
    });
    await replica.query('SELECT pg_wal_replay_pause()');
    await master.query('INSERT INTO rows SELECT generate_series(1, 1000)');
    await eventually('it is received', async () => (await replicaState()).replayLagBytes > 1000);
    const paused = await replicaState();
    expect(paused).toMatchObject({ replayPaused: true, replayAtEnd: false });
    expect(paused.replayLagSeconds).toBeGreaterThan(0);
    expect(paused.position).toBe(paused.receivedLsn);
    await resumeReplay(replica);
    await eventually('it is replayed', async () => {
      const state = await replicaState();
      return state.replayAtEnd && !state.replayPaused && state.replayLagBytes === 0;
    });
  });

  it('shows a receiver that connects as a process, though pg_stat_wal_receiver is empty', async () => {
    let connections = 0;
    silent = createServer((socket) => {
      connections += 1;
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    // PostgreSQL starts the receiver anew by itself; killing it too would start it twice, with a moment of none between.
    await setOnReplica('primary_conninfo', `host=127.0.0.1 port=${port} user=postgres`);
    await eventually('the new receiver connects, in vain', () => connections === 1);
    const connecting = await replicaState();
    expect(connecting).toMatchObject({ walReceiver: null, walReceiverBackends: 1 });
    expect(whyNotStreaming(connecting)).toBe('the WAL receiver is connecting');
    await expect(walReceiverStopped(replica, { limitMs: 200 })).resolves.toBe(false);

    await setOnReplica('primary_conninfo', '');
    await killReceiver();
    await expect(walReceiverStopped(replica, { limitMs: 20_000 })).resolves.toBe(true);
    await expect(replicaState()).resolves.toMatchObject({
      walReceiverBackends: 0,
      walReceiver: null,
      timelineSource: 'control-data',
      timeline: 1,
    });
  });

  it('reaches the end of its files after a restart in which it never streamed', async () => {
    await master.query('CREATE TABLE rows AS SELECT generate_series(1, 1000)');
    const { position } = await masterState();
    await eventually('it is received', async () => (await replicaState()).position >= position);
    await setOnReplica('primary_conninfo', '');
    await replica.close();
    await replicaServer.restart();
    replica = await replicaServer.connect();
    await eventually('all is replayed', async () => (await replicaState()).replayAtEnd);
    const state = await replicaState();
    expect(state).toMatchObject({ receivedLsn: null, walReceiverBackends: 0, replayLagBytes: 0 });
    expect(state.position).toBe(state.replayedLsn);
    expect(state.position).toBeGreaterThanOrEqual(position);
  });

  it('fails the replication check while receivers are killed, and passes it when that ends', async () => {
    const check = new ReplicationCheck(3);
    await setOnReplica('wal_retrieve_retry_interval', '5s');
    await eventually('three looks in a row found none', async () => {
      await killReceiver();
      return check.record(await replicaState()).failing;
    });
    await setOnReplica('wal_retrieve_retry_interval', '100ms');
    await eventually('it streams again', async () => !check.record(await replicaState()).failing);
  });

  it('has the new timeline at once after a promotion, while the control file still has the old', async () => {
    const [checkpointer] = await replica.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'",
    );
    const checkpointerPid = checkpointer?.pid ?? Number.NaN;
    const controlTimeline = async (): Promise<unknown> =>
      (await replica.query<{ timeline_id: number }>('SELECT timeline_id FROM pg_control_checkpoint()'))[0]?.timeline_id;
    // The checkpoint after the promotion brings the control file up to date: hold it back.
    process.kill(checkpointerPid, 'SIGSTOP');
    await promote(replica);
    await eventually('it is a Master', async () => !(await readServerState(replica)).inRecovery);
    await expect(masterState(replica)).resolves.toMatchObject({ timeline: 2, timelineSource: 'wal-file-name' });
    expect(await controlTimeline()).toBe(1);
    process.kill(checkpointerPid, 'SIGCONT');
    await checkpoint(replica, 60_000);
    expect(await controlTimeline()).toBe(2);
    await expect(promote(replica)).rejects.toMatchObject({ sqlState: '55000' });
    await expect(resumeReplay(replica)).rejects.toMatchObject({ sqlState: '55000' });
  });

  it('is read without a failure all through a promotion', async () => {
    const seen: boolean[] = [];
    const look = async (): Promise<boolean> => {
      const { inRecovery } = await readServerState(replica);
      seen.push(inRecovery);
      return !inRecovery;
    };
    await look();
    const other = await replicaServer.connect();
    await promote(other);
    await other.close();
    while (!(await look())) if (seen.length > 100_000) throw new Error('no Master after 100000 looks');
    expect(seen.indexOf(false)).toBe(seen.length - 1);
    expect(seen[0]).toBe(true);
  });

  it('needs no more than pg_monitor, and refuses a user who is not a member', async () => {
    await master.query("CREATE ROLE watcher LOGIN PASSWORD 'watch' IN ROLE pg_monitor");
    await master.query("CREATE ROLE stranger LOGIN PASSWORD 'watch'");
    const { position } = await masterState();
    await eventually('replayed', async () => ((await replicaState()).replayedLsn ?? 0n) >= position);
    const open = async (server: LocalPostgres, user: string): Promise<HeldConnection> => {
      const target = { ...server.target, user, password: 'watch' };
      const held = new HeldConnection(target, {
        connectTimeoutMs: 5000,
        queryTimeoutMs: 5000,
        onLost: () => undefined,
      });
      await held.open();
      return held;
    };
    for (const server of [masterServer, replicaServer]) {
      const watcher = await open(server, 'watcher');
      const inRecovery = server === replicaServer;
      await expect(readServerState(watcher)).resolves.toMatchObject({ inRecovery });
      if (inRecovery) await expect(readServerState(watcher)).resolves.toMatchObject({ walReceiverBackends: 1 });
      await watcher.close();
      const stranger = await open(server, 'stranger');
      await expect(readServerState(stranger)).rejects.toThrow(/user stranger .*pg_monitor/);
      await expect(walReceiverStopped(stranger, { limitMs: 1000 })).rejects.toThrow(/user stranger .*pg_monitor/);
      await stranger.close();
    }
  });
});
