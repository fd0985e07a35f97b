/** One record of the write-ahead log. The same object stands in the WAL of every server that has it. */
export interface WalRecord {
  readonly start: number;
  readonly end: number;
  /** Where the record before it starts: PostgreSQL reads no record whose link is another. */
  readonly prev: number;
  readonly timeline: number;
  readonly kind: 'write' | 'checkpoint' | 'shutdown' | 'end-of-recovery';
  /** The client's write; null for PostgreSQL's own records. */
  readonly write: number | null;
}

export const FIRST_LSN = 0x3000028;
export const SEGMENT_BYTES = 0x1000000;
/** A page begins with a header, and WAL is handed over by pages. */
export const PAGE_BYTES = 8192;

/** What lies in `pg_wal`: whole records, and perhaps the beginning of one more. Only what is flushed. */
export class Wal {
  private readonly records: WalRecord[];
  private flushedTo: number;

  constructor(from?: Wal) {
    this.records = from === undefined ? [] : [...from.records];
    this.flushedTo = from?.flushedTo ?? FIRST_LSN;
  }

  /** End of the last whole record. */
  get end(): number {
    return this.last?.end ?? FIRST_LSN;
  }

  /** End of what was written: beyond `end` where a record's end is missing. */
  get flushed(): number {
    return this.flushedTo;
  }

  get last(): WalRecord | null {
    return this.records[this.records.length - 1] ?? null;
  }

  get length(): number {
    return this.records.length;
  }

  /** @throws RangeError if the record does not follow upon the last one. */
  append(record: WalRecord): void {
    if (!this.isNext(record))
      throw new RangeError(`a record at ${lsnText(record.start)} does not follow ${lsnText(this.end)}`);
    this.records.push(record);
    this.flushedTo = record.end;
  }

  isNext(record: WalRecord): boolean {
    return record.start === this.end && record.prev === (this.last?.start ?? 0);
  }

  /** The beginning of a record whose end never came. */
  tear(to: number): void {
    this.flushedTo = Math.max(this.flushedTo, to);
  }

  /** What is no whole record is overwritten by whatever comes next. */
  dropTorn(): void {
    this.flushedTo = this.end;
  }

  has(record: WalRecord): boolean {
    return this.records[this.indexFrom(record.start)] === record;
  }

  /** Whole records that start at or after a position. */
  from(lsn: number): readonly WalRecord[] {
    return this.records.slice(this.indexFrom(lsn));
  }

  /** The record that ends at a position; null if none does. */
  endingAt(lsn: number): WalRecord | null {
    const before = this.records[this.indexFrom(lsn) - 1];
    return before?.end === lsn ? before : null;
  }

  /** Whether a record begins before a position and ends beyond it. */
  isAcross(lsn: number): boolean {
    return (this.records[this.indexFrom(lsn) - 1]?.end ?? lsn) > lsn;
  }

  /** Drops all that starts at or after a position. */
  cut(lsn: number): void {
    this.records.length = this.indexFrom(lsn);
    this.flushedTo = this.end;
  }

  private indexFrom(lsn: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.records[middle]?.start ?? 0) < lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** As `pg_lsn` prints it. The simulated logs stay below 4 GiB. */
export function lsnText(lsn: number): string {
  return `0/${lsn.toString(16).toUpperCase()}`;
}

/** A position from its text: all WAL of a simulated cluster lies below 4 GB. */
export function lsnIn(text: string): number {
  return Number.parseInt(text.split('/')[1] ?? '0', 16);
}
