import type { Values } from './render';

/** Ways in which the chart is used: everything that it renders is checked with each of them. */
export const VALUE_SETS: Readonly<Record<string, Values>> = {
  defaults: {},
  'one node, one of everything': {
    db: { clusterSize: 1, podDisruptionBudget: { enabled: false } },
    lb: { clusterSize: 1, podDisruptionBudget: { enabled: false } },
    consul: { server: { clusterSize: 1, podDisruptionBudget: { enabled: false } } },
  },
  'five nodes, five Consul servers, four load balancers': {
    db: { clusterSize: 5 },
    lb: { clusterSize: 4, maxNumberOfStandbys: 20 },
    consul: { server: { clusterSize: 5 } },
  },
  'an external Consul with token and certificate': {
    consul: {
      external: {
        enabled: true,
        retryJoin: ['consul-a.example', 'consul-b.example:8301'],
        httpAddresses: ['https://consul-a.example:8501', 'https://consul-b.example:8501'],
        tokenSecret: 'consul-token',
        caSecret: 'consul-ca',
      },
      gossip: { existingSecret: 'their-gossip' },
    },
  },
  'an external Consul without any of that': {
    consul: { external: { enabled: true, retryJoin: ['10.0.0.9'] } },
  },
  'passwords that exist already': { db: { existingSecret: 'my-passwords' } },
  'passwords of the values': {
    db: { postgres: { users: { su: { name: 'root', password: 'x' }, replication: { name: 'rep', password: 'y' } } } },
  },
  'TLS, settings and lines of pg_hba.conf': {
    db: {
      postgres: {
        name: 'shop',
        tls: { secretName: 'pg-tls', required: true },
        settings: { max_connections: 1000000, shared_buffers: '256MB', log_connections: true, seq_page_cost: 1.5 },
        hba: ['hostssl all all 10.0.0.0/8 scram-sha-256'],
        options: { walLevel: 'logical', maxSlotWalKeepSize: '4GB' },
      },
    },
  },
  'quorum commit, never rejoining by itself': {
    db: {
      controller: { options: { replication: 'quorum', synchronousReplicas: 1, rejoin: 'never', leaseDuration: '5s' } },
      nodes: { '2': { noFailover: true, noLoadBalance: true }, '1': { failoverPriority: 5 } },
    },
  },
  'replication through the load balancers': { db: { controller: { options: { replicationVia: 'lb' } } } },
  'everything watched': {
    monitoring: {
      serviceMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '30s' },
      prometheusRule: { enabled: true, labels: { release: 'prometheus' }, lagBytesMax: 1000000000 },
    },
    networkPolicy: {
      metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      clientsFrom: [{ podSelector: {} }],
      postgresFrom: [{ podSelector: { matchLabels: { app: 'backup' } } }],
    },
  },
  'no network policy, deleted by hand': { networkPolicy: { enabled: false }, db: { updateStrategy: 'OnDelete' } },
  'particular machines': {
    imagePullSecrets: [{ name: 'registry' }],
    commonLabels: { team: 'storage' },
    db: {
      priorityClassName: 'databases',
      podAnnotations: { 'example.com/a': 'b' },
      nodeSelector: { disk: 'fast' },
      tolerations: [{ key: 'databases', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: { nodeAffinity: {} },
      topologySpread: { hosts: 'DoNotSchedule', zones: 'Off' },
      postgres: {
        storage: { size: '100Gi', className: 'fast' },
        extraEnv: [{ name: 'TZ', value: 'Europe/Berlin' }],
        resources: { limits: { memory: '4Gi' } },
      },
    },
    lb: { topologySpread: { hosts: 'Off', zones: 'Off' }, priorityClassName: 'databases' },
    consul: { server: { storage: { className: 'fast' }, extraEnv: [{ name: 'GOMAXPROCS', value: '2' }] } },
  },
  'a load balancer of the cloud, other ports': {
    lb: {
      masterDbPort: 6432,
      standbyDbPort: 6433,
      service: {
        type: 'LoadBalancer',
        annotations: { 'example.com/internal': 'true' },
        loadBalancerSourceRanges: ['10.0.0.0/8'],
      },
      haproxy: {
        statsPort: 7999,
        maxConnections: 5000000 / 10,
        threads: 8,
        timeouts: { connect: '1500ms', read: '2h', queue: '1m' },
      },
      syncer: { options: { hold: 'always', holdTimeout: '30s' } },
    },
  },
  'a seed to subscribe to': {
    db: {
      seedDb: { host: 'old.example', name: 'shop', user: 'seeder', password: 'p', publication: 'everything' },
      publishSeed: true,
      postgres: { name: 'shop', options: { walLevel: 'logical' } },
    },
  },
};
