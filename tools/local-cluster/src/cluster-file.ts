import type { Role } from '@ha-postgres/cluster-state';
import type { Layout, User } from './layout';
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
  readonly adminPort: number;
  readonly statsPort: number;
  readonly syncerUrl: string;
  readonly consulHttp: string;
  readonly processes: Pids;
}

export interface Seen {
  pids(member: string): Pids;
  role(node: string): Role | null;
}

/** Puts together what `cluster.json` says. */
export function describeCluster(layout: Layout, seen: Seen, owner: ClusterFile['owner']): ClusterFile {
  const servers = layout.servers.map((server) => ({
    name: server.name,
    pid: seen.pids(server.name).consul ?? null,
    http: consulUrl(layout, server),
  }));
  return {
    consul: { http: servers[0]?.http ?? '', prefix: layout.consulPrefix, servers },
    nodes: layout.nodes.map((node) => ({
      name: node.name,
      address: layout.host,
      postgresPort: node.postgresPort,
      roleServerUrl: roleServerUrl(layout, node),
      dataDir: node.dataDir,
      role: seen.role(node.name),
      consulHttp: consulUrl(layout, node.agent),
      controllerSocket: node.controllerSocket,
      processes: seen.pids(node.name),
    })),
    loadBalancers: layout.loadBalancers.map((lb) => ({
      name: lb.name,
      address: layout.host,
      masterPort: lb.masterPort,
      standbyPort: lb.standbyPort,
      adminPort: lb.adminPort,
      statsPort: lb.statsPort,
      syncerUrl: `http://${layout.host}:${lb.syncerPort}`,
      consulHttp: consulUrl(layout, lb.agent),
      processes: seen.pids(lb.name),
    })),
    users: layout.users,
    clusterSecret: layout.clusterSecret,
    workdir: layout.workdir,
    logs: layout.logs,
    owner,
  };
}
