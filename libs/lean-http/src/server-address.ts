import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** Where a server listens. */
export type ServerAddress =
  | { readonly socketPath: string }
  | {
      readonly host: string;
      readonly port: number;
      /** It speaks TLS. Unless `servername` says another, its certificate must be for the host. */
      readonly tls?: ConnectionOptions | undefined;
    };

const USUAL_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** How long a connection is silent until the kernel asks whether the other side is still there. */
const KEEP_ALIVE_AFTER_MS = 1_000;

/**
 * Bytes are read into this one place: who is called with them is done with them before anything else is read. Streams would make a
 * new one of 64 KiB for every read, and pass it on through four functions.
 */
const READ_INTO = Buffer.allocUnsafeSlow(65_536);

/** A new connection, which calls `onBytes` for what it reads; all else it says by its events. */
export function openSocket(address: ServerAddress, onBytes: (bytes: Buffer) => void): Socket {
  const onread = {
    buffer: READ_INTO,
    callback: (count: number): boolean => {
      onBytes(READ_INTO.subarray(0, count));
      return true;
    },
  };
  if ('socketPath' in address) return connect({ path: address.socketPath, onread });
  const { host, port, tls } = address;
  const options = { host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS };
  if (tls === undefined) return connect(options);
  return connectTls({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls } as ConnectionOptions);
}

/**
 * The server of a URL that begins with `http://` or `https://`; its path is not looked at.
 * @param tls beside what `https` means already
 * @throws RangeError if it is no such URL
 */
export function addressOf(url: string, tls: ConnectionOptions = {}): ServerAddress {
  if (!URL.canParse(url)) throw new RangeError(`not a URL: ${JSON.stringify(url)}`);
  const { protocol, hostname, port } = new URL(url);
  const usual = USUAL_PORTS[protocol];
  if (usual === undefined) throw new RangeError(`neither http nor https: ${JSON.stringify(url)}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const where = { host, port: port === '' ? usual : Number(port) };
  return protocol === 'https:' ? { ...where, tls } : where;
}

/** As the header `Host` tells it. */
export function hostHeader(address: ServerAddress): string {
  if ('socketPath' in address) return 'localhost';
  const { host, port, tls } = address;
  const name = host.includes(':') ? `[${host}]` : host;
  return port === USUAL_PORTS[tls === undefined ? 'http:' : 'https:'] ? name : `${name}:${port}`;
}
