import { defineOptions } from '@ha-postgres/service-kit';

export const options = defineOptions({
  node: { type: 'string', required: true, description: "this node's name" },
  host: { type: 'string', default: '0.0.0.0', description: 'the address to listen on' },
  port: { type: 'port', default: 8080, description: 'the port to listen on' },
  controllerSocket: { type: 'string', required: true, description: "path of db-controller's unix socket" },
  clusterSecret: {
    type: 'secret',
    required: true,
    description: 'signs what the nodes ask each other; the same on all',
  },
});
