import type { MasterValue, Role } from '@ha-postgres/cluster-state';

/** A fact of Consul: not told yet, or as the last good answer had it. An error never makes a fact unknown or empty again. */
export type Told<T> = { readonly told: false } | { readonly told: true; readonly value: T };

export const UNTOLD: Told<never> = { told: false };

/** Key `master`. */
export interface MasterSight {
  /** ModifyIndex of the value; 0 if there is no such key. */
  readonly index: number;
  /** The session that holds the key, null if nobody does. */
  readonly session: string | null;
  /** Null if there is no key, or none that can be believed. */
  readonly value: MasterValue | null;
}

/** An instance of service `postgres` whose checks all pass. */
export interface Instance {
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Of its role-server. */
  readonly apiPort: number;
  /** It is to get no clients of the standby port. */
  readonly noLoadBalance: boolean;
}

/** What Consul has told of the cluster. */
export interface ClusterView {
  readonly master: Told<MasterSight>;
  readonly instances: Told<readonly Instance[]>;
  /** By node; a node that is missing has not been told of yet, null is a node without a (readable) role. */
  readonly roles: ReadonlyMap<string, Role | null>;
}

export const NOTHING_TOLD: ClusterView = { master: UNTOLD, instances: UNTOLD, roles: new Map() };
