import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './atomic-file';
import { isFreeSubnet, requireNamespaces } from './network/ip';
import { addressOf, newNetworkPlace, type NetworkPlace } from './network/place';
import type { ClusterOptions } from './options';
import { freePorts } from './ports';

/** A Consul process: a server, or the agent of a node or load balancer. */
export interface ConsulPlace {
  readonly httpPort: number;
  readonly serverPort: number;
  readonly gossipPort: number;
}

export interface ServerPlace extends ConsulPlace {
  readonly name: string;
  readonly dir: string;
}

export interface NodePlace {
  readonly name: string;
  readonly dir: string;
  readonly dataDir: string;
  readonly postgresPort: number;
  readonly apiPort: number;
  readonly controllerSocket: string;
  readonly agent: ConsulPlace;
  /** Options of this node's services beside those of all. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface LoadBalancerPlace {
  readonly name: string;
  readonly dir: string;
  readonly masterPort: number;
  readonly standbyPort: number;
  /** By which Replicas stream with `replicationVia=lb`. */
  readonly replicationPort: number;
  readonly adminPort: number;
  readonly statsPort: number;
  /** lb-syncer's own `/healthz` and `/metrics`. */
  readonly syncerPort: number;
  readonly agent: ConsulPlace;
}

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Where everything of a cluster is: written once, so that a cluster brought up again finds its data, ports and passwords. */
export interface Layout {
  readonly workdir: string;
  /** Where all members listen, unless they have a network of their own: see `hostOf`. */
  readonly host: string;
  /** Set if every member lives in a network namespace of its own. */
  readonly network?: NetworkPlace;
  readonly logs: string;
  readonly consulPrefix: string;
  readonly clusterSecret: string;
  readonly users: {
    readonly superuser: User;
    readonly replication: User;
    readonly controller: User;
    /** None in a work directory of an older version: what diverged is copied there, not rewound. */
    readonly rewind?: User;
  };
  readonly servers: readonly ServerPlace[];
  readonly nodes: readonly NodePlace[];
  readonly loadBalancers: readonly LoadBalancerPlace[];
}

/** Longest path of a unix socket that every system takes (104 bytes on macOS, 108 on Linux, with the final zero). */
const SOCKET_PATH_MAX = 103;
const PORTS_OF_NODE = 5;
/** Names of members end with one digit. */
export const NODES_MAX = 9;
const PORTS_OF_LOAD_BALANCER = 9;

/** The layout that is kept in the work directory, or a new one for `options`, written there. */
export async function openLayout(options: ClusterOptions): Promise<Layout> {
  mkdirSync(options.workdir, { recursive: true, mode: 0o755 });
  const file = join(realpathSync(options.workdir), 'layout.json');
  if (options.netns === true) requireNamespaces();
  const kept = readLayout(file);
  if (kept !== null) return asKept(kept, options);
  const layout = await makeLayout({ ...options, workdir: realpathSync(options.workdir) });
  writeLayout(layout);
  return layout;
}

/** Keeps the layout in its work directory. It holds passwords: for its owner only. */
export function writeLayout(layout: Layout): void {
  refuseLongPaths(layout);
  replaceFile(join(layout.workdir, 'layout.json'), `${JSON.stringify(layout, null, 2)}\n`, 0o600);
}

/** Where a node is, with a port from `port` for each of its doors. */
export function nodePlace(workdir: string, name: string, port: () => number): NodePlace {
  return {
    name,
    dir: join(workdir, name),
    dataDir: join(workdir, name, 'data'),
    postgresPort: port(),
    apiPort: port(),
    controllerSocket: join(workdir, name, 'controller.sock'),
    agent: consulPlace(port),
  };
}

function consulPlace(port: () => number): ConsulPlace {
  return { httpPort: port(), serverPort: port(), gossipPort: port() };
}

/** The address at which others reach a member. */
export function hostOf({ network, host }: Layout, member: string): string {
  return network === undefined ? host : addressOf(network, member);
}

/** @throws Error if the cluster is wanted in namespaces, and its members have addresses outside of them already. */
function asKept(kept: Layout, options: ClusterOptions): Layout {
  if (options.netns === true && kept.network === undefined)
    throw new Error(
      `the cluster in ${kept.workdir} was made without --netns, and its nodes know each other by other addresses`,
    );
  if (kept.network !== undefined) requireNamespaces();
  return kept;
}

function readLayout(file: string): Layout | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Layout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function makeLayout(options: ClusterOptions): Promise<Layout> {
  const { workdir, nodes, loadBalancers, consulServers } = options;
  const ports = await freePorts(consulServers * 3 + nodes * PORTS_OF_NODE + loadBalancers * PORTS_OF_LOAD_BALANCER);
  const port = () => ports.pop() ?? 0;
  const password = () => randomBytes(12).toString('hex');
  return {
    workdir,
    host: '127.0.0.1',
    ...(options.netns === true ? { network: newNetworkPlace(isFreeSubnet) } : {}),
    logs: join(workdir, 'logs'),
    consulPrefix: 'service/postgres',
    clusterSecret: randomBytes(24).toString('hex'),
    users: {
      superuser: { name: 'postgres', password: password() },
      replication: { name: 'replicator', password: password() },
      controller: { name: 'controller', password: password() },
      rewind: { name: 'rewinder', password: password() },
    },
    servers: names('consul', consulServers).map((name) => ({ name, dir: join(workdir, name), ...consulPlace(port) })),
    nodes: names(options.nodePrefix ?? 'node', nodes).map((name) => nodePlace(workdir, name, port)),
    loadBalancers: names('lb', loadBalancers).map((name) => ({
      name,
      dir: join(workdir, name),
      masterPort: port(),
      standbyPort: port(),
      replicationPort: port(),
      adminPort: port(),
      statsPort: port(),
      syncerPort: port(),
      agent: consulPlace(port),
    })),
  };
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, ordinal) => `${prefix}${ordinal}`);
}

function refuseLongPaths(layout: Layout): void {
  const longest = layout.nodes
    .map((node) => node.controllerSocket)
    .find((path) => Buffer.byteLength(path) > SOCKET_PATH_MAX);
  if (longest !== undefined) {
    throw new RangeError(
      `work directory ${layout.workdir} is too deep: ${longest} is longer than the ${SOCKET_PATH_MAX} bytes of a socket's path; give a shorter --workdir`,
    );
  }
}
