import type { ClusterDescription } from '@ha-postgres/checker';
import type { ClusterToSettle } from '../settled';

/** What the demo looks at and writes to, at the addresses that lead there from here. A local cluster's `ClusterFile` is one. */
export interface Whereabouts extends ClusterDescription, ClusterToSettle {
  readonly consul: ClusterDescription['consul'] & { readonly http: string };
  readonly nodes: readonly ShownNode[];
  readonly loadBalancers: readonly ShownLoadBalancer[];
  readonly users: ClusterToSettle['users'];
}

export type ShownNode = ClusterToSettle['nodes'][number] & {
  readonly address: string;
  readonly postgresPort: number;
  /** Where load balancers send connections, if that is another address than the one from here; null: nobody knows. */
  readonly routedTo?: { readonly address: string; readonly port: number } | null;
};

export type ShownLoadBalancer = ClusterToSettle['loadBalancers'][number] & {
  /** HAProxy's Runtime API; it need not be the level that changes things. */
  readonly adminPort: number;
};

/** Something that happened to a member of the cluster, or to one of its processes. */
export interface ShownEvent {
  readonly event: string;
  readonly member: string;
  readonly process?: string;
  readonly text: string;
}

/** A cluster that runs, as the demo sees it. */
export interface ShownCluster {
  describe(): Whereabouts;
  onEvent(listener: (event: ShownEvent) => void): void;
}
