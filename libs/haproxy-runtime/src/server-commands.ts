import { action, query, type Command, type Query } from './command';
import { unreadable } from './errors';
import { integer, ipAddress, port, serverPath, weight, type ServerRef } from './words';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const setServer = (server: ServerRef, what: string, notice?: RegExp): Command =>
  action(`set server ${serverPath(server)} ${what}`, notice);

/**
 * Administrative state. `ready` marks a server UP at once, before any check; `maint` closes no session of a server that
 * was already down: let `shutdownSessions` follow.
 */
export const setServerState = (server: ServerRef, state: 'ready' | 'drain' | 'maint'): Command =>
  setServer(server, `state ${state}`);

// `set server … addr` is the one command that talks on success. "nothing changed" is what 3.x says instead of two
// "no need to change".
const ADDRESS_CHANGE =
  "(?:no need to change the (?:addr|port)|(?:IP|port) changed from '[^']*' to '[^']*'|nothing changed)";
const ADDRESS_NOTICE = new RegExp(`^${ADDRESS_CHANGE}(?:, ${ADDRESS_CHANGE})*(?: by '[^']*')?\\.?$`, 'i');

/** Where the server is (the Runtime API changes a port only together with the address). Moves no live session. */
export const setServerAddress = (server: ServerRef, address: HostPort): Command =>
  setServer(server, `addr ${ipAddress('host', address.host)} port ${port(address.port)}`, ADDRESS_NOTICE);

/** Where the server is checked. Refused for a server without `check`, or while its checks are disabled (maint only pauses them). */
export const setServerCheckAddress = (server: ServerRef, address: HostPort): Command =>
  setServer(server, `check-addr ${ipAddress('host', address.host)} port ${port(address.port)}`);

/** The port at which the server is checked. Refused as `setServerCheckAddress` is. */
export const setServerCheckPort = (server: ServerRef, checkPort: number): Command =>
  setServer(server, `check-port ${port(checkPort)}`);

/** Result of health checks, until the next check says otherwise. Has no effect on a server without `check`. */
export const setServerHealth = (server: ServerRef, health: 'up' | 'stopping' | 'down'): Command =>
  setServer(server, `health ${health}`);

export const setServerWeight = (server: ServerRef, newWeight: number | `${number}%`): Command =>
  setServer(server, `weight ${weight(newWeight)}`);

/** `set weight`, the older name of the same. */
export const setWeight = (server: ServerRef, newWeight: number | `${number}%`): Command =>
  action(`set weight ${serverPath(server)} ${weight(newWeight)}`);

/** Connections the server takes at a time; 0 is without limit. */
export const setServerMaxConnections = (server: ServerRef, limit: number): Command =>
  action(`set maxconn server ${serverPath(server)} ${integer('maxconn', limit, 0, 2 ** 31 - 1)}`);

export const enableServer = (server: ServerRef): Command => action(`enable server ${serverPath(server)}`);
export const disableServer = (server: ServerRef): Command => action(`disable server ${serverPath(server)}`);

/** Starts health checks. Refused for a server without `check`. */
export const enableHealth = (server: ServerRef): Command => action(`enable health ${serverPath(server)}`);
export const disableHealth = (server: ServerRef): Command => action(`disable health ${serverPath(server)}`);

/** Closes every session of the server, whatever its state. */
export const shutdownSessions = (server: ServerRef): Command =>
  action(`shutdown sessions server ${serverPath(server)}`);

/** Weight in effect, and the configured one. */
export interface Weight {
  readonly current: number;
  readonly initial: number;
}

export const getWeight = (server: ServerRef): Query<Weight> =>
  query(`get weight ${serverPath(server)}`, (text) => {
    const match = /^(\d+) \(initial (\d+)\)$/.exec(text.trim());
    if (match === null) throw unreadable('not a weight', text);
    return { current: Number(match[1]), initial: Number(match[2]) };
  });
