/** `synchronous_standby_names`, as far as this system writes it. */
export interface SyncRule {
  readonly method: 'first' | 'any';
  readonly count: number;
  readonly names: readonly string[];
}

/** Reads `FIRST 1 ("a", "b")`, `ANY 1 (a)`, `1 (a)` or a plain list; null for the empty rule. @throws RangeError */
export function parseSyncRule(text: string): SyncRule | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const [, method = 'FIRST', count = '1', list = trimmed] =
    /^(?:(FIRST|ANY)\s+)?(\d+)\s*\((.*)\)$/i.exec(trimmed) ?? [];
  const names = list.split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  if (names.some((name) => !/^[\w.-]+$/.test(name)))
    throw new RangeError(`not a list of standbys: ${JSON.stringify(text)}`);
  return { method: method.toUpperCase() === 'ANY' ? 'any' : 'first', count: Number(count), names };
}

/** Whether a commit need not wait any longer, once these standbys have flushed it. */
export function isSatisfied({ method, count, names }: SyncRule, confirmed: readonly string[]): boolean {
  const those = names.filter((name) => confirmed.includes(name));
  // FIRST counts the connected ones in order; who has not confirmed and is connected keeps it waiting, which the model
  // leaves out: it would only make commits wait longer.
  return method === 'any' || method === 'first' ? those.length >= count : false;
}
