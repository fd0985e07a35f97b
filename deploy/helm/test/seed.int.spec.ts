import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHART } from '../src/testing/render';
import { Postgres, eventually } from './fixture/postgres';

/*
 * The script by which a new cluster subscribes to an existing database (db.seedDb), between two real PostgreSQLs.
 */

const SCRIPT = join(CHART, 'files', 'subscribe-to-seed.sh');
/** With all that must be quoted in a connection string, in SQL and in a shell. */
const PASSWORD = `it's: a \\ "pass" $word`;

let old: Postgres;
let fresh: Postgres;
const started: Postgres[] = [];

beforeAll(async () => {
  old = await Postgres.start({ settings: ['wal_level = logical'] });
  started.push(old);
  fresh = await Postgres.start();
  started.push(fresh);
  old.query('CREATE DATABASE shop');
  old.query(`CREATE ROLE owner; CREATE ROLE seeder LOGIN REPLICATION PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
  old.query(
    `CREATE SCHEMA sales;
     CREATE TABLE sales.orders (id bigserial PRIMARY KEY, what text NOT NULL);
     ALTER TABLE sales.orders OWNER TO owner;
     GRANT SELECT ON sales.orders TO PUBLIC; GRANT USAGE ON SCHEMA sales TO PUBLIC; GRANT pg_read_all_data TO seeder;
     INSERT INTO sales.orders (what) SELECT 'old ' || n FROM generate_series(1, 100) n;
     CREATE PUBLICATION seed FOR ALL TABLES`,
    'shop',
  );
  fresh.query('CREATE DATABASE store');
});

afterAll(async () => {
  await Promise.all(started.map((postgres) => postgres.destroy()));
});

const seed = (change: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  PGDATABASE: 'store',
  ...{ SEED_HOST: '127.0.0.1', SEED_PORT: String(old.port), SEED_NAME: 'shop', SEED_USER: 'seeder' },
  ...{ SEED_PASSWORD: PASSWORD, SEED_PUBLICATION: 'seed' },
  ...change,
});

const count = (): string => fresh.query('SELECT count(*) FROM sales.orders', 'store');

test('a database that does not let the user in fails the script, and leaves nothing at either side', () => {
  expect(() => fresh.source(SCRIPT, seed({ SEED_PASSWORD: 'wrong' }))).toThrow('password authentication failed');
  expect(fresh.query('SELECT count(*) FROM pg_subscription', 'store')).toBe('0');
  expect(old.query('SELECT count(*) FROM pg_replication_slots')).toBe('0');
});

test('schema and rows are copied, and every later change follows, until the subscription is dropped', async () => {
  fresh.source(SCRIPT, seed());
  await eventually('the rows', () => count() === '100');
  old.query(
    `INSERT INTO sales.orders (what) VALUES ('new'); UPDATE sales.orders SET what = 'changed' WHERE id = 1`,
    'shop',
  );
  await eventually('the insert', () => count() === '101');
  await eventually(
    'the update',
    () => fresh.query('SELECT what FROM sales.orders WHERE id = 1', 'store') === 'changed',
  );
  // What docs/migration.md says to look at before clients are sent here, and what it says to do then.
  await eventually(
    'everything to be confirmed',
    () =>
      old.query(
        `SELECT confirmed_flush_lsn >= pg_current_wal_lsn() FROM pg_replication_slots WHERE slot_name = 'seed'`,
      ) === 't',
  );
  expect(fresh.query(`SELECT subsynccommit FROM pg_subscription WHERE subname = 'seed'`, 'store')).toBe('on');
  fresh.query('DROP SUBSCRIPTION seed', 'store');
  expect(old.query('SELECT count(*) FROM pg_replication_slots')).toBe('0');
});

test('publication seed (db.publishSeed) is made for all tables, as the next cluster will ask for it', () => {
  fresh.query(readFileSync(join(CHART, 'files', 'publish-seed.sql'), 'utf8'), 'store');
  expect(fresh.query('SELECT pubname, puballtables FROM pg_publication', 'store')).toBe('seed|t');
});
