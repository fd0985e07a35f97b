import { relative, resolve } from 'node:path';
import { nodeNameProblem, type Door } from '@ha-postgres/cluster-state';
import { leaseTimesProblems, type LeaseTimes } from '@ha-postgres/consul-election';
import type { Policy } from '@ha-postgres/failover';
import { defineOptions, type ConfigOf } from '@ha-postgres/service-kit';

const DOOR = '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s,:]+):[0-9]{1,5}$';

export const options = defineOptions({
  node: {
    type: 'string',
    required: true,
    description: "this node's name, unique in the cluster; a number at its end is its slot in the load balancer",
  },
  host: {
    type: 'string',
    required: true,
    description: 'name or address at which the other nodes and the load balancers reach this node',
  },
  postgresPort: { type: 'port', default: 5432, description: 'port of PostgreSQL' },
  apiPort: { type: 'port', default: 8080, description: "port of this node's role-server" },
  postgresHost: {
    type: 'string',
    default: '127.0.0.1',
    description: 'where this controller connects to its own PostgreSQL',
  },
  socket: { type: 'string', required: true, description: 'unix socket on which role-server asks for the state' },
  stateDir: {
    type: 'string',
    required: true,
    description: 'directory for what must survive a restart; outside the data directory',
  },
  dataDir: {
    type: 'string',
    required: true,
    description: "PostgreSQL's data directory: what the second fence kills is found by it",
  },
  clusterSecret: { type: 'secret', required: true, description: 'signs what nodes say to each other' },
  controllerName: { type: 'string', default: 'controller', description: 'database role of this controller' },
  controllerPassword: { type: 'secret', required: true, description: 'its password' },
  database: { type: 'string', default: 'postgres', description: 'database that it connects to' },
  consulPrefix: {
    type: 'string',
    default: 'service/postgres',
    pattern: '^[^/].*[^/]$',
    description: "prefix of the cluster's keys in Consul",
  },
  consulService: { type: 'string', default: 'postgres', description: 'name of the service in Consul' },
  consulServers: {
    type: 'list',
    default: [],
    description:
      'HTTP addresses of the Consul servers, asked when the agent does not answer; those of the catalog are added',
  },
  heartbeatInterval: {
    type: 'duration',
    default: '500ms',
    minimum: '50ms',
    description: 'how often the Master renews its lease',
  },
  leaseDuration: {
    type: 'duration',
    default: '3s',
    minimum: '500ms',
    description: 'how long a renewal gives the right to take writes, from when it was sent',
  },
  driftMargin: {
    type: 'duration',
    default: '300ms',
    minimum: '10ms',
    description: "how far two nodes' clocks may drift apart within a lease",
  },
  fenceTime: {
    type: 'duration',
    default: '700ms',
    minimum: '100ms',
    description: 'how long before the end of its lease a Master begins to stop PostgreSQL',
  },
  unansweredLimit: {
    type: 'duration',
    default: '300ms',
    minimum: '50ms',
    description: 'how long a renewal may stay unanswered before Consul servers and members are asked',
  },
  promoteTimeout: {
    type: 'duration',
    default: '20s',
    minimum: '1s',
    description: 'how long a promotion may take, after the 2 s for votes, before it is given up',
  },
  coldStartWait: {
    type: 'duration',
    default: '30s',
    minimum: 0,
    description: 'how long the last Master is waited for after the whole cluster was started anew',
  },
  checkInterval: {
    type: 'duration',
    default: '1s',
    minimum: '100ms',
    description: 'how often PostgreSQL is checked by a new connection',
  },
  connectTimeout: {
    type: 'duration',
    default: '1s',
    minimum: '50ms',
    description: 'limit for a connection to PostgreSQL',
  },
  queryTimeout: { type: 'duration', default: '1s', minimum: '50ms', description: 'limit for a query of a check' },
  aliveCheckFailureThreshold: {
    type: 'integer',
    default: 2,
    minimum: 1,
    description: 'failed alive checks in a row that mean PostgreSQL is dead',
  },
  standbyReplicationCheckFailureThreshold: {
    type: 'integer',
    default: 5,
    minimum: 1,
    description: 'checks in a row without streaming after which a Replica leaves the standby port',
  },
  storageTimeout: {
    type: 'duration',
    default: '10s',
    minimum: '1s',
    description: 'how long the disk may take no WAL while commits wait for it, before PostgreSQL counts as failed',
  },
  maximumLagOnFailover: {
    type: 'size',
    default: '1MiB',
    minimum: 0,
    description: 'a Replica further behind the last Master is not promoted',
  },
  replication: {
    type: 'enum',
    values: ['async', 'sync', 'quorum'],
    default: 'async',
    description:
      'who confirms a commit before its client is answered: nobody, synchronousReplicas chosen Replicas, or any so many of all',
  },
  synchronousReplicas: {
    type: 'integer',
    default: 1,
    minimum: 1,
    maximum: 32,
    description: 'how many Replicas confirm each commit in the modes sync and quorum',
  },
  dataDurability: {
    type: 'enum',
    values: ['strict', 'available'],
    default: 'strict',
    description: 'while too few Replicas stream: commits wait, or go on with fewer confirmations, down to none',
  },
  maximumLagOnRead: {
    type: 'size',
    optional: true,
    minimum: 1,
    description:
      'a Replica further behind the Master leaves the standby port, and comes back at half of it; absent: it stays',
  },
  rejoin: {
    type: 'enum',
    values: ['safe', 'always', 'never'],
    default: 'safe',
    description:
      "whether a node whose data has left the Master's history makes it follow by itself: unless commits are lost by it; always; never",
  },
  replicationVia: {
    type: 'enum',
    values: ['direct', 'lb'],
    default: 'direct',
    description: 'whether Replicas stream straight from the Master, or through the load balancers (asynchronous only)',
  },
  replicationAddress: {
    type: 'list',
    default: [],
    pattern: DOOR,
    description: "with replicationVia lb: host:port of the load balancers' replication listener, tried in this order",
  },
  noFailover: { type: 'boolean', default: false, description: 'this node is never promoted' },
  noLoadBalance: {
    type: 'boolean',
    default: false,
    description: 'as a Replica this node gets no clients of the standby port',
  },
  failoverPriority: {
    type: 'integer',
    default: 0,
    description: 'of two Replicas with the same data the higher one is promoted',
  },
  failpoints: {
    type: 'boolean',
    default: false,
    description: 'for tests: hold or kill the controller at named places by files in stateDir',
  },
});

export type ControllerConfig = ConfigOf<typeof options>;

export function leaseTimesOf(config: ControllerConfig): LeaseTimes {
  return {
    leaseDurationMs: config.leaseDuration,
    driftMarginMs: config.driftMargin,
    fenceTimeMs: config.fenceTime,
    heartbeatIntervalMs: config.heartbeatInterval,
  };
}

/** Without the runner's "stopped" so long after a stop was published, the controller kills by itself. */
const SECOND_FENCE_MS = 200;

export function policyOf(config: ControllerConfig): Policy {
  return {
    ...leaseTimesOf(config),
    unansweredLimitMs: config.unansweredLimit,
    promoteTimeoutMs: config.promoteTimeout,
    maximumLagOnFailoverBytes: config.maximumLagOnFailover,
    coldStartWaitMs: config.coldStartWait,
    secondFenceMs: SECOND_FENCE_MS,
    sync: { mode: config.replication, k: config.synchronousReplicas, durability: config.dataDurability },
    replicationDoors: config.replicationVia === 'lb' ? doorsOf(config) : [],
    tags: {
      noFailover: config.noFailover,
      noLoadBalance: config.noLoadBalance,
      failoverPriority: config.failoverPriority,
    },
    rejoin: config.rejoin,
  };
}

/** The load balancers by which Replicas stream, as they were given. */
function doorsOf({ replicationAddress }: ControllerConfig): Door[] {
  return replicationAddress.map((text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) };
  });
}

/** How long the members have to agree to failsafe. */
export const FAILSAFE_TIME_MS = 200;

/** Numbers that must agree, checked together, each with its reason. */
export function rules(config: ControllerConfig): string[] {
  const name = nodeNameProblem(config.node);
  const problems = [...leaseTimesProblems(leaseTimesOf(config))];
  if (config.fenceTime < 2 * SECOND_FENCE_MS) {
    problems.push(
      `fenceTime ${config.fenceTime} ms is too short: the second fence begins after ${SECOND_FENCE_MS} ms and needs as long again`,
    );
  }
  if (config.unansweredLimit + FAILSAFE_TIME_MS + config.fenceTime > config.leaseDuration) {
    problems.push(
      `unansweredLimit ${config.unansweredLimit} ms + ${FAILSAFE_TIME_MS} ms to ask the members + fenceTime ${config.fenceTime} ms must not exceed leaseDuration ${config.leaseDuration} ms: failsafe would come too late`,
    );
  }
  if (!relative(resolve(config.dataDir), resolve(config.stateDir)).startsWith('..')) {
    problems.push(
      `stateDir ${config.stateDir} must lie outside dataDir ${config.dataDir}: a base backup or pg_rewind would copy another node's promises`,
    );
  }
  return [...(name === null ? [] : [name]), ...problems, ...replicationProblems(config), ...wayProblems(config)];
}

/** The way of the WAL must be there, and fit what commits wait for. */
function wayProblems(config: ControllerConfig): string[] {
  const { replicationVia, replicationAddress, replication } = config;
  if (replicationVia === 'direct') return [];
  const problems: string[] = [];
  if (replication !== 'async')
    problems.push(
      `replicationVia lb and replication ${replication} contradict each other: every commit would wait for the load balancer as well, and stop with it although Master and Replicas are well; set replicationVia to direct, or replication to async`,
    );
  if (replicationAddress.length === 0)
    problems.push('replicationVia lb needs replicationAddress: where the load balancers let Replicas in');
  const wrong = doorsOf(config).find(({ port }) => port < 1 || port > 65_535);
  if (wrong !== undefined)
    problems.push(`replicationAddress ${wrong.host}:${wrong.port}: a port is a number from 1 to 65535`);
  return problems;
}

/** What is promised must be what is asked for. */
function replicationProblems({ replication, synchronousReplicas, dataDurability }: ControllerConfig): string[] {
  if (replication !== 'async') return [];
  const problems: string[] = [];
  if (synchronousReplicas !== 1)
    problems.push(
      `synchronousReplicas ${synchronousReplicas} asks for confirmed commits, but replication is async: none is confirmed; set replication to sync or quorum`,
    );
  if (dataDurability !== 'strict')
    problems.push(
      `dataDurability ${dataDurability} says what happens when too few Replicas confirm, but replication is async: none does; set replication to sync or quorum`,
    );
  return problems;
}
