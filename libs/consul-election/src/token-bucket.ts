import type { Millis } from './clock';

/** Bounds how often something is done: `burst` at once, then one every `everyMs`. */
export class TokenBucket {
  private tokens: number;
  private filledAt: Millis | null = null;

  constructor(
    private readonly burst: number,
    private readonly everyMs: number,
  ) {
    this.tokens = burst;
  }

  /** Takes a token, and says how long to wait before using it; 0 if it was there. */
  take(now: Millis): number {
    if (this.filledAt !== null) this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) / this.everyMs);
    this.filledAt = now;
    this.tokens -= 1;
    return this.tokens >= 0 ? 0 : -this.tokens * this.everyMs;
  }
}
