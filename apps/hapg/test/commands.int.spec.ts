import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ConsulClient } from '@ha-postgres/consul-election';
import { silentLog } from '@ha-postgres/service-kit';
import { KEYS, MASTER_ANSWER, PROMOTION, entries, status } from '../src/testing/samples';
import { ConsulServer } from './fixture/consul-server';
import { RoleServer } from './fixture/role-server';

const BUNDLE = join(__dirname, '..', 'dist', 'main.js');

interface Typed {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

let consul: ConsulServer;
let client: ConsulClient;
let nodes: Record<'a' | 'b', RoleServer>;

/** The command as an operator types it; `meanwhile` happens once it runs. */
function hapg(...arguments_: readonly string[]): Promise<Typed> {
  const env = { ...process.env, CONSUL_HTTP_ADDR: consul.address };
  return new Promise((resolve) => {
    execFile(process.execPath, [BUNDLE, ...arguments_], { env, timeout: 60_000 }, (error, output, errors) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output, errors });
    });
  });
}

const valueOf = async (key: string): Promise<unknown> => {
  const { entry } = await client.kvGet(key, { consistency: 'consistent' });
  return entry === null ? null : JSON.parse(entry.value);
};
const write = (key: string, value: unknown) =>
  client.kvPut(key, typeof value === 'string' ? value : JSON.stringify(value));

async function hold(key: string, value: unknown): Promise<string> {
  const session = await client.sessionCreate({ name: 'test', ttlMs: 86_400_000, lockDelayMs: 0, behavior: 'release' });
  const result = await client.transaction([{ verb: 'lock', key, value: JSON.stringify(value), session }]);
  if (!result.committed) throw new Error(JSON.stringify(result.errors));
  return session;
}

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  consul = await ConsulServer.start();
  endings.push(() => consul.end());
  client = new ConsulClient({ address: consul.address, requestTimeoutMs: 5000 }, { log: silentLog });
  const master = MASTER_ANSWER.kind === 'answered' ? MASTER_ANSWER.status : status('a');
  nodes = { a: await RoleServer.start(master), b: await RoleServer.start(status('b')) };
  endings.push(...Object.values(nodes).map((node) => () => node.end()));
});

afterAll(async () => {
  client.close();
  await Promise.all(endings.map((end) => end()));
});

/** A healthy cluster of `a` and `b`, whose role-servers answer. */
beforeEach(async () => {
  await client.transaction([{ verb: 'delete', key: KEYS.master }]);
  for (const { key } of (await client.kvList('service/')).entries) await client.kvDelete(key);
  for (const { key, value, session } of entries()) {
    if (key.endsWith('/status') && !key.includes('/lb/')) continue;
    if (session === null) await write(key, value);
    else await hold(key, JSON.parse(value));
  }
  const { host, port, apiPort } = nodes.a.status;
  await write(KEYS.members, { members: [{ node: 'a', host, port, apiPort }] });
  nodes.a.say({
    knownMembers: [],
    switchover: undefined,
    paused: false,
    consulWentBack: null,
    role: 'Master',
    inRecovery: false,
  });
  nodes.b.say({
    knownMembers: [],
    switchover: undefined,
    paused: false,
    consulWentBack: null,
    rejoin: null,
    role: 'Replica',
    inRecovery: true,
    dataTerm: 4,
  });
  await write(KEYS.status('b'), nodes.b.status);
});

describe('pause and resume', () => {
  it('return when every node that answers knows it', async () => {
    const typed = hapg('pause', '--why', 'storage is moved');
    await until('the key', () => valueOf(KEYS.pause));
    nodes.a.say({ paused: true });
    nodes.b.say({ paused: true });
    expect(await typed).toMatchObject({ code: 0 });
    expect(await valueOf(KEYS.pause)).toMatchObject({
      why: 'storage is moved',
      by: expect.stringContaining('@') as string,
    });
    nodes.a.say({ paused: false });
    nodes.b.say({ paused: false });
    expect(await hapg('resume')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Ended the pause') as string,
    });
    expect(await valueOf(KEYS.pause)).toBeNull();
  });

  it('say who does not know it yet', async () => {
    nodes.b.say({ paused: true });
    expect(await hapg('pause', '--wait', '0s')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/but a did not say that it is paused.*HAPG_COMMAND_UNANSWERED/) as string,
    });
  });

  it('do not overwrite another’s pause', async () => {
    await write(KEYS.pause, { id: '1', by: 'somebody', why: 'first' });
    expect(await hapg('pause')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('by somebody: first') as string,
    });
    expect(await valueOf(KEYS.pause)).toMatchObject({ by: 'somebody' });
  });

  it('end a pause that nobody can read', async () => {
    await write(KEYS.pause, 'garbage');
    expect((await hapg('resume')).code).toBe(0);
    expect(await valueOf(KEYS.pause)).toBeNull();
  });
});

describe('switchover', () => {
  it('is asked of the Master, and followed until the promotion that answers to it', async () => {
    const typed = hapg('switchover', '--to', 'b', '--yes');
    const wish = (await until('the wish', () => valueOf(KEYS.switchover))) as { id: string; from: string; to: string };
    expect(wish).toMatchObject({ from: 'a', to: 'b' });
    const promotion = { ...PROMOTION, term: 5, parentTerm: 4, node: 'b', from: 'a', why: `switchover ${wish.id}` };
    await write(KEYS.history, { promotions: [PROMOTION, promotion] });
    expect(await typed).toMatchObject({ code: 0, output: expect.stringContaining('b is Master of term 5') as string });
  });

  it('by a node that is about to stop is asked for only if it is the Master', async () => {
    expect(await hapg('switchover', '--from', 'b', '--yes')).toMatchObject({
      code: 0,
      output: expect.stringContaining('b is not the Master') as string,
    });
    expect(await valueOf(KEYS.switchover)).toBeNull();
    const typed = hapg('switchover', '--from', 'a', '--yes');
    const { id } = (await until('the wish', () => valueOf(KEYS.switchover))) as { id: string };
    const promotion = { ...PROMOTION, term: 5, parentTerm: 4, node: 'b', from: 'a', why: `switchover ${id}` };
    await write(KEYS.history, { promotions: [PROMOTION, promotion] });
    expect(await typed).toMatchObject({ code: 0 });
  });

  it('that the Master refuses fails with its reason', async () => {
    const typed = hapg('switchover', '--yes');
    const { id } = (await until('the wish', () => valueOf(KEYS.switchover))) as { id: string };
    nodes.a.say({
      switchover: { id, term: 4, state: 'refused', successor: null, why: 'no Replica is able: b lags 9 MB' },
    });
    expect(await typed).toMatchObject({ code: 1, errors: expect.stringContaining('b lags 9 MB') as string });
  });

  it.each([
    [['--to', 'a'], 'a is the Master already'],
    [['--to', 'x'], 'no node "x" is known: there are a, b'],
  ])('%j is refused before anything is written', async (arguments_, why) => {
    expect(await hapg('switchover', '--yes', ...arguments_)).toMatchObject({
      code: 1,
      errors: expect.stringContaining(why) as string,
    });
    expect(await valueOf(KEYS.switchover)).toBeNull();
  });

  it('without a terminal and without --yes is not asked for', async () => {
    expect(await hapg('switchover')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('HAPG_COMMAND_UNCONFIRMED') as string,
    });
    expect(await valueOf(KEYS.switchover)).toBeNull();
  });
});

describe('failover', () => {
  it('demands to be told that data may be lost, and says how much', async () => {
    await client.transaction([{ verb: 'delete', key: KEYS.master }]);
    const [master] = entries();
    await write(KEYS.master, master?.value);
    nodes.a.say({ role: 'Replica', inRecovery: true });
    const refused = await hapg('failover', '--to', 'b', '--why', 'a burnt down', '--yes');
    expect(refused).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/256 bytes of WAL.*--accept-data-loss/) as string,
    });
    const typed = hapg('failover', '--to', 'b', '--why', 'a burnt down', '--yes', '--accept-data-loss');
    const override = await until('the override', () => valueOf(KEYS.override));
    expect(override).toMatchObject({ node: 'b', afterTerm: 4, why: 'a burnt down' });
    await hold(KEYS.master, { ...JSON.parse(master?.value ?? ''), node: 'b', term: 5 });
    expect(await typed).toMatchObject({
      code: 0,
      output: expect.stringContaining('b runs as Master of term 5') as string,
    });
  });
});

describe('rejoin', () => {
  it('is for blocked nodes only', async () => {
    expect(await hapg('rejoin', 'b', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('b is not blocked') as string,
    });
    const gives = { fromLsn: '0/5000000', toLsn: '0/5000200', commits: 2, transactions: [740, 741] };
    const divergence = { ...gives, term: 5, relations: [], keptAt: null, why: null };
    nodes.b.say({ rejoin: 'HAPG_REJOIN_WOULD_LOSE: 2 commits', divergence });
    const typed = hapg('rejoin', 'b', '--yes');
    expect(await until('the key', () => valueOf(KEYS.rejoin('b')))).toMatchObject({ gives });
    nodes.b.say({ rejoin: null, divergence: null });
    expect(await typed).toMatchObject({
      code: 0,
      output: expect.stringContaining('b is a Replica that streams') as string,
    });
  });
});

describe('bootstrap', () => {
  it('writes all keys in one transaction over an emptied Consul, and only there', async () => {
    expect(await hapg('bootstrap', '--from', 'b', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('holds the lock') as string,
    });
    for (const { key } of (await client.kvList('service/')).entries) await client.kvDelete(key);
    const lost = { consulWentBack: 'the master key is gone', role: 'Replica', inRecovery: true } as const;
    nodes.a.say(lost);
    nodes.b.say(lost);
    await write(KEYS.status('a'), nodes.a.status);
    await write(KEYS.status('b'), nodes.b.status);
    const typed = hapg('bootstrap', '--from', 'a', '--yes');
    const master = (await until('the keys', () => valueOf(KEYS.master))) as { term: number };
    expect(await valueOf(KEYS.epoch)).toMatchObject({ number: 1, from: 'a' });
    await hold(KEYS.master, { ...master, phase: 'running', term: master.term + 1 });
    expect(await typed).toMatchObject({ code: 0, output: expect.stringContaining('a runs as Master') as string });
  });
});
