import { once } from 'node:events';
import { chmodSync, unlinkSync } from 'node:fs';
import { connect, type AddressInfo, type Server } from 'node:net';
import { messageOf } from './coded-error';
import { errors } from './errors';

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  /** A unix socket, with its permissions (default 0660). */
  | { readonly path: string; readonly mode?: number };

/** A server of `node:http`, or one that can do the same with its connections. */
export interface Listener extends Server {
  closeIdleConnections(): void;
  closeAllConnections(): void;
}

/** Ends the server: no new connections, idle ones closed at once, busy ones after `graceMs` (default 1000). */
export type CloseServer = (graceMs?: number) => Promise<void>;

/** Whether somebody answers on a unix socket; a socket file that nobody listens on is left over from a killed process. */
async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  if (await isAnswered(path)) throw new Error('another process answers there');
  try {
    unlinkSync(path);
  } catch {
    // Nothing was there; if something was that cannot be removed, listening fails and says why.
  }
}

async function bind(server: Listener, address: ListenAddress): Promise<void> {
  if ('path' in address) await removeStaleSocket(address.path);
  const listening = once(server, 'listening');
  server.listen('path' in address ? { path: address.path } : { host: address.host, port: address.port });
  await listening;
  if ('path' in address) chmodSync(address.path, address.mode ?? 0o660);
}

function closeServer(server: Listener, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const impatience = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(impatience);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/**
 * Listens; resolves when connections are accepted, with the function that ends the server. A unix socket left over from
 * a killed process is replaced, one that is in use is not.
 * @throws CodedError HAPG_LISTEN_FAILED, which names the address.
 */
export async function listenOn(server: Listener, address: ListenAddress): Promise<CloseServer> {
  try {
    await bind(server, address);
  } catch (cause) {
    const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
    throw errors.HAPG_LISTEN_FAILED(`cannot listen on ${where}: ${messageOf(cause)}`, { cause });
  }
  return (graceMs = 1_000) => closeServer(server, graceMs);
}

/** The port a server listens on, when it was asked to choose one (port 0). */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export interface JsonError {
  readonly error: { readonly code: string; readonly message: string; readonly parameter?: string };
}

/** The body of a refused request; `parameter` names the one that is wrong. */
export function jsonError(code: string, message: string, parameter?: string): JsonError {
  return { error: { code, message, ...(parameter === undefined ? {} : { parameter }) } };
}
