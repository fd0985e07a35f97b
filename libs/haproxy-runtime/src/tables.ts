import { action, query, type Command, type Query } from './command';
import { argumentError, unreadable } from './errors';
import { integer, name, word } from './words';

/** A stick table, as `show table` lists it. */
export interface StickTable {
  readonly table: string;
  readonly type: string;
  readonly size: number;
  readonly used: number;
}

export interface StickEntry {
  readonly key: string;
  /** Sessions that hold the entry now. */
  readonly uses: number;
  /** 0 where entries do not expire. */
  readonly expiresInMs: number;
  /** What is stored, by type: `gpc0`, `conn_cur`, `http_req_rate`, … */
  readonly data: ReadonlyMap<string, string>;
}

export interface StickTableContents extends StickTable {
  readonly entries: readonly StickEntry[];
}

const HEADER = /^# table: ([^,]+), type: ([^,]+), size:(\d+), used:(\d+)/;

function readHeader(line: string): StickTable {
  const [, table, type, size, used] = HEADER.exec(line) ?? [];
  if (table === undefined || type === undefined) throw unreadable('not the header of a stick table', line);
  return { table, type, size: Number(size), used: Number(used) };
}

// HAProxy escapes keys: "\ ", "\\", "\=", "\t", "\n", "\r", "\e" and "\xHH".
const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['e', '\u001b'],
]);
const unescape = (text: string): string =>
  text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex: string | undefined, character: string | undefined) =>
    hex === undefined
      ? (NAMED_ESCAPES.get(character ?? '') ?? character ?? '')
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );

const ENTRY_FIELD = /(\w+)(?:\(\d+\))?=((?:\\.|[^\\ ])*)/g;

function readEntry(line: string): StickEntry {
  const fields = new Map([...line.matchAll(ENTRY_FIELD)].map((match) => [match[1] ?? '', match[2] ?? '']));
  const [key, uses, expires] = [fields.get('key'), fields.get('use'), fields.get('exp')];
  if (key === undefined || uses === undefined || expires === undefined) throw unreadable('not a stick entry', line);
  const data = new Map([...fields].filter(([field]) => !['key', 'use', 'exp', 'shard'].includes(field)));
  return { key: unescape(key), uses: Number(uses), expiresInMs: Number(expires), data };
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

export const parseTables = (text: string): readonly StickTable[] => linesOf(text).map(readHeader);

export function parseTable(text: string): StickTableContents {
  const [header, ...entries] = linesOf(text);
  return { ...readHeader(header ?? ''), entries: entries.map(readEntry) };
}

/** A condition on stored data: `{ data: 'conn_cur', operator: 'gt', value: 10 }`. */
export interface StickCondition {
  readonly data: string;
  readonly operator: 'eq' | 'ne' | 'le' | 'ge' | 'lt' | 'gt';
  readonly value: number;
}

/** Entries of one key, or those that fulfil every condition; all without. */
export type StickSelection = { readonly key: string } | { readonly where: readonly StickCondition[] };

const DATA_TYPE = /^\w+$/;

function dataType(value: string): string {
  if (!DATA_TYPE.test(value)) throw argumentError('data type', value, 'expected a name such as gpc0');
  return `data.${value}`;
}

const count = (value: number): string => integer('value', value, 0, Number.MAX_SAFE_INTEGER);

function selectionWords(selection: StickSelection | undefined): string {
  if (selection === undefined) return '';
  if ('key' in selection) return ` key ${word('key', selection.key)}`;
  return selection.where.map(({ data, operator, value }) => ` ${dataType(data)} ${operator} ${count(value)}`).join('');
}

export const showTables = (): Query<readonly StickTable[]> => query('show table', parseTables);

/** A table with its entries. A table that has no entry of the selected key is answered with silence: undefined. */
export const showTable = (table: string, selection?: StickSelection): Query<StickTableContents | undefined> =>
  query(`show table ${name('table', table)}${selectionWords(selection)}`, (text) =>
    text === '' ? undefined : parseTable(text),
  );

/**
 * Stores data for a key, which is created if missing. HAProxy reads a key that is no address as `0.0.0.0` in a table
 * of type `ip` and says nothing.
 */
export const setTable = (table: string, key: string, data: Readonly<Record<string, number>>): Command => {
  const values = Object.entries(data).map(([type, value]) => `${dataType(type)} ${count(value)}`);
  if (values.length === 0) throw argumentError('data', data, 'nothing to store');
  return action(`set table ${name('table', table)} key ${word('key', key)} ${values.join(' ')}`);
};

/** Removes the selected entries, or all. */
export const clearTable = (table: string, selection?: StickSelection): Command =>
  action(`clear table ${name('table', table)}${selectionWords(selection)}`);
