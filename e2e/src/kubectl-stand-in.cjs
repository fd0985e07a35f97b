// kubectl as tools/demo --kubernetes calls it, over a local cluster: what the chart would have made of it is told by `get`, a pod is all
// processes of a node, and what stands on ports of the chart is reached at those of the local cluster.
//
// CLUSTER_FILE: its cluster.json, whose nodes are called ha-postgres-0 and so on. ROOT: the workspace.
'use strict';
const { execFileSync, spawnSync } = require('node:child_process');
const { readFileSync } = require('node:fs');
const { connect, createServer } = require('node:net');
const { dirname, join } = require('node:path');

const cluster = JSON.parse(readFileSync(process.env.CLUSTER_FILE, 'utf8'));
const [lb] = cluster.loadBalancers;
const { superuser } = cluster.users;
const given = process.argv.slice(2).filter((argument) => !/^--(?:context|namespace)=/.test(argument));
const [command, ...rest] = given;
const COMMANDS = { get, exec, delete: deletePod, 'port-forward': portForward };
COMMANDS[command](...rest);

function get(what, ...flags) {
  const answers = {
    'statefulsets,deployments,services': installation,
    pods: () => ({
      items: [...cluster.nodes.map((node) => pod(node, 'db')), ...cluster.loadBalancers.map((one) => pod(one, 'lb'))],
    }),
    secret: () => ({ data: { [`of-${flags[0]}`]: Buffer.from(superuser.password).toString('base64') } }),
  };
  process.stdout.write(JSON.stringify(answers[what]()));
}

function installation() {
  const container = (name, ports, env = []) => ({
    name,
    env,
    ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })),
  });
  const workload = (kind, name, replicas, containers) => ({
    kind,
    metadata: { name },
    spec: { replicas, template: { spec: { containers } } },
  });
  return {
    items: [
      workload('StatefulSet', 'consul', 1, []),
      workload('StatefulSet', 'ha-postgres', cluster.nodes.length, [
        container('postgres', { postgres: 5432 }, [
          { name: 'HAPG_SUPERUSER_NAME', value: superuser.name },
          {
            name: 'HAPG_SUPERUSER_PASSWORD',
            valueFrom: { secretKeyRef: { name: 'passwords', key: 'of-passwords' } },
          },
        ]),
        container('role-server', { api: 8080 }),
        container('controller', {}, [{ name: 'HAPG_CONSUL_PREFIX', value: cluster.consul.prefix }]),
      ]),
      workload('Deployment', 'postgres-lb', cluster.loadBalancers.length, [container('haproxy', { stats: 9999 })]),
      {
        kind: 'Service',
        metadata: { name: 'postgres' },
        spec: {
          ports: [
            { name: 'master', port: 5432 },
            { name: 'standby', port: 5433 },
          ],
        },
      },
    ],
  };
}

/** Its Consul agent is started anew with the whole node only, and is what a pod is told by here. */
function pod({ name, address, processes }, component) {
  return {
    metadata: { name, uid: `${name}/${processes.consul}`, labels: { 'app.kubernetes.io/component': component } },
    status: { podIP: address },
  };
}

function exec(name, container, dashes, ...typed) {
  if (container !== '--container=postgres' || dashes !== '--') throw new Error(`exec ${given.join(' ')}`);
  const node = nodeOf(name);
  const [program, ...args] = typed;
  const env = {
    ...process.env,
    HAPG_DATA_DIR: node.dataDir,
    CONSUL_HTTP_ADDR: node.consulHttp,
    HAPG_CONSUL_PREFIX: cluster.consul.prefix,
  };
  const here = program === 'hapg' ? [process.execPath, app('hapg', 'main'), ...args] : typed;
  const { status } = spawnSync(here[0], here.slice(1), { env, stdio: ['ignore', 'inherit', 'inherit'] });
  process.exitCode = status ?? 1;
}

function deletePod(kind, name, ...flags) {
  const isForced = flags.includes('--force') && flags.includes('--grace-period=0');
  if (kind !== 'pod' || !isForced || !flags.includes('--wait=false')) throw new Error(`delete ${given.join(' ')}`);
  nodeOf(name);
  const drive = (...args) =>
    execFileSync(process.execPath, [join(process.env.ROOT, 'tools', 'local-cluster', 'dist', 'cluster.js'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  const workdir = dirname(process.env.CLUSTER_FILE);
  drive('kill', name, '--workdir', workdir);
  drive('start', name, '--workdir', workdir);
}

/** As the real one, it ends when a connection breaks behind it. */
function portForward(address, target, ports) {
  if (address !== '--address=127.0.0.1') throw new Error(address);
  const [local, remote] = ports.split(':').map(Number);
  const place = placeBehind(target, remote);
  const server = createServer((client) => {
    const inside = connect(place);
    client.pipe(inside);
    inside.pipe(client);
    client.on('error', () => inside.destroy());
    inside.on('error', (error) => {
      process.stderr.write(`error: lost connection to pod: ${error.message}\n`);
      process.exit(1);
    });
  });
  server.listen(local, '127.0.0.1', () =>
    process.stdout.write(`Forwarding from 127.0.0.1:${local} -> ${place.port}\n`),
  );
}

function placeBehind(target, port) {
  const [kind, name] = target.split('/');
  if (kind === 'pod') {
    const node = nodeOf(name);
    const api = new URL(node.roleServerUrl);
    return {
      5432: { host: node.address, port: node.postgresPort },
      8080: { host: api.hostname, port: Number(api.port) },
    }[port];
  }
  const consul = new URL(cluster.consul.http);
  return {
    'service/consul:8500': { host: consul.hostname, port: Number(consul.port) },
    'service/postgres:5432': { host: lb.address, port: lb.masterPort },
    'service/postgres:5433': { host: lb.address, port: lb.standbyPort },
    'deployment/postgres-lb:9999': { host: lb.address, port: lb.adminPort },
  }[`${target}:${port}`];
}

function nodeOf(name) {
  const node = cluster.nodes.find((one) => one.name === name);
  if (node === undefined) {
    process.stderr.write(`Error from server (NotFound): pods "${name}" not found\n`);
    process.exit(1);
  }
  return node;
}

function app(name, entry) {
  return join(process.env.ROOT, 'apps', name, 'dist', `${entry}.js`);
}
