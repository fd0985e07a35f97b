import type { MasterValue, Role } from '@ha-postgres/cluster-state';
import type { ClusterView, Instance } from '../cluster-view';
import type { BackendNames } from '../plan-backends';

export const BACKENDS: BackendNames = { master: 'master', standby: 'standby', replication: 'replication' };

export const SERVERS = [
  'master/master0',
  'master/hold',
  'replication/replication0',
  ...[0, 1, 2, 3].map((n) => `standby/standby${n}`),
];

export const instance = (ordinal: number, over: Partial<Instance> = {}): Instance => ({
  node: `pg-${ordinal}`,
  host: `10.0.0.${ordinal + 1}`,
  port: 5432,
  apiPort: 8080,
  noLoadBalance: false,
  ...over,
});

export const masterValue = (ordinal: number, over: Partial<MasterValue> = {}): MasterValue => ({
  ...instance(ordinal),
  term: 1,
  beat: 1,
  phase: 'running',
  timeline: 1,
  lsn: '0/3000000',
  lsnExact: false,
  released: false,
  successor: null,
  last: null,
  ...over,
});

/** A settled cluster of three: pg-0 is the Master. */
export function view(over: Partial<ClusterView> = {}): ClusterView {
  return {
    master: { told: true, value: { index: 7, session: 's1', value: masterValue(0) } },
    instances: { told: true, value: [instance(0), instance(1), instance(2)] },
    roles: new Map<string, Role | null>([
      ['pg-0', 'Master'],
      ['pg-1', 'Replica'],
      ['pg-2', 'Replica'],
    ]),
    ...over,
  };
}

export const held = (value: MasterValue | null, session: string | null = 's1'): ClusterView['master'] => ({
  told: true,
  value: { index: 7, session, value },
});
