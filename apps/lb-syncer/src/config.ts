import { clusterKeys } from '@ha-postgres/cluster-state';
import { defineOptions, type ConfigOf } from '@ha-postgres/service-kit';
import { QUIET_WAIT_MS } from './consul-watches';
import { parseHaproxyAddress } from './haproxy-address';

const BACKEND = '^[A-Za-z0-9_.:-]+$';

export const options = defineOptions({
  name: {
    type: 'string',
    optional: true,
    pattern: '^[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$',
    description: 'this load balancer among the others, in the key lb/<name>/status; absent: the host name',
  },
  consulPrefix: { type: 'string', default: 'service/postgres', description: "prefix of the cluster's keys in Consul" },
  consulService: {
    type: 'string',
    default: 'postgres',
    description: 'name of the service whose passing instances are standbys',
  },
  haproxyAddress: {
    type: 'string',
    default: '127.0.0.1:9998',
    description: "HAProxy's Runtime API with level admin: host:port, or the path of a unix socket",
  },
  masterBackend: {
    type: 'string',
    default: 'master',
    pattern: BACKEND,
    description: 'backend whose server master0 leads to the Master',
  },
  standbyBackend: {
    type: 'string',
    default: 'standby',
    pattern: BACKEND,
    description:
      'backend whose servers standby0, standby1, … lead to the Replicas, by the number at the end of their names',
  },
  replicationBackend: {
    type: 'string',
    optional: true,
    pattern: BACKEND,
    description:
      'backend whose server replication0 leads Replicas to the Master until it has released the key; absent: none',
  },
  hold: {
    type: 'enum',
    values: ['switchover', 'always', 'never'],
    default: 'switchover',
    description: 'when new clients of the master port wait for the next Master instead of being refused',
  },
  holdTimeout: {
    type: 'duration',
    default: '10s',
    minimum: '100ms',
    maximum: '5m',
    description: "how long they wait at most; HAProxy's `timeout queue` must be longer",
  },
  holdAddress: {
    type: 'string',
    default: '127.0.0.1:9997',
    description: 'the bind of the plug by which they wait: host:port of this machine, or the path of a unix socket',
  },
  host: { type: 'string', default: '0.0.0.0', description: 'address on which /healthz and /metrics are served' },
  port: { type: 'port', default: 8080, description: 'port on which /healthz and /metrics are served' },
  pollInterval: {
    type: 'duration',
    default: '1s',
    minimum: '10ms',
    maximum: '1m',
    description:
      'how often HAProxy is looked at while nothing changes; a killed one is noticed at once, a reloaded one by this',
  },
  consulSilenceMax: {
    type: 'duration',
    default: '30s',
    minimum: '1s',
    description: '/healthz fails when Consul has not answered for longer; routes stay',
  },
  haproxySilenceMax: {
    type: 'duration',
    default: '5s',
    minimum: '1s',
    description: '/healthz fails when HAProxy has not answered for longer',
  },
});

export type Config = ConfigOf<typeof options>;

function problemOf(check: () => unknown): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Consul may answer a quiet query by a sixteenth later than asked; the rest is for the way. */
const CONSUL_SILENCE_LEAST_MS = (QUIET_WAIT_MS * 17) / 16 + 1000;

/** What is wrong between options, or with one that only its reader can judge. */
export function configRules(config: Config): string[] {
  const backends = [config.masterBackend, config.standbyBackend, config.replicationBackend].filter(
    (backend) => backend !== undefined,
  );
  return [
    ...problemOf(() => parseHaproxyAddress(config.haproxyAddress)),
    ...problemOf(() => parseHaproxyAddress(config.holdAddress)),
    ...problemOf(() => clusterKeys(config.consulPrefix)),
    ...(new Set(backends).size < backends.length ? [`backends must differ: ${backends.join(', ')}`] : []),
    ...(config.consulSilenceMax < CONSUL_SILENCE_LEAST_MS
      ? [
          `consulSilenceMax ${config.consulSilenceMax} ms must be at least ${CONSUL_SILENCE_LEAST_MS} ms: a quiet Consul answers only so often`,
        ]
      : []),
    ...(config.haproxySilenceMax <= config.pollInterval
      ? [
          `haproxySilenceMax ${config.haproxySilenceMax} ms must be longer than pollInterval ${config.pollInterval} ms: HAProxy is asked only so often`,
        ]
      : []),
  ];
}
