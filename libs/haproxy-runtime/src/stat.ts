import { Row } from './columns';
import { query, type Query } from './command';
import { readCsvLine } from './csv';
import { unreadable } from './errors';
import { parseJsonStat, parseTypedStat, type TypedObject } from './typed-fields';
import { integer, name } from './words';

export type StatKind = 'frontend' | 'backend' | 'server' | 'listener';

/** A line of `show stat`; `fields` has every column of this HAProxy by its name, as text, empty where it has none. */
export interface Stat {
  readonly kind: StatKind;
  readonly proxy: string;
  /** The server's or listener's name; `FRONTEND` or `BACKEND`. */
  readonly name: string;
  /** `UP`, `DOWN`, `MAINT`, `UP 1/3`, `no check`, `OPEN`, … */
  readonly status: string;
  readonly currentSessions: number;
  readonly fields: ReadonlyMap<string, string>;
}

/** Which objects to show; all by default. */
export interface StatFilter {
  readonly proxy?: string;
  readonly kinds?: readonly StatKind[];
  /** Number of the server within its backend (`ServerState.serverId`). */
  readonly serverId?: number;
  /** Leave out servers that are down, or in maintenance. */
  readonly only?: 'up' | 'no-maint';
}

const KINDS: readonly StatKind[] = ['frontend', 'backend', 'server', 'listener'];

/** HAProxy's bits for the kinds: 1, 2, 4, 8; -1 is all. */
const kindMask = (kinds: readonly StatKind[] | undefined): number =>
  kinds === undefined ? -1 : kinds.reduce((mask, kind) => mask | (1 << KINDS.indexOf(kind)), 0);

function statLine(filter: StatFilter, format: string): string {
  const { proxy, kinds, serverId, only } = filter;
  const selects = proxy !== undefined || kinds !== undefined || serverId !== undefined;
  const server = serverId === undefined ? '-1' : integer('serverId', serverId, 1, 2 ** 31 - 1);
  const selection = `${proxy === undefined ? '-1' : name('proxy', proxy)} ${kindMask(kinds)} ${server}`;
  return ['show stat', selects ? selection : '', format, only ?? ''].filter((part) => part !== '').join(' ');
}

function readStat(header: readonly string[], line: string): Stat {
  const values = readCsvLine(line);
  const row = new Row(header, values, line);
  const kind = KINDS[row.integer('type')];
  if (kind === undefined) throw unreadable('unknown type in "show stat"', row.text('type'));
  return {
    kind,
    proxy: row.text('pxname'),
    name: row.text('svname'),
    status: row.text('status'),
    currentSessions: row.text('scur') === '' ? 0 : row.integer('scur'),
    fields: new Map(header.map((column, index) => [column, values[index] ?? ''])),
  };
}

export function parseStat(text: string): readonly Stat[] {
  const [first, ...lines] = text.split('\n').filter((line) => line !== '');
  if (first?.startsWith('# ') !== true) throw unreadable('no header of "show stat"', text);
  // Every line, the header included, ends with a comma.
  const header = readCsvLine(first.slice(2)).filter((column) => column !== '');
  return lines.map((line) => readStat(header, line));
}

/** Statistics as HAProxy's CSV has them. An unknown proxy is not refused: nothing is shown. */
export const showStat = (filter: StatFilter = {}): Query<readonly Stat[]> => query(statLine(filter, ''), parseStat);

/** The same with HAProxy's types: numbers as numbers, and no field where it has no value. */
export const showStatTyped = (filter: StatFilter = {}): Query<readonly TypedObject[]> =>
  query(statLine(filter, 'typed'), parseTypedStat);
export const showStatJson = (filter: StatFilter = {}): Query<readonly TypedObject[]> =>
  query(statLine(filter, 'json'), parseJsonStat);
