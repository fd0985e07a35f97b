import { hostOf, type ConsulPlace, type Layout } from './layout';

export interface ConsulIdentity extends ConsulPlace {
  readonly name: string;
  readonly dir: string;
  readonly isServer: boolean;
}

/**
 * The configuration of one Consul process of a local cluster. `raft_multiplier` 1 makes a new leader in about 3 s instead
 * of 15; gossip on loopback may be quicker than its defaults for real networks.
 */
export function consulConfig(layout: Layout, identity: ConsulIdentity, version: ConsulVersion): object {
  const host = hostOf(layout, identity.name);
  const isNew = version.major > 1 || version.minor >= 14;
  return {
    node_name: identity.name,
    datacenter: 'dc1',
    data_dir: `${identity.dir}/consul`,
    bind_addr: host,
    client_addr: host,
    server: identity.isServer,
    // The catalogue names only the servers' RPC port; by this the services find their HTTP port as well.
    node_meta: { http_port: String(identity.httpPort) },
    ...(identity.isServer ? { bootstrap_expect: layout.servers.length } : {}),
    retry_join: layout.servers.map((server) => `${hostOf(layout, server.name)}:${server.gossipPort}`),
    retry_interval: '1s',
    ports: {
      http: identity.httpPort,
      server: identity.serverPort,
      serf_lan: identity.gossipPort,
      serf_wan: -1,
      dns: -1,
      grpc: -1,
      ...(isNew ? { grpc_tls: -1 } : {}),
    },
    performance: { raft_multiplier: 1 },
    gossip_lan: { probe_interval: '500ms', probe_timeout: '250ms', suspicion_mult: 3 },
    // A restarted agent must not take its node, and the services registered on it, out of the catalogue.
    leave_on_terminate: false,
    skip_leave_on_interrupt: true,
    disable_update_check: true,
    log_level: 'INFO',
  };
}

export interface ConsulVersion {
  readonly major: number;
  readonly minor: number;
}

/**
 * Reads the first line of `consul version` (`Consul v1.8.7`).
 * @throws Error if it names no version.
 */
export function parseConsulVersion(output: string): ConsulVersion {
  const match = /v(\d+)\.(\d+)/.exec(output);
  if (match === null)
    throw new Error(`no version in the output of consul version: ${JSON.stringify(output.slice(0, 80))}`);
  return { major: Number(match[1]), minor: Number(match[2]) };
}
