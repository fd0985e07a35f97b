import { readFields } from './columns';
import { query, type Query } from './command';
import { unreadable } from './errors';
import { parseTypedInfo, parseJsonInfo, type TypedFields } from './typed-fields';

/** What `show info` tells about the process. */
export interface ProcessInfo {
  readonly version: string;
  /** With `uptimeSeconds`, tells a restarted HAProxy from the one seen before. */
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Wall-clock second at which it started, where this version tells (2.6 and later). */
  readonly startTimeSeconds: number | undefined;
  readonly node: string;
  readonly currentConnections: number;
  readonly maxConnections: number;
  /** True once it is on its way out (soft stop). */
  readonly isStopping: boolean;
  /** Every field by HAProxy's own name, as text. */
  readonly fields: ReadonlyMap<string, string>;
}

function required(fields: ReadonlyMap<string, string>, field: string): string {
  const value = fields.get(field);
  if (value === undefined) throw unreadable(`"show info" lacks ${field}`, [...fields.keys()].join(' '));
  return value;
}

function integer(fields: ReadonlyMap<string, string>, field: string): number {
  const value = required(fields, field);
  if (!/^\d+$/.test(value)) throw unreadable(`${field} of "show info" is no integer`, value);
  return Number(value);
}

export function parseInfo(text: string): ProcessInfo {
  const fields = readFields(text);
  return {
    version: required(fields, 'Version'),
    pid: integer(fields, 'Pid'),
    uptimeSeconds: integer(fields, 'Uptime_sec'),
    startTimeSeconds: fields.has('Start_time_sec') ? integer(fields, 'Start_time_sec') : undefined,
    node: required(fields, 'node'),
    currentConnections: integer(fields, 'CurrConns'),
    maxConnections: integer(fields, 'Maxconn'),
    isStopping: integer(fields, 'Stopping') !== 0,
    fields,
  };
}

export const showInfo = (): Query<ProcessInfo> => query('show info', parseInfo);

/** The same with HAProxy's types: numbers as numbers. */
export const showInfoTyped = (): Query<TypedFields> => query('show info typed', parseTypedInfo);
export const showInfoJson = (): Query<TypedFields> => query('show info json', parseJsonInfo);

export type CliLevel = 'user' | 'operator' | 'admin';

/** What the socket allows: every command that changes servers needs `admin`. */
export const showCliLevel = (): Query<CliLevel> => query('show cli level', readLevel, /^(?:user|operator|admin)$/);

function readLevel(text: string): CliLevel {
  if (text === 'user' || text === 'operator' || text === 'admin') return text;
  throw unreadable('unknown level', text);
}
