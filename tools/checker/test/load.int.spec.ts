import { checkHistory, readHistory } from '../src';
import { kindsOf, Lab, probesOn } from './lab';
import { eventually, type PlainPostgres } from './plain-postgres';

let lab: Lab;
beforeEach(() => (lab = new Lab()));
afterEach(() => lab.end());

async function set(server: PlainPostgres, setting: string): Promise<void> {
  await server.query(`ALTER SYSTEM ${setting}`);
  await server.query('SELECT pg_reload_conf()');
}

/** What a failover does, for clients that see it from outside. */
async function failOver(from: PlainPostgres, to: PlainPostgres): Promise<void> {
  await from.kill();
  await to.query('SELECT pg_promote()');
  lab.leadTo(to);
}

const streams = (primary: PlainPostgres) =>
  eventually('the standby to stream', async () => {
    const rows = await primary.query(`SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'`);
    return rows.length === 1;
  });

it('finds nothing wrong in a failover to a standby that had confirmed every commit', async () => {
  const primary = await lab.primary();
  const standby = await lab.standbyOf(primary);
  await streams(primary);
  await set(primary, `SET synchronous_standby_names = '*'`);
  const load = await lab.startLoad();
  await load.moreWrites(20);
  expect(probesOn(load, 'node1')).toBe(0);

  await failOver(primary, standby);
  await load.moreWrites(20);
  const verdict = await load.finish({ outageAboveMs: 0 });
  expect(verdict.violations).toEqual([]);
  expect(verdict).toMatchObject({ isFine: true, lost: [], duplicates: [], writersAtOnceMax: 1, unseenNodes: [] });
  expect(verdict.writers).toMatchObject([
    { node: 'node0', timeline: 1 },
    { node: 'node1', timeline: 2 },
  ]);
  expect(verdict.writeOutageMs).toBe(verdict.outages[0]?.ms);
  // What was recorded on disk is the same.
  expect(checkHistory(readHistory(lab.historyFile), { outageAboveMs: 0 })).toEqual(verdict);
});

it('finds what was acknowledged and is not on the standby that was promoted', async () => {
  const primary = await lab.primary();
  const standby = await lab.standbyOf(primary);
  const load = await lab.startLoad({ probeEveryMs: null });
  await set(standby, `SET primary_conninfo = ''`);
  await eventually('the standby to receive nothing', async () => {
    const rows = await primary.query('SELECT 1 FROM pg_stat_replication');
    return rows.length === 0;
  });
  await load.moreWrites(20);
  await failOver(primary, standby);
  await load.moreWrites(20);

  const verdict = await load.finish();
  expect(kindsOf(verdict)).toEqual(['lost']);
  expect(verdict.lost?.length).toBeGreaterThanOrEqual(20);
  const allowLost = verdict.lost?.length ?? 0;
  expect(kindsOf(checkHistory(load.history, { allowLost }))).toEqual([]);
  expect(kindsOf(checkHistory(load.history, { allowLost: allowLost - 1 }))).toEqual(['lost']);
});

it('finds two independent primaries that pose as one cluster: both at once, and each after the other', async () => {
  await lab.primary();
  const other = await lab.primary();
  await other.query('CREATE TABLE ha_postgres_checker (run text, id bigint, writer text)');
  const load = await lab.startLoad();
  await eventually('writes on both', () => probesOn(load, 'node0') > 2 && probesOn(load, 'node1') > 2);

  const verdict = await load.finish();
  expect(verdict.writersAtOnceMax).toBe(2);
  expect(verdict.late.length).toBeGreaterThan(0);
  expect(kindsOf(verdict)).toEqual(expect.arrayContaining(['late', 'writersAtOnce', 'lost']));
  // Through the load balancer none went astray; what the prober got on the other one is not in the cluster's table.
  expect(verdict.lost).toEqual([]);
  expect(verdict.direct.lost?.length).toBeGreaterThan(2);
});

it('finds that a client was led to a former primary once more', async () => {
  const primary = await lab.primary();
  const standby = await lab.standbyOf(primary);
  await streams(primary);
  const load = await lab.startLoad({ probeEveryMs: null });
  await load.moreWrites(20);
  await standby.query('SELECT pg_promote()');
  for (const server of [standby, primary, standby]) {
    lab.leadTo(server);
    await load.moreWrites(20);
  }
  const verdict = await load.finish();
  expect(kindsOf(verdict)).toEqual(expect.arrayContaining(['lost', 'late']));
  expect(verdict.late.length).toBeGreaterThanOrEqual(20);
});

it('leaves connections to others while commits wait for a Replica, and goes on when they may', async () => {
  const primary = await lab.primary();
  const load = await lab.startLoad({ timeoutMs: 100 });
  await load.moreWrites(5);
  await set(primary, `SET synchronous_standby_names = 'nobody'`);
  const isSparing = () => [...load.history.writes].some(({ failure }) => failure?.why.includes('still wait') === true);
  await eventually('a client to hold back', isSparing);
  const waiting = await primary.query<{ name: string; count: number }>(
    `SELECT application_name AS name, count(*)::int FROM pg_stat_activity WHERE wait_event = 'SyncRep' GROUP BY 1`,
  );
  expect(waiting.map(({ count }) => count > 5)).not.toContain(true);

  await set(primary, 'RESET synchronous_standby_names');
  await load.moreWrites(5);
  const verdict = await load.finish();
  expect(verdict.violations).toEqual([]);
  expect(verdict.ambiguous).toBeGreaterThanOrEqual(5);
});

it('takes a commit for ambiguous that PostgreSQL warns was not replicated', async () => {
  const primary = await lab.primary();
  const load = await lab.startLoad({ timeoutMs: 30_000 });
  await load.moreWrites(5);
  await set(primary, `SET synchronous_standby_names = 'nobody'`);
  const isWarned = () =>
    [...load.history.writes].some(
      ({ failure }) => failure?.isAmbiguous === true && failure.why.startsWith('acknowledged with a warning'),
    );
  await eventually('a commit to be cancelled while it waits', async () => {
    await primary.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
    return isWarned();
  });
  await set(primary, 'RESET synchronous_standby_names');
  expect((await load.finish()).violations).toEqual([]);
});
