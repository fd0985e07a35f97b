import { query, type Query } from './command';
import { unreadable } from './errors';

/** A session (stream) that HAProxy serves now. */
export interface Session {
  /** HAProxy's name for it, such as `0x7faf10039d90`. */
  readonly id: string;
  readonly protocol: string;
  /** The client, `address:port`. */
  readonly source: string;
  readonly frontend: string;
  /** Undefined while none is chosen. */
  readonly backend: string | undefined;
  readonly server: string | undefined;
  /** As HAProxy writes it: `1m5s`. */
  readonly age: string;
  /** Everything of the line by name, as text. */
  readonly fields: ReadonlyMap<string, string>;
}

// rq[f=c48202h,i=0,…] holds fields of its own, and may follow "=" or a name.
const FIELD = /([\w.]+)(?:=((?:\[[^\]]*\]|[^\s[])*)|(\[[^\]]*\]))/g;

const unlessNone = (value: string | undefined): string | undefined =>
  value === undefined || /^<none>$/i.test(value) ? undefined : value;

function readSession(line: string): Session {
  const [, id, rest] = /^(0x[0-9a-f]+): (.*)$/.exec(line) ?? [];
  if (id === undefined || rest === undefined) throw unreadable('not a session', line);
  const fields = new Map([...rest.matchAll(FIELD)].map((match) => [match[1] ?? '', match[2] ?? match[3] ?? '']));
  const required = (field: string): string => {
    const value = fields.get(field);
    if (value === undefined) throw unreadable(`session without ${field}`, line);
    return value;
  };
  return {
    id,
    protocol: required('proto'),
    source: required('src'),
    frontend: required('fe'),
    backend: unlessNone(fields.get('be')),
    server: unlessNone(fields.get('srv')),
    age: required('age'),
    fields,
  };
}

export const parseSessions = (text: string): readonly Session[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map(readSession);

/** All sessions, the one that asks among them (frontend `GLOBAL`). Needs level `operator`. */
export const showSessions = (): Query<readonly Session[]> => query('show sess', parseSessions);
