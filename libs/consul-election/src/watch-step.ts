/** Where a blocking query stands. */
export interface WatchState<T> {
  /** For the next query; undefined asks for what is there now. */
  readonly index: number | undefined;
  readonly last: { readonly value: T } | null;
}

export interface WatchAnswer<T> {
  readonly value: T;
  /** X-Consul-Index. */
  readonly index: number;
}

export interface WatchStep<T> {
  readonly state: WatchState<T>;
  /** The value is new to the watcher. */
  readonly emit: boolean;
}

export const firstWatchState: WatchState<never> = { index: undefined, last: null };

/**
 * Consul's rules for blocking queries: an index that went backwards (a restored snapshot, a new cluster) or is not above
 * zero starts over; an answer is no change (the wait was over, or another key moved), so the same content says nothing.
 */
export function watchStep<T>(
  state: WatchState<T>,
  answer: WatchAnswer<T>,
  sameAs: (a: T, b: T) => boolean,
): WatchStep<T> {
  const backwards = state.index !== undefined && answer.index < state.index;
  const index = backwards || answer.index < 1 ? undefined : answer.index;
  const emit = state.last === null || !sameAs(state.last.value, answer.value);
  return { state: { index, last: { value: answer.value } }, emit };
}
