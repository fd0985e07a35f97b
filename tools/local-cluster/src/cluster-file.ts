import type { Role } from '@ha-postgres/cluster-state';
import { hostOf, type Layout, type User } from './layout';
import type { Link } from './network/links';
import { hubNamespace, namespaceOf } from './network/place';
import { consulUrl, roleServerUrl } from './process-specs';

type Pids = Record<string, number | null>;

/** `WORKDIR/cluster.json`: the current truth of a local cluster. A pid is null while that process does not run. */
export interface ClusterFile {
  readonly consul: {
    readonly http: string;
    readonly prefix: string;
    readonly servers: readonly { readonly name: string; readonly pid: number | null; readonly http: string }[];
  };
  readonly nodes: readonly ClusterNode[];
  readonly loadBalancers: readonly ClusterLoadBalancer[];
  readonly users: Layout['users'] & { readonly superuser: User };
  readonly clusterSecret: string;
  readonly workdir: string;
  readonly logs: string;
  /** Null: all members share this machine's network. */
  readonly network: {
    /** Network namespaces by member: `ip netns exec NAMESPACE COMMAND` runs something there. */
    readonly namespaces: Readonly<Record<string, string>>;
    /** The namespace between them. */
    readonly hub: string;
    /** Which ways are cut or slow now. */
    readonly faults: readonly Link[];
  } | null;
  /** The process that supervises all others, and where it takes commands. */
  readonly owner: { readonly pid: number; readonly control: string };
}

export interface ClusterNode {
  readonly name: string;
  readonly address: string;
  readonly postgresPort: number;
  readonly roleServerUrl: string;
  readonly dataDir: string;
  /** As its role-server answers; null: undecided or no answer. */
  readonly role: Role | null;
  readonly consulHttp: string;
  readonly controllerSocket: string;
  readonly processes: Pids;
}

export interface ClusterLoadBalancer {
  readonly name: string;
  readonly address: string;
  readonly masterPort: number;
  readonly standbyPort: number;
  readonly replicationPort: number;
  readonly adminPort: number;
  readonly statsPort: number;
  readonly syncerUrl: string;
  readonly consulHttp: string;
  readonly processes: Pids;
}

export interface Seen {
  pids(member: string): Pids;
  role(node: string): Role | null;
  faults(): readonly Link[];
}

/** Puts together what `cluster.json` says. */
export function describeCluster(layout: Layout, seen: Seen, owner: ClusterFile['owner']): ClusterFile {
  const servers = layout.servers.map((server) => ({
    name: server.name,
    pid: seen.pids(server.name).consul ?? null,
    http: consulUrl(layout, server.name, server),
  }));
  return {
    consul: { http: servers[0]?.http ?? '', prefix: layout.consulPrefix, servers },
    nodes: layout.nodes.map((node) => ({
      name: node.name,
      address: hostOf(layout, node.name),
      postgresPort: node.postgresPort,
      roleServerUrl: roleServerUrl(layout, node),
      dataDir: node.dataDir,
      role: seen.role(node.name),
      consulHttp: consulUrl(layout, node.name, node.agent),
      controllerSocket: node.controllerSocket,
      processes: seen.pids(node.name),
    })),
    loadBalancers: layout.loadBalancers.map((lb) => ({
      name: lb.name,
      address: hostOf(layout, lb.name),
      masterPort: lb.masterPort,
      standbyPort: lb.standbyPort,
      replicationPort: lb.replicationPort,
      adminPort: lb.adminPort,
      statsPort: lb.statsPort,
      syncerUrl: `http://${hostOf(layout, lb.name)}:${lb.syncerPort}`,
      consulHttp: consulUrl(layout, lb.name, lb.agent),
      processes: seen.pids(lb.name),
    })),
    users: layout.users,
    clusterSecret: layout.clusterSecret,
    workdir: layout.workdir,
    logs: layout.logs,
    network: describeNetwork(layout, seen),
    owner,
  };
}

function describeNetwork(layout: Layout, seen: Seen): ClusterFile['network'] {
  const { network, servers, nodes, loadBalancers } = layout;
  if (network === undefined) return null;
  const names = [...servers, ...nodes, ...loadBalancers].map(({ name }) => name);
  return {
    namespaces: Object.fromEntries(names.map((name) => [name, namespaceOf(network, name)])),
    hub: hubNamespace(network),
    faults: seen.faults(),
  };
}
