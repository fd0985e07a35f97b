import type { Millis } from '@ha-postgres/service-kit';

export interface ContactState {
  readonly ok: boolean;
  /** Since the last successful answer, or since the start if there has been none; milliseconds. */
  readonly silentForMs: number;
  readonly limitMs: number;
  readonly lastError: string | null;
}

/** When something that we live on last answered. */
export class Contact {
  #lastAt: Millis;
  #lastError: string | null = null;

  constructor(
    readonly limitMs: number,
    private readonly now: () => Millis,
  ) {
    this.#lastAt = now();
  }

  /** @param at when it answered; now, if not given */
  answered(at: Millis = this.now()): void {
    this.#lastAt = at;
    this.#lastError = null;
  }

  failed(why: string): void {
    this.#lastError = why;
  }

  get silentForMs(): number {
    return this.now() - this.#lastAt;
  }

  state(): ContactState {
    const { silentForMs, limitMs } = this;
    return { ok: silentForMs <= limitMs, silentForMs: Math.round(silentForMs), limitMs, lastError: this.#lastError };
  }
}
