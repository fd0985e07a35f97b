import type { ServerState, Stat } from '@ha-postgres/haproxy-runtime';

/** What HAProxy says of one server, as far as routing needs it. */
export interface ServerNow {
  readonly backend: string;
  readonly server: string;
  readonly host: string | undefined;
  readonly port: number;
  /** Null: the server is not checked. */
  readonly check: { readonly host: string | undefined; readonly port: number } | null;
  /** In forced maint: the state that we set. (Maint for other reasons is HAProxy's own, and not ours to end.) */
  readonly isResting: boolean;
  readonly isDraining: boolean;
  /** 0: led to by nobody but who is sent there by name. */
  readonly weight: number;
  readonly sessions: number;
}

const key = (backend: string, server: string): string => `${backend}/${server}`;

/** Joins `show servers state` and the servers of `show stat`. */
export function currentState(servers: readonly ServerState[], stats: readonly Stat[]): readonly ServerNow[] {
  const sessions = new Map(stats.map((stat) => [key(stat.proxy, stat.name), stat.currentSessions]));
  return servers.map((state) => ({
    backend: state.backend,
    server: state.server,
    host: state.address,
    port: state.port,
    check: state.checkConfigured ? { host: state.checkAddress, port: state.checkPort } : null,
    isResting: state.adminState.forcedMaint,
    isDraining: state.adminState.forcedDrain,
    weight: state.weight,
    sessions: sessions.get(key(state.backend, state.server)) ?? 0,
  }));
}
