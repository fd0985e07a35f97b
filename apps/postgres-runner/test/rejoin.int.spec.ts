import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RejoinInstruction } from '@ha-postgres/cluster-state';
import { silentLog } from '@ha-postgres/service-kit';
import { accountOf } from '../src/postgres/account';
import { takeBaseBackup } from '../src/postgres/base-backup';
import { findBinaries } from '../src/postgres/binaries';
import { ServerFiles } from '../src/postgres/server-files';
import { bundle, PASSWORD, TestCluster, until, type TestNode } from './harness';

let cluster: TestCluster;
beforeAll(() => {
  bundle();
  cluster = new TestCluster();
});
afterAll(() => cluster.end());

const ROWS = "SELECT coalesce(string_agg(x::text, ' ' ORDER BY x), '') FROM t";

interface Pair {
  master: TestNode;
  replica: TestNode;
  term: number;
}

/** A Master with a Replica that streams from it. */
async function pair(name: string, ...more: readonly string[]): Promise<Pair> {
  const master = await cluster.master(`${name}1`, ...more);
  const replica = await cluster.node(`${name}2`);
  master.sql('CREATE TABLE t (x int)');
  replica.roleServer.say({ kind: 'follow', upstream: master.upstream });
  replica.start(...more);
  await streams(master, replica);
  return { master, replica, term: 1 };
}

async function streams(master: TestNode, replica: TestNode): Promise<void> {
  await replica.reported('running', ({ phase }) => phase === 'running', 60_000);
  const sql = `SELECT state FROM pg_stat_replication WHERE application_name = '${replica.name}'`;
  await until(`${replica.name} streams from ${master.name}`, () => master.sql(sql) === 'streaming');
}

/**
 * The Replica is cut off, the old Master goes on alone (`diverge`) and is killed, the Replica is promoted: as after a failover.
 * What the old Master is to be told then.
 */
async function failOver(two: Pair, diverge: (old: TestNode) => void): Promise<RejoinInstruction> {
  const { master: old, replica: next } = two;
  const lsn = old.sql('SELECT pg_current_wal_flush_lsn()');
  await until('all has arrived', () => next.sql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`) === 't');
  const cut = next.roleServer.say({ kind: 'follow', upstream: null });
  await next.reported('nobody', ({ obeysIndex, receivingFrom }) => obeysIndex === cut && receivingFrom === null);
  diverge(old);
  old.roleServer.say({ kind: 'blocked', why: 'another node took over' });
  await old.reported('blocked', ({ phase, stopped }) => phase === 'blocked' && stopped);
  two.term += 1;
  const index = next.roleServer.say({ kind: 'lead', term: two.term });
  await next.reported('armed', ({ armed }) => armed?.index === index);
  next.sql('SELECT pg_promote(true)');
  next.sql(`INSERT INTO t VALUES (${two.term * 100})`);
  const timeline = Number(next.sql('SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)'));
  const forkLsn = next.sql('SELECT pg_last_wal_replay_lsn()');
  [two.master, two.replica] = [next, old];
  return {
    kind: 'rejoin',
    upstream: { ...next.upstream, term: two.term },
    how: 'examine',
    dataTerm: two.term - 1,
    forkLsn,
    leftTimeline: null,
    timelines: [timeline],
    mayLose: false,
    why: 'its WAL reaches beyond the fork',
  };
}

/** The controller has seen it stream, and lets it follow. */
async function isProven({ master, replica, term }: Pair): Promise<void> {
  await streams(master, replica);
  const index = replica.roleServer.say({ kind: 'follow', upstream: { ...master.upstream, term } });
  await replica.reported('following', ({ obeysIndex, rejoined }) => obeysIndex === index && rejoined === null);
}

function beside(node: TestNode): string[] {
  return readdirSync(dirname(node.dataDir))
    .filter((name) => name.startsWith(`${basename(node.dataDir)}.`))
    .sort();
}

function report(node: TestNode): Record<string, unknown> {
  const kept =
    beside(node)
      .filter((name) => name.includes('diverged-wal'))
      .at(-1) ?? '';
  const text = readFileSync(join(dirname(node.dataDir), kept, 'report.json'), 'utf8');
  return JSON.parse(text) as Record<string, unknown>;
}

describe('a Master that was replaced', () => {
  let two: Pair;
  beforeAll(async () => {
    two = await pair('a', '--settings', 'max_prepared_transactions=5');
  });

  test('whose WAL ends at the fork follows as it is', async () => {
    const wanted = await failOver(two, () => undefined);
    const old = two.replica;
    old.roleServer.say(wanted);
    const { rejoined, postgres } = await old.reported('an ancestor', (told) => told.rejoined != null, 20_000);
    expect(rejoined).toEqual({ term: two.term, how: 'ancestor' });
    // It is started only once the term of its data is on the controller's disk.
    expect(postgres.pid).toBeNull();
    old.roleServer.say({ kind: 'follow', upstream: wanted.upstream });
    await isProven(two);
    await until('the new row', () => old.sql(ROWS) === '200');
    expect(beside(old)).toEqual([]);
  });

  test('with WAL beyond the fork that loses nothing is rewound unattended, and its WAL kept aside', async () => {
    const wanted = await failOver(two, (old) => {
      old.sql('BEGIN; INSERT INTO t VALUES (1); ROLLBACK');
      old.sql('VACUUM ANALYZE t');
      old.sql('CHECKPOINT');
    });
    const old = two.replica;
    old.roleServer.say(wanted);
    const { rejoined, divergence } = await old.reported('rewound', (told) => told.rejoined != null, 60_000);
    expect(rejoined).toEqual({ term: two.term, how: 'rewound' });
    expect(divergence).toMatchObject({ commits: 0, fromLsn: wanted.forkLsn, transactions: [] });
    await isProven(two);
    await until('the new row', () => old.sql(ROWS) === '200 300');
    expect(beside(old)).toEqual(['data.diverged-wal-1']);
  });

  test('with commits that the new history lacks stays blocked and says which, until they may be lost', async () => {
    const wanted = await failOver(two, (old) => {
      old.sql('INSERT INTO t VALUES (1)');
      old.sql('INSERT INTO t VALUES (2)');
      old.sql('CREATE TABLE lost (x int)');
      old.sql("BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'p'");
    });
    const old = two.replica;
    const isRefused = (told: { error: { code: string } | null; phase: string }) =>
      told.phase === 'blocked' && told.error?.code === 'HAPG_REJOIN_WOULD_LOSE';
    old.roleServer.say(wanted);
    const { divergence, error, stopped } = await old.reported('refused', isRefused, 20_000);
    expect({ divergence, stopped }).toMatchObject({
      stopped: true,
      divergence: { commits: 4, fromLsn: wanted.forkLsn, keptAt: null, term: two.term },
    });
    expect(divergence?.transactions).toHaveLength(4);
    expect(error?.message).toContain(`it holds 4 commits between ${wanted.forkLsn} and ${divergence?.toLsn}`);

    // A runner that is started again says the same, and has changed nothing.
    old.runner?.kill('SIGTERM');
    await old.exit();
    const before = old.roleServer.reports.length;
    old.start('--settings', 'max_prepared_transactions=5');
    await until('it says so again', () => old.roleServer.reports.slice(before).some(isRefused));

    old.roleServer.say({ ...wanted, mayLose: true });
    await old.reported('rewound', (told) => told.rejoined?.how === 'rewound', 60_000);
    await isProven(two);
    await until('the history of the others', () => old.sql(ROWS) === '200 300 400');
    expect(old.sql("SELECT to_regclass('lost') IS NULL AND NOT EXISTS (SELECT FROM pg_prepared_xacts)")).toBe('t');
    expect(report(old)).toMatchObject({
      node: old.name,
      commits: 4,
      dataTerm: two.term - 1,
      masterTerm: two.term,
      master: two.master.name,
      fromLsn: wanted.forkLsn,
    });
    expect(readdirSync(join(dirname(old.dataDir), 'data.diverged-wal-1'))).toContainEqual(
      expect.stringMatching(/^[0-9A-F]{24}$/),
    );
    expect(old.report?.divergence?.keptAt).toContain('diverged-wal-');
  });

  test('that cannot be rewound takes a base backup unattended; the old data is kept until the new streams', async () => {
    const wanted = await failOver(two, (old) => {
      const segment = () => old.sql('SELECT pg_walfile_name(pg_current_wal_lsn())');
      const first = segment();
      old.sql('SELECT pg_switch_wal()');
      old.sql('VACUUM t');
      expect(segment()).not.toBe(first);
    });
    const old = two.replica;
    // Of the timeline's number that the new Master's history has as well: nobody could tell them apart.
    const own = readdirSync(join(old.dataDir, 'pg_wal')).filter((name) => /^[0-9A-F]{24}$/.test(name));
    const newest = Math.max(...own.map((name) => parseInt(name.slice(0, 8), 16)));
    old.roleServer.say({ ...wanted, timelines: [newest] });
    const { rejoined } = await old.reported('copied', (told) => told.rejoined != null, 90_000);
    expect(rejoined).toEqual({ term: two.term, how: 'copied' });
    expect(beside(old)).toContain('data.replaced');
    await isProven(two);
    await until('the old data is gone', () => !beside(old).includes('data.replaced'));
    await until('the history of the others', () => old.sql(ROWS) === '200 300 400 500');
  });

  test('whose rewind fails half-way is not started on what is left, and takes a base backup', async () => {
    const wanted = await failOver(two, (old) => old.sql('VACUUM t'));
    const old = two.replica;
    old.runner?.kill('SIGTERM');
    await old.exit();
    const marks = join(old.stateDir, 'runner.json');
    const kept = JSON.parse(readFileSync(marks, 'utf8')) as object;
    writeFileSync(marks, JSON.stringify({ ...kept, rejoin: { term: two.term, stage: 'unfinished' } }));
    const before = old.roleServer.reports.length;
    old.roleServer.say({ kind: 'follow', upstream: wanted.upstream });
    old.start('--settings', 'max_prepared_transactions=5');
    await until('it is refused', () =>
      old.roleServer.reports.slice(before).some(({ error }) => error?.code === 'HAPG_DATA_HALF_REPLACED'),
    );
    expect(old.report?.postgres.pid).toBeNull();
    old.roleServer.say(wanted);
    await old.reported('copied', (told) => told.rejoined?.how === 'copied', 90_000);
    await isProven(two);
  });

  test('whose WAL beyond the fork is gone is treated as if commits were lost', async () => {
    const wanted = await failOver(two, (old) => old.sql('SELECT pg_switch_wal()'));
    const old = two.replica;
    for (const name of readdirSync(join(old.dataDir, 'pg_wal')))
      if (/^[0-9A-F]{24}$/.test(name)) rmSync(join(old.dataDir, 'pg_wal', name));
    old.roleServer.say(wanted);
    const { divergence } = await old.reported('refused', ({ phase }) => phase === 'blocked', 20_000);
    await until('unknown', () => old.report?.divergence?.commits === null);
    expect(old.report?.error?.message).toContain('it is not known which commits it holds');
    expect(divergence).toBeDefined();
    old.roleServer.say({ ...wanted, mayLose: true });
    // Neither can it be rewound: pg_rewind finds no WAL either.
    await old.reported('copied', (told) => told.rejoined?.how === 'copied', 90_000);
    await isProven(two);
  });
});

test('a Replica that had received more than the one that was promoted is rewound likewise', async () => {
  const two = await pair('b');
  const ahead = await cluster.node('b3');
  ahead.roleServer.say({ kind: 'follow', upstream: two.master.upstream });
  ahead.start();
  await streams(two.master, ahead);
  const wanted = await failOver(two, (old) => {
    old.sql('VACUUM t');
    const lsn = old.sql('SELECT pg_current_wal_flush_lsn()');
    for (let tries = 0; ahead.sql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`) !== 't'; tries += 1)
      if (tries > 200) throw new Error('it does not arrive');
  });
  const pid = ahead.report?.postgres.pid;
  ahead.roleServer.say(wanted);
  const { rejoined } = await ahead.reported('rejoined', (told) => told.rejoined != null, 60_000);
  expect(rejoined).toEqual({ term: two.term, how: 'rewound' });
  await isProven({ ...two, replica: ahead });
  expect(ahead.report?.postgres.pid).not.toBe(pid);
  await until('the new row', () => ahead.sql(ROWS) === '200');
});

test('a node that promoted, and that nobody heard of, is asked from where its own timelines left the common one', async () => {
  const { master, replica: own } = await pair('e');
  const cut = own.roleServer.say({ kind: 'follow', upstream: null });
  await own.reported('nobody', ({ obeysIndex, receivingFrom }) => obeysIndex === cut && receivingFrom === null);
  const index = own.roleServer.say({ kind: 'lead', term: 2 });
  await own.reported('armed', ({ armed }) => armed?.index === index);
  own.sql('SELECT pg_promote(true)');
  const left = own.sql('SELECT pg_last_wal_replay_lsn()');
  own.sql('INSERT INTO t VALUES (7)');
  own.roleServer.say({ kind: 'blocked', why: 'nobody heard of it' });
  await own.reported('blocked', ({ phase, stopped }) => phase === 'blocked' && stopped);
  // The others went on, and left what both had in common later only.
  for (let rows = 0; rows < 50; rows += 1) master.sql('INSERT INTO t VALUES (1)');
  own.roleServer.say({
    kind: 'rejoin',
    upstream: { ...master.upstream, term: 3 },
    how: 'examine',
    dataTerm: 2,
    forkLsn: master.sql('SELECT pg_current_wal_flush_lsn()'),
    leftTimeline: 1,
    timelines: [9],
    mayLose: false,
    why: 'test',
  });
  const { divergence } = await own.reported('refused', ({ error }) => error?.code === 'HAPG_REJOIN_WOULD_LOSE', 20_000);
  expect(divergence).toMatchObject({ commits: 1, fromLsn: left });
});

test('a Replica receives by its slot, is told when WAL is gone, and a copy helps', async () => {
  const two = await pair('c', '--wal-keep-size', '0');
  const { master, replica } = two;
  master.sql("SELECT pg_create_physical_replication_slot('ha_1_c2', true)");
  master.sql("SELECT pg_create_physical_replication_slot('theirs', true)");
  const pid = replica.report?.postgres.pid;
  replica.roleServer.say({ kind: 'follow', upstream: { ...master.upstream, slot: 'ha_1_c2' } });
  const active = () => master.sql("SELECT active FROM pg_replication_slots WHERE slot_name = 'ha_1_c2'");
  await until('the slot is used', () => active() === 't');
  expect(replica.report?.postgres.pid).toBe(pid);
  expect(replica.report?.walGone).toBeNull();

  replica.roleServer.say({ kind: 'follow', upstream: null });
  await until('the slot is not used', () => active() === 'f');
  master.sql('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
  for (let times = 0; times < 4; times += 1) master.sql('INSERT INTO t VALUES (1); SELECT pg_switch_wal(); CHECKPOINT');
  replica.roleServer.say({ kind: 'follow', upstream: master.upstream });
  const { walGone } = await replica.reported('WAL is gone', (told) => told.walGone != null);
  expect(walGone).toMatch(/^requested WAL segment [0-9A-F]{24} has already been removed$/);

  // A slot of its own former mastership is nothing any more.
  mkdirSync(join(replica.dataDir, 'pg_replslot', 'ha_9_x'));
  replica.roleServer.say({
    kind: 'rejoin',
    upstream: master.upstream,
    how: 'copy',
    dataTerm: 1,
    forkLsn: null,
    leftTimeline: null,
    timelines: [],
    mayLose: false,
    why: walGone ?? '',
  });
  await replica.reported('copied', (told) => told.rejoined?.how === 'copied', 90_000);
  await isProven(two);
  expect(readdirSync(join(replica.dataDir, 'pg_replslot'))).toEqual([]);
});

test('a base backup that the disk has no room for is refused with the numbers, and nothing is changed', async () => {
  const { master, replica } = await pair('d');
  replica.roleServer.say({ kind: 'stop', mode: 'fast', why: 'test' });
  await replica.reported('stopped', ({ stopped }) => stopped);
  const account = accountOf(process.getuid?.() === 0 ? 'postgres' : undefined);
  const files = new ServerFiles(
    {
      node: 'd2',
      dataDir: replica.dataDir,
      stateDir: replica.stateDir,
      replicationName: 'replicator',
      replicationPassword: PASSWORD,
      rewindName: 'rewinder',
      rewindPassword: PASSWORD,
      settings: [],
      hba: () => '',
    },
    account,
  );
  files.writeStatic();
  const before = readdirSync(replica.dataDir);
  const taken = takeBaseBackup(
    {
      binDir: findBinaries(undefined, process.env.PATH ?? '').dir,
      dataDir: replica.dataDir,
      node: 'd2',
      upstream: master.upstream,
      keepsOld: true,
      freeBytes: () => 20 * 2 ** 20,
    },
    files,
    account,
    silentLog,
    () => undefined,
    new AbortController().signal,
  );
  await expect(taken).rejects.toThrow(/the base backup of d1 needs \d+ MiB more .* has 20 MiB free/);
  expect(readdirSync(replica.dataDir)).toEqual(before);
  expect(existsSync(`${replica.dataDir}.clone`)).toBe(false);
});
