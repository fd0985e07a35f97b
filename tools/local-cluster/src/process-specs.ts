import { join } from 'node:path';
import { withOwnClock } from './clocks';
import { hostOf, type ConsulPlace, type Layout, type LoadBalancerPlace, type NodePlace } from './layout';
import { inNamespace } from './network/ip';
import { namespaceOf } from './network/place';
import { environmentName } from './options';
import type { ProcessSpec } from './supervised';
import type { Programs } from './workspace';

/** What a process is told, by the services' option names. */
type Settings = Readonly<Record<string, string | number>>;

export interface SpecContext {
  readonly layout: Layout;
  readonly programs: Programs;
  /** What every service is told beside its own options. */
  readonly settings: Readonly<Record<string, string>>;
  /** The user for PostgreSQL's programs, which refuse to run as root; null: as the user who runs the cluster. */
  readonly postgresUser: string | null;
  /** The library by which a node's processes see a wall clock of their own; without: they see the machine's. */
  readonly clockLibrary?: string | null;
}

/** The Consul process of a server, node or load balancer; its configuration file lies beside its data. */
export function consulSpec(context: SpecContext, name: string, dir: string): ProcessSpec {
  const command = context.programs.consul;
  const args = ['agent', `-config-file=${consulConfigFile(dir)}`];
  return specOf(context, { name, dir }, { name: 'consul', command, args, env: baseEnvironment() });
}

export function consulConfigFile(dir: string): string {
  return join(dir, 'consul.json');
}

/** The processes of a node, but for its Consul agent. */
export function nodeSpecs(context: SpecContext, node: NodePlace): ProcessSpec[] {
  const { layout, programs, postgresUser } = context;
  const { superuser, replication, controller, rewind } = layout.users;
  const host = hostOf(layout, node.name);
  const { loopback, every } = ownAddresses(layout, host);
  const service = (name: string, script: string, options: Settings) =>
    withOwnClock(
      context.clockLibrary ?? null,
      node,
      serviceSpec(context, node, name, script, { node: node.name, ...options }, node.settings),
    );
  return [
    service('role-server', programs.roleServer, {
      host: every,
      port: node.apiPort,
      controllerSocket: node.controllerSocket,
      clusterSecret: layout.clusterSecret,
    }),
    service('db-controller', programs.dbController, {
      host,
      postgresHost: loopback,
      postgresPort: node.postgresPort,
      apiPort: node.apiPort,
      socket: node.controllerSocket,
      stateDir: join(node.dir, 'controller'),
      dataDir: node.dataDir,
      clusterSecret: layout.clusterSecret,
      controllerName: controller.name,
      controllerPassword: controller.password,
      // Used with replicationVia=lb alone.
      replicationAddress: layout.loadBalancers
        .map((lb) => `${hostOf(layout, lb.name)}:${lb.replicationPort}`)
        .join(','),
      consulPrefix: layout.consulPrefix,
      consulServers: layout.servers.map((server) => consulUrl(layout, server.name, server)).join(','),
    }),
    service('postgres-runner', programs.postgresRunner, {
      dataDir: node.dataDir,
      stateDir: join(node.dir, 'runner'),
      socketDir: socketDir(node),
      binDir: programs.postgresBin,
      port: node.postgresPort,
      listenAddresses: every,
      roleServerUrl: `http://${loopback}:${node.apiPort}`,
      superuserName: superuser.name,
      superuserPassword: superuser.password,
      replicationName: replication.name,
      replicationPassword: replication.password,
      ...(rewind === undefined ? {} : { rewindName: rewind.name, rewindPassword: rewind.password }),
      controllerName: controller.name,
      controllerPassword: controller.password,
      ...(postgresUser === null ? {} : { user: postgresUser }),
    }),
  ];
}

/** The processes of a load balancer, but for its Consul agent. */
export function loadBalancerSpecs(context: SpecContext, lb: LoadBalancerPlace): ProcessSpec[] {
  const { layout, programs } = context;
  const host = hostOf(layout, lb.name);
  return [
    specOf(context, lb, {
      name: 'haproxy',
      command: programs.haproxy,
      // With a master process, as in the image: it is what reloads on SIGUSR2. When it is killed its worker ends as well.
      args: ['-W', '-db', '-f', haproxyConfigFile(lb)],
      env: baseEnvironment(),
    }),
    serviceSpec(context, lb, 'lb-syncer', programs.lbSyncer, {
      name: lb.name,
      consulPrefix: layout.consulPrefix,
      haproxyAddress: `${host}:${lb.adminPort}`,
      replicationBackend: 'replication',
      holdAddress: holdSocket(lb),
      host,
      port: lb.syncerPort,
    }),
  ];
}

export function haproxyConfigFile(lb: LoadBalancerPlace): string {
  return join(lb.dir, 'haproxy.cfg');
}

/** Where lb-syncer puts in the plug by which clients wait in a switchover. */
export function holdSocket(lb: LoadBalancerPlace): string {
  return join(lb.dir, 'hold.sock');
}

/** Where PostgreSQL puts its unix socket; the user who runs it must be able to write there. */
export function socketDir(node: NodePlace): string {
  return join(node.dir, 'run');
}

export function roleServerUrl(layout: Layout, node: NodePlace): string {
  return `http://${hostOf(layout, node.name)}:${node.apiPort}`;
}

/** Where a member's Consul process answers, be it a server or an agent. */
export function consulUrl(layout: Layout, member: string, place: ConsulPlace): string {
  return `http://${hostOf(layout, member)}:${place.httpPort}`;
}

/**
 * Where a member's own processes find each other, and where they listen for others as well. In a namespace of its own a
 * node is as a pod: its runner and its controller come by loopback, which nobody else can.
 */
function ownAddresses({ network }: Layout, host: string): { loopback: string; every: string } {
  return network === undefined ? { loopback: host, every: host } : { loopback: '127.0.0.1', every: '0.0.0.0' };
}

/**
 * V8 for processes that do next to nothing, several times a second, for weeks. A small young generation, no threads for the
 * collector (and one arena of malloc) save some 18 MiB of each; of one size, since V8 makes it still smaller, and collects oftener,
 * where little is allocated. Code that runs twice a second is never worth the optimising compiler, which took a tenth of a service's
 * processor time; nor is memory that is used again soon worth the collections in a row by which V8 gives it back when it finds
 * itself idle.
 */
export const NODE_FLAGS: readonly string[] = [
  '--min-semi-space-size=2',
  '--max-semi-space-size=2',
  '--v8-pool-size=1',
  '--single-threaded-gc',
  '--no-opt',
  '--no-memory-reducer',
];

function serviceSpec(
  context: SpecContext,
  owner: NodePlace | LoadBalancerPlace,
  name: string,
  script: string,
  options: Settings,
  settings: NodePlace['settings'] = {},
): ProcessSpec {
  const own = Object.entries({ ...options, ...context.settings, ...settings });
  return specOf(context, owner, {
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, script],
    env: {
      ...baseEnvironment(),
      MALLOC_ARENA_MAX: '1',
      CONSUL_HTTP_ADDR: consulUrl(context.layout, owner.name, owner.agent),
      ...Object.fromEntries(own.map(([option, value]) => [environmentName(option), String(value)])),
    },
  });
}

/** A process where its member lives. */
function specOf(
  { layout: { logs, network } }: SpecContext,
  member: { readonly name: string; readonly dir: string },
  spec: Omit<ProcessSpec, 'cwd' | 'logFile'>,
): ProcessSpec {
  const place = { cwd: member.dir, logFile: join(logs, `${member.name}-${spec.name}.log`) };
  if (network === undefined) return { ...spec, ...place };
  const [command, args] = inNamespace(namespaceOf(network, member.name), spec.command, spec.args);
  return { ...spec, ...place, command, args };
}

/** What programs need of the caller's environment; nothing else gets in, so that a cluster is the same for everyone. */
function baseEnvironment(): Record<string, string> {
  const passed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
  return Object.fromEntries(
    passed.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
