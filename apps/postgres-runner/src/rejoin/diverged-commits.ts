import type { Lsn } from '@ha-postgres/lsn';
import { relationsOf, type WalRecord } from './wal-record';

/** A commit, or a transaction prepared to commit, that lies beyond the fork. */
export interface DivergedTransaction {
  readonly xid: number;
  readonly kind: 'commit' | 'prepared';
  readonly lsn: Lsn;
  /** When, as `pg_waldump` prints it. */
  readonly at: string;
  readonly relations: readonly string[];
}

/** What a transaction has done, as far as it was seen. */
interface Doings {
  changes: boolean;
  readonly relations: Set<string>;
}

/** Kept of each transaction; more are not told apart any more. */
const RELATIONS_MAX = 200;

/**
 * What a record does that no commit is lost by. Everything else counts as a change: a record that is not known here must not
 * make a commit disappear.
 */
const HOUSEKEEPING: Readonly<Record<string, RegExp | null>> = {
  // Hint bits, and numbers that are given out.
  XLOG: /^(FPI_FOR_HINT|NEXTOID)$/,
  Transaction: /^(ASSIGNMENT|INVALIDATION)$/,
  Standby: null,
  CLOG: null,
  CommitTs: null,
  MultiXact: null,
  // In place: counts of pages and rows by VACUUM and ANALYZE, not transactional. A row that is only locked is not changed.
  Heap: /^(INPLACE|LOCK)$/,
  Heap2: /^(PRUNE.*|VACUUM|FREEZE.*|VISIBLE|LOCK_UPDATED|CLEAN.*)$/,
  Btree: /^(VACUUM|DELETE|UNLINK_PAGE.*|MARK_PAGE_HALFDEAD|REUSE_PAGE|META_CLEANUP)$/,
  // By VACUUM, at the end of a table. TRUNCATE also writes to the catalogue.
  Storage: /^TRUNCATE$/,
};

/**
 * `pg_statistic` and `pg_statistic_ext_data` with their indexes and TOAST tables, by their first file numbers: what ANALYZE
 * writes. Rewritten ones have other numbers, and count.
 */
const STATISTICS = new Set(['2619', '2696', '2840', '2841', '3429', '3430', '3431', '3433']);

function isHousekeeping(record: WalRecord, relations: readonly string[]): boolean {
  const ops = HOUSEKEEPING[record.rmgr];
  if (ops === null || ops?.test(record.op) === true) return true;
  return relations.length > 0 && relations.every((relation) => STATISTICS.has(relation.split('/')[2] ?? ''));
}

/** Numbers of transactions wrap around at 2³²: the nearer way decides which is older. */
function isFrom(first: number, xid: number): boolean {
  return (xid - first) << 0 >= 0;
}

/**
 * Finds, in the records from some way before a fork on, the commits beyond it that a client may have been promised: COMMIT,
 * COMMIT PREPARED and PREPARE of transactions that changed anything. Autovacuum, hint bits, row locks and what was rolled back do
 * not count. Whatever is in doubt counts, such as a transaction that may have begun before the first record that was read.
 */
export class DivergedCommits {
  readonly #fork: Lsn;
  readonly #open = new Map<number, Doings>();
  readonly #prepared = new Map<number, DivergedTransaction>();
  readonly #committed: DivergedTransaction[] = [];
  /** Transactions from this one on have been seen from their beginning. */
  #seenFrom: number | null = null;
  #records = 0;

  constructor(fork: Lsn) {
    this.#fork = fork;
  }

  /** Records beyond the fork, of whatever kind. */
  get records(): number {
    return this.#records;
  }

  /** In the order of their commits. */
  get transactions(): readonly DivergedTransaction[] {
    return [...this.#prepared.values(), ...this.#committed].sort((a, b) => (a.lsn < b.lsn ? -1 : 1));
  }

  push(record: WalRecord): void {
    const isBeyond = record.lsn >= this.#fork;
    if (isBeyond) this.#records += 1;
    this.#learnBeginning(record);
    if (record.rmgr === 'Transaction' && this.#end(record, isBeyond)) return;
    if (record.xid === 0) return;
    const relations = relationsOf(record);
    if (isHousekeeping(record, relations)) return;
    const doings = this.#doingsOf(record.xid);
    doings.changes = true;
    for (const relation of relations) if (doings.relations.size < RELATIONS_MAX) doings.relations.add(relation);
  }

  /** Of these the running transactions, and the next number, are listed: whatever has that number or a later one begins after. */
  #learnBeginning({ rmgr, op, description }: WalRecord): void {
    if (this.#seenFrom !== null) return;
    const next =
      rmgr === 'Standby' && op === 'RUNNING_XACTS'
        ? /\bnextXid (\d+)/.exec(description)?.[1]
        : rmgr === 'XLOG' && op === 'CHECKPOINT_SHUTDOWN'
          ? /\bxid \d+:(\d+)/.exec(description)?.[1]
          : undefined;
    if (next !== undefined) this.#seenFrom = Number(next);
  }

  #doingsOf(xid: number): Doings {
    const known = this.#open.get(xid);
    if (known !== undefined) return known;
    const made: Doings = { changes: false, relations: new Set() };
    this.#open.set(xid, made);
    return made;
  }

  /** True if the record ends a transaction. */
  #end(record: WalRecord, isBeyond: boolean): boolean {
    const { op, xid, description, lsn } = record;
    const of = Number(/^\w+_PREPARED (\d+)/.exec(description)?.[1] ?? xid);
    const subtransactions = /; subxacts: ([\d ]+)/.exec(description)?.[1]?.trim().split(' ').map(Number) ?? [];
    const all = [of, ...subtransactions];
    switch (op) {
      case 'COMMIT':
      case 'PREPARE': {
        if (isBeyond && this.#counts(all, description)) {
          const kind = op === 'COMMIT' ? 'commit' : 'prepared';
          const one: DivergedTransaction = {
            xid: of,
            kind,
            lsn,
            at: timeIn(description),
            relations: this.#touched(all),
          };
          if (kind === 'commit') this.#committed.push(one);
          else this.#prepared.set(of, one);
        }
        break;
      }
      case 'COMMIT_PREPARED': {
        // What it did may lie before the fork: nobody can say that it changed nothing.
        if (isBeyond) {
          const relations = this.#prepared.get(of)?.relations ?? this.#touched(all);
          this.#committed.push({ xid: of, kind: 'commit', lsn, at: timeIn(description), relations });
        }
        this.#prepared.delete(of);
        break;
      }
      case 'ABORT_PREPARED':
        this.#prepared.delete(of);
        break;
      case 'ABORT':
        break;
      default:
        return false;
    }
    for (const one of all) this.#open.delete(one);
    return true;
  }

  #counts(xids: readonly number[], description: string): boolean {
    if (xids.some((xid) => this.#open.get(xid)?.changes === true)) return true;
    // It removes files of relations.
    if (description.includes('; rels: ')) return true;
    const [xid = 0] = xids;
    return xid === 0 || this.#seenFrom === null || !isFrom(this.#seenFrom, xid);
  }

  #touched(xids: readonly number[]): string[] {
    return [...new Set(xids.flatMap((xid) => [...(this.#open.get(xid)?.relations ?? [])]))];
  }
}

function timeIn(description: string): string {
  return /\b(\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z0-9:+-]+)?)/.exec(description)?.[1] ?? '';
}
