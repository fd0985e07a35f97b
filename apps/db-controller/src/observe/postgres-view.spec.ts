import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '@ha-postgres/service-kit';
import type { AliveResult } from '@ha-postgres/pg-health';
import { until } from '../../test/fixture/clock';
import { thisMachine } from '../machine';
import type { PostgresPort } from '../ports';
import { PostgresView } from './postgres-view';

const RECEIVER = { pid: 7, status: 'streaming', sender_host: 'a', sender_port: 5432, slot_name: null, received_tli: 1 };
const REPLICA = {
  in_recovery: true,
  may_read_all_stats: true,
  control_timeline: 1,
  received_lsn: '0/3000060',
  replayed_lsn: '0/3000060',
  wal_receiver_backends: 1,
  wal_receiver: { ...RECEIVER, flushed_lsn: '0/3000060', latest_end_lsn: '0/3000060' },
  senders: [],
};
const ALIVE: AliveResult = { alive: true, elapsedMs: 1, inRecovery: true };
const REFUSED: AliveResult = { alive: false, elapsedMs: 1, failure: 'refused', message: 'nobody listens' };

const STORAGE_MS = 50;

const views: PostgresView[] = [];
afterEach(async () => {
  for (const view of views.splice(0)) await view.close();
});

/** A view that looks every few milliseconds at what the test makes of the server. */
function viewing() {
  const server = { row: { ...REPLICA } as object, alive: ALIVE, reads: 0, checks: 0, heard: 0 };
  const port = {
    aliveCheck: () => ({ run: () => Promise.resolve(((server.checks += 1), server.alive)) }),
    hold: () => ({
      open: () => Promise.resolve(),
      close: () => Promise.resolve(),
      query: () => Promise.resolve(((server.reads += 1), [{ ...server.row }])),
    }),
  } as unknown as PostgresPort;
  const view = new PostgresView({
    server: port,
    clock: thisMachine().clock,
    checkIntervalMs: 5,
    stateIntervalMs: 5,
    connectTimeoutMs: 100,
    queryTimeoutMs: 100,
    aliveThreshold: 3,
    replicationThreshold: 3,
    storageTimeoutMs: STORAGE_MS,
    hasMasterToStreamFrom: () => true,
    log: silentLog,
    onChange: () => (server.heard += 1),
  });
  views.push(view);
  view.start();
  const looks = async (): Promise<void> => {
    const { reads, checks } = server;
    await until('it has looked again', () => server.reads > reads + 2 && server.checks > checks + 2);
  };
  const heardOf = async (change: () => void): Promise<boolean> => {
    await looks();
    const { heard } = server;
    change();
    await looks();
    return server.heard > heard;
  };
  return { server, view, heardOf };
}

describe('what PostgreSQL says', () => {
  it('is not heard of again while it is the same: it decides nothing', async () => {
    const { heardOf, view } = viewing();
    expect(await heardOf(() => undefined)).toBe(false);
    expect(view.sight).toMatchObject({ alive: true, inRecovery: true, receiver: { streaming: true } });
  });

  it.each<[string, object]>([
    ['its position', { ...REPLICA, received_lsn: '0/4000000' }],
    [
      'its role',
      {
        ...REPLICA,
        in_recovery: false,
        wal_file_name: '000000020000000000000003',
        inserted_lsn: '0/5',
        written_lsn: '0/5',
        flushed_lsn: '0/5',
      },
    ],
    ['its rights', { ...REPLICA, may_read_all_stats: false }],
  ])('is heard of when %s changes', async (_, row) => {
    const { server, heardOf } = viewing();
    expect(await heardOf(() => (server.row = row))).toBe(true);
  });

  it('is heard of each time where a Replica does not stream: a look that is newer is waited for', async () => {
    const { server, heardOf } = viewing();
    server.row = { ...REPLICA, wal_receiver: null, wal_receiver_backends: 0 };
    expect(await heardOf(() => undefined)).toBe(true);
  });

  it('is heard of by who asks for it, changed or not', async () => {
    const { server, heardOf, view } = viewing();
    await heardOf(() => undefined);
    const { heard } = server;
    await view.readAnew();
    expect(server.heard).toBeGreaterThan(heard);
  });
});

describe('an alive check', () => {
  it('is heard of whenever it fails, and when it succeeds again', async () => {
    const { server, heardOf, view } = viewing();
    expect(await heardOf(() => (server.alive = REFUSED))).toBe(true);
    expect(await heardOf(() => undefined)).toBe(true);
    await until('it counts as dead', () => !view.sight.alive);
    expect(await heardOf(() => (server.alive = ALIVE))).toBe(true);
    await until('it counts as alive', () => view.sight.alive);
    await delay(0);
    expect(await heardOf(() => undefined)).toBe(false);
  });
});

describe('a disk that takes no WAL', () => {
  const master = {
    ...REPLICA,
    in_recovery: false,
    wal_file_name: '000000020000000000000003',
    inserted_lsn: '0/6',
    written_lsn: '0/5',
    flushed_lsn: '0/5',
    wal_waiters: 1,
  };

  it('is a PostgreSQL that has failed, though it answers, until another one is started', async () => {
    const { server, view } = viewing();
    server.row = master;
    await until('it is found', () => !view.sight.alive);
    expect(view.sight.failure).toMatch(/its disk has taken no WAL/);
    expect(view.answersNow).toBe(true);
    server.row = { ...master, wal_waiters: 0 };
    view.serverStarted();
    expect(view.sight).toMatchObject({ alive: true, failure: null });
  });

  it('is not found where it is merely slow', async () => {
    const { server, view } = viewing();
    let position = 5;
    // Another one at each look.
    server.row = Object.defineProperty({ ...master }, 'flushed_lsn', {
      enumerable: true,
      get: () => `0/${(position += 1).toString(16)}`,
    });
    await delay(4 * STORAGE_MS);
    expect(view.sight.alive).toBe(true);
  });
});
