export interface ThresholdVerdict {
  /** Whether the limit of failures in a row is reached. */
  readonly failing: boolean;
  readonly consecutiveFailures: number;
}

/** Counts failures in a row: `limit` of them make it failing, one success ends that. Knows no clock. */
export class FailureThreshold {
  readonly #limit: number;
  #consecutiveFailures = 0;

  /** @throws RangeError if `limit` is not a whole number of at least 1. */
  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`the limit of failures in a row must be a whole number of at least 1, not ${limit}`);
    }
    this.#limit = limit;
  }

  record(ok: boolean): ThresholdVerdict {
    this.#consecutiveFailures = ok ? 0 : this.#consecutiveFailures + 1;
    return this.verdict;
  }

  /** What the records so far amount to; not failing before the first. */
  get verdict(): ThresholdVerdict {
    return {
      failing: this.#consecutiveFailures >= this.#limit,
      consecutiveFailures: this.#consecutiveFailures,
    };
  }
}
