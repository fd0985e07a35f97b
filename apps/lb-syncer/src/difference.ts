import {
  setServerAddress,
  setServerCheckAddress,
  setServerHealth,
  setServerState,
  shutdownSessions,
  type Command,
} from '@ha-postgres/haproxy-runtime';
import type { ServerNow } from './current-state';
import { isSameAddress } from './ip-address';
import { wishFor, type Desired, type Target, type Wish } from './plan-backends';

export interface DifferenceOptions {
  /**
   * True while Consul answers. If it does not, a server that comes back (HAProxy was restarted) is UP only after HAProxy's
   * own check: what Consul said last may be over, and leaving maint would mark the server UP before any check.
   */
  readonly isFresh: boolean;
}

/** What has to be done to one server, in order. */
export interface Change {
  readonly server: ServerNow;
  readonly wish: Wish;
  readonly commands: readonly Command[];
}

/** Always with `shutdown sessions`: maint alone closes none if the server was already down. */
const leaving = (server: ServerNow): Command[] => [setServerState(server, 'maint'), shutdownSessions(server)];

/** Out of the backend. Sessions that outlived an interrupted change are closed as well. */
function resting(server: ServerNow): Command[] {
  if (!server.isResting) return leaving(server);
  return server.sessions > 0 ? [shutdownSessions(server)] : [];
}

function leadsThere(server: ServerNow, { host, port, checkPort }: Target): boolean {
  const isChecked =
    server.check === null || (isSameAddress(server.check.host, host) && server.check.port === checkPort);
  return isSameAddress(server.host, host) && server.port === port && isChecked;
}

function moving(server: ServerNow, { host, port, checkPort }: Target): Command[] {
  return [
    setServerAddress(server, { host, port }),
    ...(server.check === null || checkPort === null ? [] : [setServerCheckAddress(server, { host, port: checkPort })]),
  ];
}

/**
 * `ready` leaves a server UP by one failed check only, and that may be one of the address before which has not ended yet: `health up` lets it
 * fail as often as any other.
 */
const entering = (server: ServerNow, { isFresh }: DifferenceOptions): Command[] => [
  setServerState(server, 'ready'),
  ...(server.check === null ? [] : [setServerHealth(server, isFresh ? 'up' : 'down')]),
];

/**
 * A server is never given another address while it takes connections, nor made ready with sessions of an earlier one. A
 * move begins with maint whatever the server was a moment ago, so that it is right from any state.
 */
function serving(server: ServerNow, target: Target, options: DifferenceOptions): Command[] {
  if (!leadsThere(server, target)) return [...leaving(server), ...moving(server, target), ...entering(server, options)];
  if (server.isResting) return [...resting(server), ...entering(server, options)];
  return server.isDraining ? [setServerState(server, 'ready')] : [];
}

/** One that does not serve the target takes no connections already, or is to take none. */
function draining(server: ServerNow, target: Target): Command[] {
  if (server.isResting || !leadsThere(server, target)) return resting(server);
  return server.isDraining ? [] : [setServerState(server, 'drain')];
}

function commandsFor(server: ServerNow, wish: Wish, options: DifferenceOptions): Command[] {
  switch (wish.kind) {
    case 'serve':
      return serving(server, wish.target, options);
    case 'rest':
      return resting(server);
    case 'drain':
      return draining(server, wish.target);
    // The plug is put in before all else, by more than commands.
    case 'plug':
    case 'leave':
      return [];
  }
}

/** The commands that lead from the current state to the desired one, in the order of the desired backends; none if it holds already. */
export function difference(desired: Desired, current: readonly ServerNow[], options: DifferenceOptions): Change[] {
  const order = [...desired.backends.keys()];
  return current
    .map((server) => ({ server, wish: wishFor(desired, server.backend, server.server) }))
    .map(({ server, wish }) => ({ server, wish, commands: commandsFor(server, wish, options) }))
    .filter(({ commands }) => commands.length > 0)
    .sort((a, b) => order.indexOf(a.server.backend) - order.indexOf(b.server.backend));
}

/** Servers that are wished for but that this HAProxy does not have: its `haproxy.cfg` is for a smaller cluster, or another one. */
export function missingServers(desired: Desired, current: readonly ServerNow[]): string[] {
  const present = new Set(current.map(({ backend, server }) => `${backend}/${server}`));
  return [...desired.backends].flatMap(([backend, { servers }]) =>
    [...servers]
      .filter(([server, wish]) => wish.kind === 'serve' && !present.has(`${backend}/${server}`))
      .map(([server]) => `HAProxy has no server ${backend}/${server}`),
  );
}
