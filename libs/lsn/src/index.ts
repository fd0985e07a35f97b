declare const lsnBrand: unique symbol;

/** A position in the write-ahead log, in bytes since its beginning (PostgreSQL type `pg_lsn`). */
export type Lsn = bigint & { readonly [lsnBrand]: true };

/** The position before everything: what `pg_lsn` writes as `0/0`. */
export const ZERO_LSN = 0n as Lsn;

const LSN_TEXT = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/**
 * Reads PostgreSQL's text form, two 32-bit halves in hexadecimal such as `16/B374D848`.
 * @throws RangeError if `text` is not such a position; the message names it.
 */
export function parseLsn(text: string): Lsn {
  const halves = LSN_TEXT.exec(text);
  if (halves === null)
    throw new RangeError(`not a WAL position (expected a form like 16/B374D848): ${JSON.stringify(text)}`);
  return ((BigInt(`0x${String(halves[1])}`) << 32n) | BigInt(`0x${String(halves[2])}`)) as Lsn;
}

/** Writes a position in PostgreSQL's text form, as `pg_lsn` prints it. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** The later of the given positions; `0/0` if there are none. */
export function latestLsn(...lsns: readonly Lsn[]): Lsn {
  return lsns.reduce((latest, lsn) => (lsn > latest ? lsn : latest), ZERO_LSN);
}

/** Bytes of WAL by which `behind` trails `ahead`; 0 if it does not trail at all. */
export function lagBytes(ahead: Lsn, behind: Lsn): number {
  return ahead > behind ? Number(ahead - behind) : 0;
}
