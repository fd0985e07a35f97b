import { isIP } from 'node:net';

/** One text for each address, so that `::1` and `0:0:0:0:0:0:0:1` are the same; null for what is no IP address (or only one of a link). */
export function canonicalAddress(text: string): string | null {
  if (text.includes('%')) return null;
  if (isIP(text) === 6) return new URL(`http://[${text}]`).hostname;
  return isIP(text) === 4 ? text : null;
}

/** Whether two texts name one address. Comparing them as texts would have an address set again and again, and its sessions closed. */
export function isSameAddress(a: string | undefined, b: string): boolean {
  return a !== undefined && (a === b || (canonicalAddress(a) !== null && canonicalAddress(a) === canonicalAddress(b)));
}
