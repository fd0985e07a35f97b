import type { Millis } from '@ha-postgres/service-kit';

/** One acknowledged insert. */
export interface Acknowledgement {
  readonly id: number;
  readonly at: Millis;
  /** When the connection that carried it was opened. */
  readonly connectedAt: Millis;
}

/** What became of every insert that was tried. */
export class Ledger {
  private readonly acknowledged: Acknowledgement[] = [];
  private attemptCount = 0;
  private failedCount = 0;
  private ambiguousCount = 0;

  /** A new insert is about to be tried: its id, one above the last. */
  attempt(): number {
    this.attemptCount += 1;
    return this.attemptCount;
  }

  acknowledge(acknowledgement: Acknowledgement): void {
    this.acknowledged.push(acknowledgement);
  }

  /** No acknowledgement came. Ambiguous: it was sent, and nobody knows whether it was carried out. */
  fail(isAmbiguous: boolean): void {
    this.failedCount += 1;
    if (isAmbiguous) this.ambiguousCount += 1;
  }

  get attempts(): number {
    return this.attemptCount;
  }

  get failed(): number {
    return this.failedCount;
  }

  get ambiguous(): number {
    return this.ambiguousCount;
  }

  get acknowledgements(): readonly Acknowledgement[] {
    return this.acknowledged;
  }

  /** The first acknowledgement on a connection opened after a moment, or null. */
  firstOnConnectionAfter(moment: Millis): Acknowledgement | null {
    return this.acknowledged.find((one) => one.connectedAt > moment) ?? null;
  }

  /** The longest time between two acknowledgements of which the later came after `moment`, in milliseconds; null: there is no such pair. */
  longestGapAfter(moment: Millis): number | null {
    const gaps = this.acknowledged.flatMap(({ at }, index) => {
      const before = this.acknowledged[index - 1];
      return before === undefined || at <= moment ? [] : [at - before.at];
    });
    return gaps.length === 0 ? null : gaps.reduce((longest, gap) => Math.max(longest, gap));
  }

  /** The acknowledged ids that are not among those found. */
  missingFrom(found: ReadonlySet<number>): number[] {
    return this.acknowledged.filter(({ id }) => !found.has(id)).map(({ id }) => id);
  }
}
