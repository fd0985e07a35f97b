import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import { accountOf } from '../src/postgres/account';
import { findBinaries } from '../src/postgres/binaries';
import { segmentName } from '../src/rejoin/own-wal';
import { examine, type Examination } from '../src/rejoin/examination';
import { ACCOUNT, bundle, TestCluster } from './harness';

const SEGMENT_BYTES = 16 * 2 ** 20;
const PAGE_BYTES = 8192;
/** What a record of a message of so many bytes takes beside them, where both its lengths need four bytes. */
const MESSAGE_OVERHEAD = 24 + 5 + 24 + 2;

let cluster: TestCluster;
let root: string;
let walDir: string;
/** Where records end, as PostgreSQL itself said when it had written them. */
const ends = new Map<string, Lsn>();

/** Real WAL, whose records end where the tests need it. */
beforeAll(async () => {
  bundle();
  cluster = new TestCluster();
  root = mkdtempSync(join(tmpdir(), 'hapg-examination-'));
  chmodSync(root, 0o755);
  const node = await cluster.master('m');
  const emit = (bytes: number): Lsn =>
    parseLsn(node.sql(`SELECT pg_logical_emit_message(false, 'x', repeat('y', ${bytes}))`));
  /** Writes until a record ends so far before a border; others write now and then, too. */
  const endAt = (border: number, short: number): Lsn => {
    for (let tries = 0; tries < 200; tries += 1) {
      const left = border - (Number(emit(400)) % border);
      if (left > PAGE_BYTES - 100) emit(Math.max(400, Math.min(2 ** 20, left - 2 * PAGE_BYTES)));
      else if (left < 1000) emit(2000);
      else {
        const end = emit(left - short - MESSAGE_OVERHEAD);
        if (Number(end) % border === (border - short) % border) return end;
      }
    }
    throw new Error(`no record ended ${short} bytes before a multiple of ${border}`);
  };
  ends.set('in a page', emit(1000));
  ends.set('at a page border', endAt(PAGE_BYTES, 0));
  ends.set('after a record over several pages', emit(3 * PAGE_BYTES + 77));
  ends.set('8 bytes before a page border', endAt(PAGE_BYTES, 8));
  ends.set('after a record that follows a gap of 8 bytes', emit(1000));
  ends.set('at a segment border', endAt(SEGMENT_BYTES, 0));
  ends.set('in the first page of a segment', emit(1000));
  const switched = parseLsn(node.sql('SELECT pg_switch_wal()'));
  const border = (switched / BigInt(SEGMENT_BYTES) + 1n) * BigInt(SEGMENT_BYTES);
  ends.set('at a segment border after a switch', border as Lsn);
  ends.set('after the switch', emit(1000));
  node.roleServer.say({ kind: 'stop', mode: 'fast', why: 'test' });
  await node.reported('stopped', ({ stopped }) => stopped);
  walDir = join(node.dataDir, 'pg_wal');
}, 120_000);
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await cluster.end();
});

/** `pg_waldump` runs as PostgreSQL's user. */
function copyFile(from: string, to: string): void {
  cpSync(from, to);
  if (ACCOUNT !== null) chownSync(to, ACCOUNT.uid, ACCOUNT.gid);
}

/** The WAL as it would be had nothing been written from a position on, with segments that were allocated for later. */
function walUpTo(end: Lsn | null): string {
  const dataDir = mkdtempSync(join(root, 'data-'));
  chmodSync(dataDir, 0o755);
  const copy = join(dataDir, 'pg_wal');
  mkdirSync(copy);
  for (const name of readdirSync(walDir).filter((one) => /^[0-9A-F]{24}$/.test(one))) {
    if (end === null || name <= segmentName(1, end, SEGMENT_BYTES)) copyFile(join(walDir, name), join(copy, name));
  }
  if (end !== null) {
    const last = join(copy, segmentName(1, end, SEGMENT_BYTES));
    truncateSync(last, Number(end % BigInt(SEGMENT_BYTES)));
    truncateSync(last, SEGMENT_BYTES);
    for (let later = 1n; later < 6n; later += 1n) {
      const position = (end + later * BigInt(SEGMENT_BYTES)) as Lsn;
      const allocated = join(copy, segmentName(1, position, SEGMENT_BYTES));
      copyFile(last, allocated);
      truncateSync(allocated, 0);
      truncateSync(allocated, SEGMENT_BYTES);
    }
  }
  return dataDir;
}

async function look(end: Lsn | null, fork: Lsn): Promise<Examination> {
  const dataDir = walUpTo(end);
  try {
    const binDir = findBinaries(undefined, process.env.PATH ?? '').dir;
    return await examine({
      binDir,
      dataDir,
      fork,
      account: accountOf(ACCOUNT === null ? undefined : 'postgres'),
      signal: new AbortController().signal,
    });
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

const PLACES = [
  'in a page',
  'at a page border',
  'after a record over several pages',
  '8 bytes before a page border',
  'after a record that follows a gap of 8 bytes',
  'at a segment border',
  'in the first page of a segment',
  'at a segment border after a switch',
  'after the switch',
];

function end(place: string): Lsn {
  const found = ends.get(place);
  if (found === undefined) throw new Error(`nothing ends ${place}`);
  return found;
}

test('records end where they were meant to', () => {
  expect([...ends.keys()]).toEqual(PLACES);
  expect(end('at a page border') % BigInt(PAGE_BYTES)).toBe(0n);
  expect(end('8 bytes before a page border') % BigInt(PAGE_BYTES)).toBe(BigInt(PAGE_BYTES - 8));
  expect(end('at a segment border') % BigInt(SEGMENT_BYTES)).toBe(0n);
  expect(existsSync(join(walDir, segmentName(1, end('after the switch'), SEGMENT_BYTES)))).toBe(true);
});

describe.each(PLACES)('a fork where a record ends %s', (place) => {
  test('with no WAL beyond it has nothing beyond', async () => {
    expect(await look(end(place), end(place))).toEqual({ kind: 'nothing' });
  });

  test('with WAL beyond it that loses nothing has diverged from there', async () => {
    expect(await look(null, end(place))).toMatchObject({ kind: 'diverged', transactions: [] });
  });

  test('is none where a record goes on beyond it', async () => {
    const within = (end(place) - 8n) as Lsn;
    const unknown = {
      kind: 'unknown',
      why: expect.stringContaining(`goes on beyond the fork at ${formatLsn(within)}`) as string,
    };
    expect(await look(end(place), within)).toEqual(unknown);
    expect(await look(null, within)).toEqual(unknown);
  });
});
