import { isIP } from 'node:net';
import { argumentError } from './errors';

// Every value that reaches a command passes here. The CLI splits commands at ";" and newlines, words at blanks, and
// knows "\" as the only escape (there are no quotes); "<<" at the end of a line would start a payload that swallows
// the commands after it.

const CONTROL_CHARACTER = /\p{Cc}/u;

/** What no command may contain, wherever it comes from. Returns the reason, or undefined if the text may be sent. */
export function whyUnsendable(text: string): string | undefined {
  if (CONTROL_CHARACTER.test(text)) return 'contains a newline or another control character';
  if (text.includes(';')) return 'contains ";", which would begin another command';
  if (text.includes('<<')) return 'contains "<<", which would begin a payload';
  return undefined;
}

/**
 * One word of a command, with blanks and backslashes escaped.
 * @throws RuntimeError HAPROXY_ARGUMENT for an empty word, control characters, `;` and `<<`.
 */
export function word(what: string, value: string): string {
  if (value === '') throw argumentError(what, value, 'must not be empty');
  const reason = whyUnsendable(value);
  if (reason !== undefined) throw argumentError(what, value, reason);
  return value.replace(/[\\ ]/g, '\\$&');
}

const NAME = /^[A-Za-z0-9_.:-]+$/;

/** Name of a backend, server or table: the letters HAProxy's configuration allows in one. */
export function name(what: string, value: string): string {
  if (!NAME.test(value)) throw argumentError(what, value, 'expected letters, digits and _ . : -');
  return value;
}

/** Which server: `backend/server`. */
export interface ServerRef {
  readonly backend: string;
  readonly server: string;
}

export const serverPath = (ref: ServerRef): string => `${name('backend', ref.backend)}/${name('server', ref.server)}`;

/** IP address; a name is refused because HAProxy resolves none here ("Invalid addr"). */
export function ipAddress(what: string, value: string): string {
  if (isIP(value) === 0) throw argumentError(what, value, 'expected an IPv4 or IPv6 address');
  return value;
}

/** Decimal integer. HAProxy itself lets too many through: it takes port 99999 as 34463 without a word (2.6.12). */
export function integer(what: string, value: number, min: number, max: number): string {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw argumentError(what, value, `expected an integer from ${min} to ${max}`);
  }
  return String(value);
}

export const port = (value: number): string => integer('port', value, 1, 65_535);

/** Absolute weight 0–256, or a share of the configured weight such as `50%`. */
export function weight(value: number | `${number}%`): string {
  if (typeof value === 'number') return integer('weight', value, 0, 256);
  if (!/^\d{1,3}%$/.test(value) || Number.parseInt(value, 10) > 100) {
    throw argumentError('weight', value, 'expected 0 to 256, or 0% to 100%');
  }
  return value;
}
