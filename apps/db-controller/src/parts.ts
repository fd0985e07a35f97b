import type { ClusterKeys, NodeAddress } from '@ha-postgres/cluster-state';
import type { ConsulClient, LeaseTimes } from '@ha-postgres/consul-election';
import type { Policy } from '@ha-postgres/failover';
import type { ConnectionTarget } from '@ha-postgres/pg-health';
import type { Log } from '@ha-postgres/service-kit';
import type { ControllerConfig } from './config';
import type { Disk } from './disk';
import type { Facts } from './facts';
import type { ConsulView } from './observe/consul-view';
import type { PostgresView } from './observe/postgres-view';
import type { Peers } from './peers';
import type { Publisher } from './tell/publisher';

/** Everything that main.ts wired, for those who act. */
export interface Parts {
  readonly config: ControllerConfig;
  readonly self: NodeAddress;
  readonly keys: ClusterKeys;
  readonly times: LeaseTimes;
  readonly policy: Policy;
  readonly target: ConnectionTarget;
  readonly client: ConsulClient;
  readonly disk: Disk;
  readonly facts: Facts;
  readonly consul: ConsulView;
  readonly postgres: PostgresView;
  readonly publisher: Publisher;
  readonly peers: Peers;
  readonly log: Log;
  /** Something was learnt: decide again soon. */
  readonly poke: () => void;
  /** A program error that must not go on: fence and exit. */
  readonly fail: (error: unknown) => void;
}
