import { unreadable } from './errors';

/** A value as HAProxy types it: u32, s32, u64, s64 as number (bigint beyond 2^53), flt as number, str as text. */
export type TypedValue = number | bigint | string;

/** Values by HAProxy's field names. */
export type TypedFields = ReadonlyMap<string, TypedValue>;

/** `show stat`'s `typed` and `json` lines belong to objects. */
export interface TypedObject {
  readonly kind: 'frontend' | 'backend' | 'server' | 'listener';
  readonly proxyId: number;
  readonly id: number;
  readonly fields: TypedFields;
}

const NUMBER_TYPES = new Set(['u32', 's32', 'u64', 's64']);

function typedValue(type: string, text: string): TypedValue {
  if (NUMBER_TYPES.has(type)) {
    if (!/^-?\d+$/.test(text)) throw unreadable(`not of type ${type}`, text);
    const exact = BigInt(text);
    const value = Number(exact);
    return Number.isSafeInteger(value) ? value : exact;
  }
  return type === 'flt' ? Number(text) : text;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

// 6.Pid.1:SGP:u32:6134 — position, name (may hold spaces), process; tags; type; value.
const INFO_LINE = /^\d+\.(.+)\.\d+:\w+:(\w+):(.*)$/;

export function parseTypedInfo(text: string): TypedFields {
  return new Map(
    linesOf(text).map((line) => {
      const [, field, type, value] = INFO_LINE.exec(line) ?? [];
      if (field === undefined || type === undefined) throw unreadable('not a typed line of "show info"', line);
      return [field, typedValue(type, value ?? '')];
    }),
  );
}

const KINDS: ReadonlyMap<string, TypedObject['kind']> = new Map([
  ['F', 'frontend'],
  ['B', 'backend'],
  ['S', 'server'],
  ['L', 'listener'],
]);

// S.3.1.0.pxname.1:KNS:str:standby — kind, proxy, object, position, name, process; tags; type; value.
const STAT_LINE = /^([A-Z])\.(\d+)\.(\d+)\.\d+\.([^:]+)\.\d+:\w+:(\w+):(.*)$/;

interface StatField {
  readonly kind: TypedObject['kind'];
  readonly proxyId: number;
  readonly id: number;
  readonly field: string;
  readonly value: TypedValue;
}

/** Each object's fields together, whatever their order. */
function gather(fields: readonly StatField[]): readonly TypedObject[] {
  const objects = new Map<string, TypedObject & { readonly fields: Map<string, TypedValue> }>();
  for (const { kind, proxyId, id, field, value } of fields) {
    const key = `${kind}.${proxyId}.${id}`;
    const object = objects.get(key) ?? { kind, proxyId, id, fields: new Map<string, TypedValue>() };
    object.fields.set(field, value);
    objects.set(key, object);
  }
  return [...objects.values()];
}

export function parseTypedStat(text: string): readonly TypedObject[] {
  return gather(
    linesOf(text).map((line) => {
      const [, letter, proxyId, id, field, type, value] = STAT_LINE.exec(line) ?? [];
      const kind = letter === undefined ? undefined : KINDS.get(letter);
      if (kind === undefined || field === undefined || type === undefined) {
        throw unreadable('not a typed line of "show stat"', line);
      }
      return { kind, proxyId: Number(proxyId), id: Number(id), field, value: typedValue(type, value ?? '') };
    }),
  );
}

interface JsonField {
  readonly objType?: string;
  readonly proxyId?: number;
  readonly id?: number;
  readonly field: { readonly name: string };
  readonly value: { readonly type: string; readonly value: number | string };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isJsonField(value: unknown): value is JsonField {
  if (!isRecord(value) || !isRecord(value.field) || !isRecord(value.value)) return false;
  const { type, value: content } = value.value;
  return (
    typeof value.field.name === 'string' &&
    typeof type === 'string' &&
    (typeof content === 'number' || typeof content === 'string')
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(`not JSON (${String(cause)})`, text);
  }
}

function jsonFields(value: unknown): readonly JsonField[] {
  if (!Array.isArray(value)) throw unreadable('not a JSON array', JSON.stringify(value));
  return value.map((entry: unknown) => {
    if (!isJsonField(entry)) throw unreadable('not a field of HAProxy’s JSON schema', JSON.stringify(entry));
    return entry;
  });
}

/** JSON holds numbers as doubles: beyond 2^53 they are rounded; the `typed` form is exact. */
export function parseJsonInfo(text: string): TypedFields {
  return new Map(jsonFields(parseJson(text)).map(({ field, value }) => [field.name, value.value]));
}

export function parseJsonStat(text: string): readonly TypedObject[] {
  const objects = parseJson(text);
  if (!Array.isArray(objects)) throw unreadable('not a JSON array', text);
  return gather(
    objects.flatMap(jsonFields).map(({ objType, proxyId, id, field, value }) => {
      const kind = KINDS.get(objType?.charAt(0) ?? '');
      if (kind === undefined || proxyId === undefined || id === undefined) {
        throw unreadable('field of no object', JSON.stringify({ objType, proxyId, id }));
      }
      return { kind, proxyId, id, field: field.name, value: value.value };
    }),
  );
}
