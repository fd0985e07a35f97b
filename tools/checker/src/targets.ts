import { readFileSync } from 'node:fs';
import type { NodePlace } from './history';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Whom to write to, and how. */
export interface Targets {
  /** The load balancers' master ports: a client writes through each. */
  readonly masters: readonly Address[];
  /** The nodes' own addresses, for the prober; none: it does not probe, and cannot count writers. */
  readonly nodes: readonly NodePlace[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Where the terms are read; null: nodes are told apart by timelines alone. */
  readonly consul: ConsulPlace | null;
}

export interface ConsulPlace {
  /** Any of these answers for all: agents or servers. */
  readonly addresses: readonly string[];
  readonly prefix: string;
}

/** What of a local cluster's `cluster.json` the checker uses. */
export interface ClusterDescription {
  readonly consul: { readonly prefix: string; readonly servers: readonly { readonly http: string }[] };
  readonly nodes: readonly { readonly name: string; readonly address: string; readonly postgresPort: number }[];
  readonly loadBalancers: readonly { readonly address: string; readonly masterPort: number }[];
  readonly users: { readonly superuser: { readonly name: string; readonly password: string } };
}

/** All addresses of a local cluster. */
export function targetsOf({ consul, nodes, loadBalancers, users }: ClusterDescription): Targets {
  return {
    masters: loadBalancers.map(({ address, masterPort }) => ({ host: address, port: masterPort })),
    nodes: nodes.map(({ name, address, postgresPort }) => ({ name, host: address, port: postgresPort })),
    user: users.superuser.name,
    password: users.superuser.password,
    database: 'postgres',
    consul: { addresses: consul.servers.map(({ http }) => http), prefix: consul.prefix },
  };
}

/** Reads a `cluster.json`. @throws Error naming the file if it cannot be read or is none. */
export function readTargets(path: string): Targets {
  try {
    return targetsOf(JSON.parse(readFileSync(path, 'utf8')) as ClusterDescription);
  } catch (cause) {
    throw new Error(`${path} is not the cluster.json of a local cluster: ${(cause as Error).message}`, { cause });
  }
}

/** Reads `HOST:PORT`; an IPv6 address stands in brackets. @throws RangeError naming the text. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || !(port >= 1 && port <= 65_535)) throw new RangeError(`${JSON.stringify(text)}: give HOST:PORT`);
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Reads `NAME=HOST:PORT`. @throws RangeError naming the text. */
export function parseNode(text: string): NodePlace {
  const match = /^([^=\s]+)=(.+)$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new RangeError(`${JSON.stringify(text)}: give NAME=HOST:PORT`);
  }
  return { name: match[1], ...parseAddress(match[2]) };
}
