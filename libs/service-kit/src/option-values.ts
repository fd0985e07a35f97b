import { formatDuration, formatSize, parseDuration, parseSize } from './quantities';
import type { OptionSpec, OptionType } from './options';

export type OptionValue = string | number | boolean | readonly string[];

function asText(raw: unknown, expected: string): string {
  if (typeof raw !== 'string') throw new RangeError(`${JSON.stringify(raw)} is not ${expected}`);
  return raw;
}

function asNumber(raw: unknown, expected: string): number {
  if (typeof raw === 'number' && Number.isFinite(raw)) return raw;
  const text = typeof raw === 'string' ? raw.trim() : '';
  if (!/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw new RangeError(`${JSON.stringify(raw)} is not ${expected}`);
  return Number(text);
}

function asInteger(raw: unknown, expected: string): number {
  const value = asNumber(raw, expected);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${JSON.stringify(raw)} is not ${expected}`);
  return value;
}

function asBoolean(raw: unknown): boolean {
  if (raw === true || raw === 'true') return true;
  if (raw === false || raw === 'false') return false;
  throw new RangeError(`${JSON.stringify(raw)} is not true or false`);
}

function asList(raw: unknown): readonly string[] {
  if (typeof raw === 'string') return raw.split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
  if (Array.isArray(raw)) return raw.map((item) => asText(item, 'a text in a list'));
  throw new RangeError(`${JSON.stringify(raw)} is not a list (comma separated, or a YAML list of texts)`);
}

const SIZE = 'a size such as 16MB';
const DURATION = 'a duration such as 500ms (quote it, with its unit)';

const READERS: Record<OptionType, (raw: unknown) => OptionValue> = {
  string: (raw) => asText(raw, 'a text'),
  secret: (raw) => asText(raw, 'a text'),
  enum: (raw) => asText(raw, 'a text'),
  number: (raw) => asNumber(raw, 'a number'),
  integer: (raw) => asInteger(raw, 'a whole number'),
  port: (raw) => asInteger(raw, 'a port number'),
  boolean: asBoolean,
  duration: (raw) => parseDuration(asText(raw, DURATION)),
  size: (raw) => (typeof raw === 'number' ? asInteger(raw, SIZE) : parseSize(asText(raw, SIZE))),
  list: asList,
};

/**
 * Reads what a flag, a variable or a file holds into the option's own type.
 * @throws RangeError that names the bad value.
 */
export function readValue(spec: OptionSpec, raw: unknown): OptionValue {
  return READERS[spec.type](raw);
}

/** A limit or default of an option as a value of its type: durations and sizes may be declared as text. */
export function declaredValue(spec: OptionSpec, declared: OptionValue): OptionValue {
  return typeof declared === 'string' && (spec.type === 'duration' || spec.type === 'size')
    ? readValue(spec, declared)
    : declared;
}

/** A value as a person would write it in a flag: `3s`, `16MB`, `a,b`. */
export function writeValue(spec: OptionSpec, value: OptionValue): string {
  if (typeof value === 'number' && spec.type === 'duration') return formatDuration(value);
  if (typeof value === 'number' && spec.type === 'size') return formatSize(value);
  return Array.isArray(value) ? value.join(',') : String(value);
}
