import {
  openPortForward,
  type Installation,
  type Kubectl,
  type PodChange,
  type PortForward,
} from '@ha-postgres/kubernetes';

/** Consul's HTTP port: the chart's own servers listen there, and the agents in every pod on its loopback. */
const CONSUL_PORT = 8500;

/** What is reached through a way: another pod of that component, or of that name, makes it lead nowhere. */
interface Way {
  readonly component: string;
  readonly pod: string | null;
  readonly forward: PortForward;
}

/** The ways into an installation, each by a `kubectl port-forward` of its own. */
export class Ways {
  private constructor(
    readonly consul: PortForward,
    readonly master: PortForward,
    readonly standby: PortForward,
    /** HAProxy's Runtime API. */
    readonly stats: PortForward,
    readonly nodes: readonly {
      readonly name: string;
      readonly postgres: PortForward;
      readonly roleServer: PortForward;
    }[],
    private readonly consulComponent: string,
  ) {}

  static async open(kubectl: Kubectl, { nodes, ports, hasOwnConsul }: Installation): Promise<Ways> {
    const to = (target: string, port: number) => openPortForward(kubectl, target, port);
    const ofNode = async (name: string) => ({
      name,
      postgres: await to(`pod/${name}`, ports.postgres),
      roleServer: await to(`pod/${name}`, ports.roleServer),
    });
    return new Ways(
      await to(hasOwnConsul ? 'service/consul' : 'deployment/postgres-lb', CONSUL_PORT),
      await to('service/postgres', ports.master),
      await to('service/postgres', ports.standby),
      await to('deployment/postgres-lb', ports.stats),
      await Promise.all(nodes.map(ofNode)),
      hasOwnConsul ? 'consul' : 'lb',
    );
  }

  /** Other pods than before bear names or stand behind services: what may have led to the old ones is opened anew. */
  follow(changes: readonly PodChange[]): void {
    for (const { component, pod, container } of changes) {
      if (container !== null) continue;
      for (const way of this.all()) {
        if (way.component === component && (way.pod === null || way.pod === pod)) way.forward.renew();
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all().map(({ forward }) => forward.close()));
  }

  private all(): readonly Way[] {
    const balancer = [this.master, this.standby, this.stats].map((forward) => ({
      component: 'lb',
      pod: null,
      forward,
    }));
    const nodes = this.nodes.flatMap(({ name, postgres, roleServer }) =>
      [postgres, roleServer].map((forward) => ({ component: 'db', pod: name, forward })),
    );
    return [{ component: this.consulComponent, pod: null, forward: this.consul }, ...balancer, ...nodes];
  }
}
