import { setTimeout as delay } from 'node:timers/promises';
import { AliveCheck, HeldConnection, type ConnectionTarget } from '../src';
import { LocalPostgres, eventually } from './local-postgres';

const TIMEOUTS = { connectTimeoutMs: 2000, queryTimeoutMs: 2000 };
const check = (target: ConnectionTarget) => new AliveCheck(target, TIMEOUTS).run();
const failureOf = async (target: ConnectionTarget): Promise<string> => {
  const result = await check(target);
  return result.alive ? 'none' : result.failure;
};

describe('the alive check on a real server', () => {
  let postgres: LocalPostgres;
  const opened: HeldConnection[] = [];
  const connect = async (onLost?: (kind: string) => void): Promise<HeldConnection> => {
    const held = await postgres.connect(onLost);
    opened.push(held);
    return held;
  };

  beforeEach(async () => {
    postgres = await LocalPostgres.initialised('max_connections = 6', 'superuser_reserved_connections = 1');
    await postgres.start();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((held) => held.close()));
    await postgres.destroy();
  });

  it('finds it alive, over TCP and the unix socket, and leaves no session behind', async () => {
    await expect(check(postgres.target)).resolves.toMatchObject({ alive: true, inRecovery: false });
    const socket = { ...postgres.target, host: postgres.dataDir.replace(/\/data$/, '') };
    await expect(check(socket)).resolves.toMatchObject({ alive: true });
    const held = await connect();
    const sessions = "SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'";
    await eventually('only our own session is left', async () => {
      const [row] = await held.query<{ count: number }>(sessions);
      return row?.count === 1;
    });
  });

  it('tells a wrong password, an unknown user and a missing one from an outage', async () => {
    const { host, port, user, database } = postgres.target;
    expect(await failureOf({ ...postgres.target, password: 'wrong' })).toBe('authentication');
    expect(await failureOf({ ...postgres.target, user: 'nobody' })).toBe('authentication');
    expect(await failureOf({ host, port, user, database })).toBe('authentication');
    expect(await failureOf({ ...postgres.target, database: 'nope' })).toBe('other');
  });

  it('logs in again after the password has been changed, with the old one no more', async () => {
    const held = await connect();
    const { target } = postgres;
    await expect(check(target)).resolves.toMatchObject({ alive: true });
    // The same word has another salt then.
    await held.query(`ALTER ROLE postgres PASSWORD '${target.password}'`);
    await expect(check(target)).resolves.toMatchObject({ alive: true });
    await held.query("ALTER ROLE postgres PASSWORD 'another'");
    expect(await failureOf(target)).toBe('authentication');
    expect(await failureOf({ ...target, password: 'another' })).toBe('none');
  });

  it.each([
    ['letters that must be prepared', "CREATE ROLE u LOGIN PASSWORD 'ﬁat\u00a0lux'", 'ﬁat\u00a0lux'],
    ['MD5', "SET password_encryption = 'md5'; CREATE ROLE u LOGIN PASSWORD 'old'", 'old'],
  ])('logs in with %s', async (_, sql, password) => {
    const held = await connect();
    await held.query(sql);
    postgres.allow('host all u 127.0.0.1/32 md5');
    await held.query('SELECT pg_reload_conf()');
    const target = { ...postgres.target, user: 'u', password };
    await eventually('it may', async () => (await failureOf(target)) === 'none');
    expect(await failureOf({ ...target, password: 'x' })).toBe('authentication');
  });

  it('tells a full server from a dead one', async () => {
    for (let i = 0; i < 6; i += 1) await connect();
    expect(await failureOf(postgres.target)).toBe('too-many-connections');
  });

  it('finds a frozen server hung, whose held session went on when only the postmaster froze', async () => {
    const held = await connect();
    postgres.signalPostmaster('SIGSTOP');
    const soon = new AliveCheck(postgres.target, { connectTimeoutMs: 300, queryTimeoutMs: 300 });
    await expect(soon.run()).resolves.toMatchObject({ alive: false, failure: 'hung' });
    await expect(held.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    postgres.signalPostmaster('SIGCONT');
    await eventually('it is alive again', async () => (await check(postgres.target)).alive);
  });

  it('gives up a held connection to a frozen server by its time limit, leaving no socket', async () => {
    const losses: string[] = [];
    const held = await connect((kind) => losses.push(kind));
    const openSockets = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
    const before = openSockets();
    postgres.signalAll('SIGSTOP');
    await expect(held.query('SELECT 1', [], { timeoutMs: 300 })).rejects.toMatchObject({ kind: 'hung' });
    expect(losses).toEqual(['hung']);
    await eventually('the socket is gone', () => openSockets() === before - 1);
    postgres.signalAll('SIGCONT');
    await eventually('it opens again', () =>
      held
        .open()
        .then(() => true)
        .catch(() => false),
    );
    await expect(held.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('notices at once that the server was killed', async () => {
    let tell: (kind: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (tell = resolve));
    await connect((kind) => tell(kind));
    postgres.signalAll('SIGKILL');
    await expect(lost).resolves.toBe('lost');
    await eventually('nobody listens', async () => (await failureOf(postgres.target)) === 'refused');
  });

  it('notices at once that its session was terminated', async () => {
    let tell: (kind: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (tell = resolve));
    const held = await connect((kind) => tell(kind));
    const [row] = await held.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await (await connect()).query('SELECT pg_terminate_backend($1)', [row?.pid]);
    await expect(lost).resolves.toBe('lost');
  });

  it('says what PostgreSQL refused, and stays usable', async () => {
    const held = await connect();
    await expect(held.query('SELECT nonsense')).rejects.toMatchObject({ kind: 'other', sqlState: '42703' });
    await expect(held.query('SELECT $1::int + 1 AS two', [1])).resolves.toEqual([{ two: 2 }]);
  });

  it('runs the queries of one connection in their order', async () => {
    const held = await connect();
    const answers = await Promise.all(
      [1, 2, 3].map((n) => held.query('SELECT $1::int AS n, clock_timestamp()::text AS at', [n])),
    );
    const rows = answers.flat() as { n: number; at: string }[];
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).sort());
  });

  it('tells a server that shuts down: a smart stop that waits for a session', async () => {
    await connect();
    postgres.signalPostmaster('SIGTERM');
    await eventually('it says so', async () => (await failureOf(postgres.target)) === 'shutting-down');
  });

  it('tells crash recovery: one backend killed, while another one is slow to end', async () => {
    const victim = await connect();
    const slow = await connect();
    const pidOf = async (held: HeldConnection): Promise<number> =>
      (await held.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid ?? 0;
    const victimPid = await pidOf(victim);
    process.kill(await pidOf(slow), 'SIGSTOP');
    process.kill(victimPid, 'SIGKILL');
    // PostgreSQL kills the frozen one after 5 s; until then it is in recovery mode.
    await eventually('it says so', async () => (await failureOf(postgres.target)) === 'recovering');
  });
});

describe('over TLS', () => {
  let postgres: LocalPostgres;
  let ca: string;
  beforeAll(async () => {
    postgres = await LocalPostgres.initialised();
    ca = postgres.enableTls();
    await postgres.start();
  });
  afterAll(() => postgres.destroy());

  it('trusts the given CA and no other', async () => {
    const result = await check({ ...postgres.target, ssl: { ca } });
    expect(result).toMatchObject({ alive: true });
    expect(await failureOf({ ...postgres.target, ssl: true })).toBe('other');
    expect(await failureOf({ ...postgres.target, ssl: { rejectUnauthorized: false } })).toBe('none');
  });

  it('gives up a frozen server and leaves no socket', async () => {
    const openSockets = (): number =>
      process.getActiveResourcesInfo().filter((resource) => /^(TCPSocketWrap|TLSWrap)$/.test(resource)).length;
    await eventually('no socket is left of other tests', () => openSockets() === 0);
    const soon = { connectTimeoutMs: 5000, queryTimeoutMs: 300 };
    const held = new HeldConnection({ ...postgres.target, ssl: { ca } }, { ...soon, onLost: () => undefined });
    await held.open();
    expect(openSockets()).toBeGreaterThan(0);
    postgres.signalAll('SIGSTOP');
    await expect(held.query('SELECT 1')).rejects.toMatchObject({ kind: 'hung' });
    const greeting = new AliveCheck(
      { ...postgres.target, ssl: { ca } },
      { connectTimeoutMs: 300, queryTimeoutMs: 300 },
    );
    await expect(greeting.run()).resolves.toMatchObject({ alive: false, failure: 'hung' });
    await eventually('no socket is left', () => openSockets() === 0);
    postgres.signalAll('SIGCONT');
  });
});

describe('a standby that takes no connections', () => {
  let primary: LocalPostgres;
  const started: LocalPostgres[] = [];
  beforeAll(async () => {
    primary = await LocalPostgres.initialised();
    await primary.start();
  });
  afterEach(async () => {
    for (const postgres of started.splice(0)) await postgres.destroy();
  });
  afterAll(() => primary.destroy());

  const standbyWith = async (...settings: string[]): Promise<LocalPostgres> => {
    const standby = await primary.replica(...settings);
    started.push(standby);
    standby.spawn();
    return standby;
  };

  it('is starting up while it asks for its first WAL', async () => {
    const standby = await standbyWith("restore_command = 'sleep 60'");
    await eventually('it says so', async () => (await failureOf(standby.target)) === 'starting-up');
  });

  it('is recovering with hot_standby off', async () => {
    const standby = await standbyWith('hot_standby = off');
    await eventually('it says so', async () => (await failureOf(standby.target)) === 'recovering');
    // It stays so, and is not just on its way.
    await delay(200);
    expect(await failureOf(standby.target)).toBe('recovering');
  });
});
