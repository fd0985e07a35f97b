/**
 * One command of the Runtime API: plain data, made by the functions of this library.
 * `notice` matches the texts by which HAProxy reports *success*; without it success is silence (or, for a query, any
 * text without a severity).
 */
export interface Command {
  readonly line: string;
  readonly kind: 'action' | 'query';
  readonly notice?: RegExp;
}

/** A command that reads, and how its answer is read. */
export interface Query<T> extends Command {
  readonly kind: 'query';
  /** @throws RuntimeError HAPROXY_UNREADABLE if the text has another form. */
  readonly parse: (text: string) => T;
}

export const action = (line: string, notice?: RegExp): Command => ({
  line,
  kind: 'action',
  ...(notice === undefined ? {} : { notice }),
});

export const query = <T>(line: string, parse: (text: string) => T, notice?: RegExp): Query<T> => ({
  line,
  kind: 'query',
  parse,
  ...(notice === undefined ? {} : { notice }),
});
