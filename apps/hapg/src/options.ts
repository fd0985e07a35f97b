import { defineOptions, type ConfigOf } from '@ha-postgres/service-kit';

/** What every command takes; Consul itself is found by the variables of its own tools (`CONSUL_HTTP_ADDR` and the others). */
export const options = defineOptions({
  consulPrefix: {
    type: 'string',
    default: 'service/postgres',
    pattern: '^[^/].*[^/]$',
    description: "prefix of the cluster's keys in Consul",
  },
  consulService: { type: 'string', default: 'postgres', description: 'name of the service in Consul' },
  roleServers: {
    type: 'list',
    default: [],
    pattern: '^[^:/]+:[0-9]{1,5}$',
    description: 'role-servers to ask as well, as HOST:PORT: nodes that Consul does not name (any more)',
  },
  requestTimeout: {
    type: 'duration',
    default: '2s',
    minimum: '100ms',
    maximum: '1m',
    description: 'limit for one question to Consul or to a node',
  },
});

export type GlobalConfig = ConfigOf<typeof options>;
