import type { RuntimeAddress } from '@ha-postgres/haproxy-runtime';

/**
 * Reads where the Runtime API is: `127.0.0.1:9998`, `[::1]:9998`, `/run/haproxy.sock` or `unix:/run/haproxy.sock`.
 * @throws RangeError if it is none of these; the message names it.
 */
export function parseHaproxyAddress(text: string): RuntimeAddress {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  if (path.startsWith('/')) return { path };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new RangeError(`not an address of HAProxy (host:port or a path): ${JSON.stringify(text)}`);
  }
  return { host, port };
}
