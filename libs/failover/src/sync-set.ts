import type { SyncRule, SyncValue } from '@ha-postgres/cluster-state';

/**
 * Arithmetic of synchronous replication. A commit is acknowledged once `k` of the named Replicas have it on disk; a set of
 * voters that leaves fewer than `k` of them out therefore has one that holds it (R + W > N).
 */

/** No promise: a commit is acknowledged as soon as the Master has it. */
export const ASYNC: SyncRule = { mode: 'async', k: 0, names: [] };

/** No node is called so: with it alone in the list every commit waits. */
const NOBODY = '-';

/** Votes of named nodes that are enough under this rule; `Infinity`: no number of them is, for no Replica need have a commit. */
export function votesNeeded({ mode, k, names }: SyncRule): number {
  if (mode === 'async') return 0;
  if (k === 0) return Infinity;
  return Math.max(0, names.length - k + 1);
}

/** Whether one of the voters is sure to hold every commit that was acknowledged under this rule. */
export function isEnough(rule: SyncRule, voters: Iterable<string>): boolean {
  const named = new Set([...voters].filter((voter) => rule.names.includes(voter)));
  return named.size >= votesNeeded(rule);
}

/** The rules under which commits may have been acknowledged. */
export function rulesOf(value: SyncValue | null): readonly SyncRule[] {
  const current = currentRule(value);
  return value?.previous == null ? [current] : [current, value.previous];
}

/** The rule that PostgreSQL's setting follows. */
export function currentRule(value: SyncValue | null): SyncRule {
  return value === null ? ASYNC : ruleOf(value);
}

/** Nodes whose votes count. */
export function namedIn(value: SyncValue | null): ReadonlySet<string> {
  return new Set(rulesOf(value).flatMap(({ names }) => names));
}

export function ruleOf({ mode, k, names }: SyncRule): SyncRule {
  return { mode, k, names };
}

/** Whether commits acknowledged under `other` are safe under `rule`: every set of voters that is enough for it is enough for both. */
export function covers(rule: SyncRule, other: SyncRule): boolean {
  // Fewer names than are needed: nothing was ever acknowledged under it.
  if (other.mode === 'async' || other.k > other.names.length) return true;
  if (rule.mode === 'async') return false;
  const foreign = other.names.filter((name) => !rule.names.includes(name)).length;
  return Math.max(0, other.k - foreign) >= rule.k;
}

/** One rule that covers both. It may ask for more votes than the two would together. */
export function joined(a: SyncRule, b: SyncRule): SyncRule {
  if (covers(a, b)) return a;
  if (covers(b, a)) return b;
  return { mode: a.mode, k: Math.min(a.k, b.k), names: [...new Set([...a.names, ...b.names])].sort() };
}

/**
 * Covers what a server may acknowledge whose processes go by several rules at once, and by those of each other: each counts to its
 * own k, but among all Replicas that any of them counts. Two Replicas so counted may belong to no single rule.
 */
export function mixed(rules: readonly SyncRule[], mode: SyncRule['mode']): SyncRule {
  const k = Math.min(...rules.map((rule) => rule.k));
  return { mode, k, names: [...new Set(rules.flatMap(({ names }) => names))].sort() };
}

export function isSameRule(a: SyncRule, b: SyncRule): boolean {
  return a.mode === b.mode && a.k === b.k && [...a.names].sort().join('\n') === [...b.names].sort().join('\n');
}

/**
 * The rule as PostgreSQL's `synchronous_standby_names`. Mode `sync` names exactly k, and any k of these are all of them; so
 * there is one way to count, and a change between the modes changes nothing else.
 */
export function standbyNames({ k, names }: SyncRule): string {
  if (k === 0) return '';
  const quoted = (names.length === 0 ? [NOBODY] : [...names].sort()).map((name) => `"${name.replaceAll('"', '""')}"`);
  return `ANY ${Math.max(k, 1)} (${quoted.join(', ')})`;
}

/** What a standby of a synchronous cluster has in place: were it promoted by anybody else, its commits would wait. */
export const WAITS_FOR_EVER = standbyNames({ mode: 'quorum', k: 1, names: [] });

/** Reads what {@link standbyNames} wrote; null if it was not written so. Of the mode nothing is told. */
export function parseStandbyNames(text: string): Pick<SyncRule, 'k' | 'names'> | null {
  if (text === '') return { k: 0, names: [] };
  const [, k, list] = /^ANY (\d+) \(("[^"]+"(?:, "[^"]+")*)\)$/.exec(text) ?? [];
  if (k === undefined || list === undefined) return null;
  const names = list.slice(1, -1).split('", "');
  return { k: Number(k), names: names.filter((name) => name !== NOBODY) };
}
