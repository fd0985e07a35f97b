import {
  OBJECTS,
  SELECTOR,
  parseInstallation,
  parsePods,
  podChanges,
  secretValue,
  type Installation,
  type Kubectl,
  type Pod,
  type PodChange,
} from '@ha-postgres/kubernetes';
import { pause } from '@ha-postgres/service-kit';
import type { ShownCluster, ShownEvent, Whereabouts } from '../demo/shown-cluster';
import { RoleWatch } from '../role-watch';
import { Ways } from './ways';

const LOOPBACK = '127.0.0.1';
const LOOK_MS = 2_000;
const WAY_MS = 60_000;

/** An installation of the chart, reached through kubectl: everything stands on a port of the loopback here. */
export class KubernetesCluster implements ShownCluster {
  private readonly listeners: ((event: ShownEvent) => void)[] = [];
  private readonly roles: ReadonlyMap<string, RoleWatch>;
  private readonly closed = new AbortController();
  private readonly looking: Promise<void>;

  private constructor(
    private readonly kubectl: Kubectl,
    private readonly installation: Installation,
    private readonly password: string,
    private readonly ways: Ways,
    private pods: readonly Pod[],
  ) {
    this.roles = new Map(ways.nodes.map(({ name, roleServer }) => [name, this.watchRole(name, roleServer.localPort)]));
    this.looking = this.keepLooking();
  }

  /**
   * Looks what is installed, and opens the ways to it; `close` ends them.
   * @throws Error if no release of the chart is there, or if there is no way to its load balancers or to Consul.
   */
  static async open(kubectl: Kubectl, signal: AbortSignal): Promise<KubernetesCluster> {
    const installation = parseInstallation(await kubectl.run(['get', ...OBJECTS, '--output=json']));
    const place = installation.superuser.password;
    const password = secretValue(await kubectl.run(['get', 'secret', place.secret, '--output=json']), place);
    const pods = await lookAtPods(kubectl);
    const ways = await Ways.open(kubectl, installation);
    try {
      for (const forward of [ways.consul, ways.master]) await forward.ready(WAY_MS, signal);
    } catch (error) {
      await ways.close();
      throw error;
    }
    return new KubernetesCluster(kubectl, installation, password, ways, pods);
  }

  describe(): Whereabouts {
    const { consulPrefix, superuser, ports } = this.installation;
    const http = `http://${LOOPBACK}:${this.ways.consul.localPort}`;
    const { master, standby, stats } = this.ways;
    const named = { name: superuser.name, password: this.password };
    return {
      consul: { http, prefix: consulPrefix, servers: [{ http }] },
      nodes: this.ways.nodes.map(({ name, postgres, roleServer }) => ({
        name,
        role: this.roles.get(name)?.role ?? null,
        address: LOOPBACK,
        postgresPort: postgres.localPort,
        roleServerUrl: urlOf(roleServer.localPort),
        routedTo: routeOf(this.pod(name), ports.postgres),
      })),
      loadBalancers: [
        {
          name: 'service postgres',
          address: LOOPBACK,
          masterPort: master.localPort,
          standbyPort: standby.localPort,
          adminPort: stats.localPort,
        },
      ],
      users: { superuser: named },
      logs: this.kubectl.commandLine(['logs', 'POD', '--container=controller']),
    };
  }

  onEvent(listener: (event: ShownEvent) => void): void {
    this.listeners.push(listener);
  }

  /** How often the clients' way broke: it is opened again within a tenth of a second or so, which their outage contains. */
  get breaks(): number {
    return this.ways.master.breaks;
  }

  /** The pod that bears a node's name now, as it was last seen. */
  pod(name: string): Pod | null {
    return this.pods.find((one) => one.name === name) ?? null;
  }

  async close(): Promise<void> {
    this.closed.abort();
    for (const watch of this.roles.values()) watch.stop();
    await Promise.all([this.looking, this.ways.close()]);
  }

  private watchRole(name: string, port: number): RoleWatch {
    const watch: RoleWatch = new RoleWatch(urlOf(port), () =>
      this.tell({ event: 'role.changed', member: name, text: watch.role ?? 'no answer' }),
    );
    watch.start();
    return watch;
  }

  private async keepLooking(): Promise<void> {
    const { signal } = this.closed;
    for (;;) {
      await pause(LOOK_MS, signal);
      if (signal.aborted) return;
      const pods = await lookAtPods(this.kubectl).catch(() => null);
      if (pods === null) continue;
      const changes = podChanges(this.pods, pods);
      this.pods = pods;
      this.ways.follow(changes);
      for (const change of changes) this.tell(eventOf(change));
    }
  }

  private tell(event: ShownEvent): void {
    if (!this.closed.signal.aborted) for (const listener of this.listeners) listener(event);
  }
}

async function lookAtPods(kubectl: Kubectl): Promise<readonly Pod[]> {
  return parsePods(await kubectl.run(['get', 'pods', `--selector=${SELECTOR}`, '--output=json']));
}

function eventOf({ pod, container, text }: PodChange): ShownEvent {
  if (container === null) return { event: 'pod.changed', member: pod, text };
  return { event: 'process.exited', member: pod, process: container, text };
}

function routeOf(pod: Pod | null, port: number): { address: string; port: number } | null {
  return pod?.ip == null ? null : { address: pod.ip, port };
}

const urlOf = (port: number): string => `http://${LOOPBACK}:${port}`;
