/** Milliseconds in each unit of a duration. */
const DURATION_UNITS = new Map(Object.entries({ ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }));

/** Bytes in each unit of a size. As in PostgreSQL, kB, MB, GB and TB are powers of 1024, the same as KiB and so on. */
const SIZE_UNITS = new Map(
  Object.entries({
    B: 1,
    kB: 2 ** 10,
    KB: 2 ** 10,
    KiB: 2 ** 10,
    MB: 2 ** 20,
    MiB: 2 ** 20,
    GB: 2 ** 30,
    GiB: 2 ** 30,
    TB: 2 ** 40,
    TiB: 2 ** 40,
    '': 1,
  }),
);

const QUANTITY = /^(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z]*)$/;

function readQuantity(text: string, units: ReadonlyMap<string, number>, expected: string): number {
  const [, digits = '', unit = ''] = QUANTITY.exec(text) ?? [];
  const factor = unit === '' && Number(digits) === 0 ? 1 : units.get(unit);
  if (digits === '' || factor === undefined) throw new RangeError(`${JSON.stringify(text)} is not ${expected}`);
  return Number(digits) * factor;
}

/**
 * Reads a duration such as `500ms`, `3s`, `1.5m`, `2h`, `1d` or `0` into milliseconds.
 * @throws RangeError if `text` is not one, a bare number included (its unit would be a guess); the message names it.
 */
export function parseDuration(text: string): number {
  return readQuantity(text, DURATION_UNITS, 'a duration (a number with ms, s, m, h or d, such as 500ms)');
}

/**
 * Reads a size such as `16MB`, `1MiB` or plain bytes into bytes; units are powers of 1024 as in PostgreSQL.
 * @throws RangeError if `text` is not one or not a whole number of bytes; the message names it.
 */
export function parseSize(text: string): number {
  const bytes = readQuantity(text, SIZE_UNITS, 'a size (bytes, or a number with kB, MB, GB or TB, such as 16MB)');
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`${JSON.stringify(text)} is not a whole number of bytes`);
  return bytes;
}

function formatQuantity(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, factor]) => value >= factor && value % factor === 0) ?? units.at(-1) ?? ['', 1];
  return `${value / factor}${unit}`;
}

/** Writes milliseconds with the largest unit that divides them, such as `3s` for 3000. */
export function formatDuration(milliseconds: number): string {
  return formatQuantity(milliseconds, [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ]);
}

/** Writes bytes with the largest unit that divides them, such as `16MB` for 16777216. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, [
    ['TB', 2 ** 40],
    ['GB', 2 ** 30],
    ['MB', 2 ** 20],
    ['kB', 2 ** 10],
    ['B', 1],
  ]);
}
