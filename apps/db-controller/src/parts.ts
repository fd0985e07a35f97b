import type { ClusterKeys, NodeAddress } from '@ha-postgres/cluster-state';
import type { LeaseTimes } from '@ha-postgres/consul-election';
import type { Policy } from '@ha-postgres/failover';
import type { Log, Millis } from '@ha-postgres/service-kit';
import type { ControllerConfig } from './config';
import type { Disk } from './disk';
import type { Facts } from './facts';
import type { ConsulView } from './observe/consul-view';
import type { Machine } from './machine';
import type { PostgresView } from './observe/postgres-view';
import type { ControllerConsul, PeersPort, PostgresPort, ProcessesPort, WalPort } from './ports';
import type { Publisher } from './tell/publisher';

/** Everything that a controller is made of, for those who act. */
export interface Parts extends Machine {
  readonly config: ControllerConfig;
  readonly self: NodeAddress;
  readonly keys: ClusterKeys;
  readonly times: LeaseTimes;
  readonly policy: Policy;
  /** When this controller began. */
  readonly startedAt: Millis;
  /** New at every start, and unlike that of any other controller. */
  readonly incarnation: string;
  readonly client: ControllerConsul;
  /** For connections beside the held one, which `postgres` has. */
  readonly server: PostgresPort;
  readonly processes: ProcessesPort;
  readonly wal: WalPort;
  readonly disk: Disk;
  readonly facts: Facts;
  readonly consul: ConsulView;
  readonly postgres: PostgresView;
  readonly publisher: Publisher;
  readonly peers: PeersPort;
  readonly log: Log;
  /** Something was learnt: decide again soon. */
  readonly poke: () => void;
  /** A program error that must not go on: fence and exit. */
  readonly fail: (error: unknown) => void;
}
