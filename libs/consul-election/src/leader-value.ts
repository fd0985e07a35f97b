/** What a leader writes into the key. */
export interface LeaderValue {
  readonly name: string;
  /** One higher at every acquire. */
  readonly term: number;
  /** Another at every write: a write that changes nothing is not seen by the others. */
  readonly beat: number;
  readonly phase: 'waiting' | 'working' | 'released';
  /** The work is over, and so is every lease before this hold: the next one need not wait. */
  readonly released: boolean;
}

export function leaderValueText(value: LeaderValue): string {
  return JSON.stringify(value);
}

/** Null for what no leader of this kind wrote; then nothing is known of it. */
export function readLeaderValue(text: string): LeaderValue | null {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof LeaderValue, unknown>> | null;
    if (typeof value?.name !== 'string' || typeof value.term !== 'number' || typeof value.released !== 'boolean')
      return null;
    const { name, term, released } = value;
    return { name, term, released, beat: Number(value.beat ?? 0), phase: released ? 'released' : 'working' };
  } catch {
    return null;
  }
}
