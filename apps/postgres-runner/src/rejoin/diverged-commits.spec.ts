import { describe, expect, it } from '@jest/globals';
import { formatLsn, parseLsn, type Lsn } from '@ha-postgres/lsn';
import fc from 'fast-check';
import { DivergedCommits } from './diverged-commits';
import { captured } from './testing/captured';
import { parseWalRecord, type WalRecord } from './wal-record';

const CAPTURED = captured();
/** Whatever comes later begins later. */
const BEGINNING = record(
  'Standby',
  'RUNNING_XACTS nextXid 700 latestCompletedXid 699 oldestRunningXid 700',
  0,
  '0/1000028',
);

function record(rmgr: string, description: string, xid = 0, lsn = '0/2000000'): WalRecord {
  return { rmgr, op: description.split(' ')[0] ?? '', xid, lsn: parseLsn(lsn), bytes: 50, description };
}

function count(fork: string | Lsn, records: readonly WalRecord[]): DivergedCommits {
  const commits = new DivergedCommits(typeof fork === 'string' ? parseLsn(fork) : fork);
  for (const one of records) commits.push(one);
  return commits;
}

function recordsOf(...names: readonly string[]): WalRecord[] {
  return names.flatMap((name) =>
    (CAPTURED.get(name)?.lines ?? []).flatMap((line) => {
      const parsed = parseWalRecord(line);
      return parsed === null ? [] : [parsed];
    }),
  );
}

describe('what PostgreSQL wrote', () => {
  it.each([
    ['insert', 1],
    ['ddl', 1],
    ['trunc', 1],
    ['drop', 1],
    ['seq', 1],
    ['msg', 1],
    ['subxact', 1],
    ['prepared', 1],
    ['commitprepared', 1],
    ['rollback', 0],
    ['abortprepared', 0],
    ['analyze', 0],
    ['lock', 0],
    ['xidonly', 0],
  ])('of %s counts as %i', (name, expected) => {
    const from = CAPTURED.get(name)?.from ?? parseLsn('0/0');
    const commits = count(from, [BEGINNING, ...recordsOf(name)]);
    expect(commits.records).toBeGreaterThan(0);
    expect(commits.transactions).toHaveLength(expected);
  });

  it('of a DELETE and a VACUUM that cuts the table off counts the DELETE alone', () => {
    const commits = count(CAPTURED.get('truncvac')?.from ?? parseLsn('0/0'), [BEGINNING, ...recordsOf('truncvac')]);
    expect(commits.transactions.map(({ xid }) => xid)).toEqual([735]);
  });

  it('of two checkpoints with hint bits and an INSERT between counts the INSERT, and names table and index', () => {
    const commits = count(CAPTURED.get('hint')?.from ?? parseLsn('0/0'), recordsOf('hint'));
    expect(commits.transactions).toMatchObject([{ xid: 777, kind: 'commit', at: '2026-11-23 04:25:10.550967 UTC' }]);
    expect(commits.transactions[0]?.relations).toEqual(expect.arrayContaining(['1663/5/16384', '1663/5/16389']));
  });

  it('of a transaction that is prepared and then committed counts once', () => {
    const from = CAPTURED.get('prepared')?.from ?? parseLsn('0/0');
    const commits = count(from, [BEGINNING, ...recordsOf('prepared', 'commitprepared')]);
    expect(commits.transactions).toMatchObject([
      { xid: 728, kind: 'commit', relations: ['1663/5/16384', '1663/5/16389'] },
    ]);
  });

  it('before the fork does not count, all of it at the fork does', () => {
    const insert = recordsOf('insert');
    const commit = insert.find(({ op }) => op === 'COMMIT');
    expect(count((commit?.lsn ?? 0n) as Lsn, [BEGINNING, ...insert]).transactions).toHaveLength(1);
    expect(count(((commit?.lsn ?? 0n) + 1n) as Lsn, [BEGINNING, ...insert]).transactions).toHaveLength(0);
  });
});

describe('in doubt', () => {
  it('a commit counts of which nothing was seen but its end: it may have begun before', () => {
    expect(count('0/0', [record('Transaction', 'COMMIT 2026-01-01 00:00:00 UTC', 9)]).transactions).toHaveLength(1);
    const older = record('Transaction', 'COMMIT 2026-01-01 00:00:00 UTC', 699);
    expect(count('0/0', [BEGINNING, older]).transactions).toHaveLength(1);
  });

  it('after a wrap of the numbers the new ones are later ones', () => {
    const before = record('Standby', 'RUNNING_XACTS nextXid 4294967290 latestCompletedXid 4294967289', 0);
    expect(
      count('0/0', [before, record('Transaction', 'COMMIT 2026-01-01 00:00:00 UTC', 5)]).transactions,
    ).toHaveLength(0);
    expect(
      count('0/0', [before, record('Transaction', 'COMMIT 2026-01-01 00:00:00 UTC', 4294967200)]).transactions,
    ).toHaveLength(1);
  });

  it('a record of an unknown kind is a change', () => {
    const records = [
      BEGINNING,
      record('Custom', 'WHATEVER', 800),
      record('Transaction', 'COMMIT 2026-01-01 00:00:00 UTC', 800),
    ];
    expect(count('0/0', records).transactions).toHaveLength(1);
  });
});

/** Transactions whose steps come interleaved, told what each is: the answer is known beforehand. */
const STEPS = {
  insert: { description: 'INSERT off 1, blkref #0: rel 1663/5/16384 blk 0', rmgr: 'Heap', changes: true },
  catalogue: { description: 'UPDATE off 1, blkref #0: rel 1663/5/1259 blk 0', rmgr: 'Heap', changes: true },
  statistics: { description: 'UPDATE off 1, blkref #0: rel 1663/5/2619 blk 0', rmgr: 'Heap', changes: false },
  hint: { description: 'FPI_FOR_HINT , blkref #0: rel 1663/5/16384 blk 0', rmgr: 'XLOG', changes: false },
  prune: { description: 'PRUNE nredirected 0, blkref #0: rel 1663/5/16384 blk 0', rmgr: 'Heap2', changes: false },
  lock: { description: 'LOCK off 1: xid 1, blkref #0: rel 1663/5/16384 blk 0', rmgr: 'Heap', changes: false },
} as const;

const transaction = fc.record({
  steps: fc.array(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), { maxLength: 4 }),
  inSubtransaction: fc.boolean(),
  end: fc.constantFrom('COMMIT', 'ABORT', 'PREPARE', 'none'),
});

it('counts exactly the ended transactions that changed something, however they are interleaved, and wherever the fork lies', () => {
  fc.assert(
    fc.property(
      fc.array(transaction, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      fc.nat({ max: 40 }),
      (transactions, order, forkAt) => {
        const queues = transactions.map(({ steps, inSubtransaction, end }, index) => {
          const xid = 1000 + 2 * index;
          const child = xid + 1;
          const changes = steps.map((step) => ({ ...STEPS[step], xid: inSubtransaction ? child : xid }));
          const subtransactions = inSubtransaction ? `; subxacts: ${child}` : '';
          const last = { rmgr: 'Transaction', description: `${end} 2026-01-01 00:00:00 UTC${subtransactions}`, xid };
          return end === 'none' ? changes : [...changes, last];
        });
        const records: WalRecord[] = [];
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0);
          const next = left[(order.next().value ?? 0) % left.length]?.shift();
          if (next !== undefined)
            records.push(
              record(next.rmgr, next.description, next.xid, formatLsn(BigInt(0x3000000 + records.length * 64) as Lsn)),
            );
        }
        const fork = BigInt(0x3000000 + forkAt * 64) as Lsn;
        const expected = transactions.flatMap(({ steps, end }, index) => {
          const xid = 1000 + 2 * index;
          const ended = records.find((one) => one.rmgr === 'Transaction' && one.xid === xid);
          const isLost = (end === 'COMMIT' || end === 'PREPARE') && steps.some((step) => STEPS[step].changes);
          return isLost && ended !== undefined && ended.lsn >= fork ? [xid] : [];
        });
        const found = count(fork, [BEGINNING, ...records]).transactions.map(({ xid }) => xid);
        expect(found.sort()).toEqual(expected.sort());
      },
    ),
    { numRuns: 500 },
  );
});
