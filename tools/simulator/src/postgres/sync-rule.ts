/** `synchronous_standby_names`, as this system writes it. */
export interface SyncRule {
  readonly count: number;
  readonly names: readonly string[];
}

/** Every walsender of every server reads the same rule. */
let last: { readonly text: string; readonly rule: SyncRule } | null = null;

/** Reads `ANY 1 ("a", "b")`; null for the empty rule. @throws RangeError from what this system never writes. */
export function parseSyncRule(text: string): SyncRule | null {
  if (text === '') return null;
  if (text !== last?.text) last = { text, rule: parse(text) };
  return last.rule;
}

function parse(text: string): SyncRule {
  const [, count, list] = /^ANY (\d+) \((.+)\)$/.exec(text) ?? [];
  if (count === undefined || list === undefined)
    throw new RangeError(`the model does not know such a rule: ${JSON.stringify(text)}`);
  return { count: Number(count), names: list.split(', ').map((name) => name.replace(/^"(.*)"$/, '$1')) };
}
