import { openConnection, type OpenConnection } from '@ha-postgres/checker';
import type { NodeStatus } from '@ha-postgres/cluster-state';
import { readNodeStatus } from '@ha-postgres/local-cluster';
import {
  NAMESPACE,
  PodsCluster,
  renderRelease,
  type KubernetesObject,
  type LonePod,
  type Pod,
} from '@ha-postgres/pods';
import { merged } from './merged';

export type Values = Readonly<Record<string, unknown>>;
export const NODES = 'StatefulSet/ha-postgres';
export const LOAD_BALANCERS = 'Deployment/postgres-lb';
export const PORTS = { master: 5432, standby: 5433 } as const;

const TIMEOUT_MS = 2_000;

/** Changes what helm has rendered, as its option `--post-renderer` does. */
export type PostRender = (objects: readonly KubernetesObject[]) => readonly KubernetesObject[];

export interface Wishes {
  readonly values?: Values;
  readonly postRender?: PostRender;
}

/** The chart, installed as pods, and what its users see of it. */
export class InstalledChart {
  #tests: readonly LonePod[] = [];

  private constructor(
    readonly cluster: PodsCluster,
    private readonly images: Values,
    private readonly postRender: PostRender,
  ) {}

  /** @param images the values that name the images @throws Error if not all pods become ready; then nothing is left */
  static async install(
    images: Values,
    { values = {}, postRender = (objects) => objects }: Wishes = {},
  ): Promise<InstalledChart> {
    const cluster = await PodsCluster.start(NAMESPACE);
    const chart = new InstalledChart(cluster, images, postRender);
    try {
      await chart.upgrade(values);
      await cluster.settled();
    } catch (error) {
      await cluster.stop({ keepLogs: true });
      throw new Error(`${(error as Error).message}\n(the logs: ${cluster.logsDir})`, { cause: error });
    }
    return chart;
  }

  /** Where nothing is installed yet: whoever tells the story lets somebody else do it. */
  static async awaited(): Promise<InstalledChart> {
    return new InstalledChart(await PodsCluster.start(NAMESPACE), {}, (objects) => objects);
  }

  /** As `helm upgrade` does; what is to come of it comes by and by. */
  async upgrade(values: Values): Promise<void> {
    const { objects, tests } = await renderRelease(merged(this.images, values), this.cluster.objects);
    this.#tests = tests;
    this.cluster.apply(this.postRender(objects));
  }

  /** As `helm test`: runs each test pod to its end. */
  async test(): Promise<{ exitCode: number; output: string }[]> {
    const ends = [];
    for (const pod of this.#tests) ends.push(await this.cluster.runToEnd(pod));
    return ends;
  }

  /** The database nodes that are not ending. */
  get nodes(): Pod[] {
    return this.cluster.podsOf(NODES);
  }

  get superuserPassword(): string {
    return this.cluster.objects.secret('ha-postgres')?.get('superuser-password')?.toString() ?? '';
  }

  /** What clients connect to; the Master's port unless told otherwise. */
  connect(port: number = PORTS.master, host = this.cluster.addressOf('postgres')): Promise<OpenConnection> {
    return openConnection(
      { host, port, user: 'postgres', password: this.superuserPassword, database: 'postgres' },
      TIMEOUT_MS,
    );
  }

  /** Runs one statement on a connection of its own. @throws Error as `pg` reports it */
  async query<Row extends object>(sql: string, port: number = PORTS.master, host?: string): Promise<Row[]> {
    const connection = await this.connect(port, host);
    try {
      return (await connection.client.query<Row>(sql)).rows;
    } finally {
      connection.drop();
    }
  }

  /** What a node says of itself; null: it does not answer. */
  async status(pod: string): Promise<NodeStatus | null> {
    const ip = this.cluster.pods.find(({ name }) => name === pod)?.ip ?? null;
    return ip === null ? null : readNodeStatus(`http://${ip}:8080`);
  }

  /** The node that says it is the Master and takes writes; null: there is none. */
  async master(): Promise<string | null> {
    for (const { name } of this.nodes) if ((await this.status(name))?.role === 'Master') return name;
    return null;
  }

  /** The pod at the other end of a new connection; null: nobody answers. */
  async podBehind(port: number = PORTS.master): Promise<string | null> {
    try {
      const [row] = await this.query<{ ip: string }>('SELECT host(inet_server_addr()) AS ip', port);
      return this.nodes.find(({ ip }) => ip === row?.ip)?.name ?? null;
    } catch {
      return null;
    }
  }

  /** Runs hapg in a database node's pod. @throws Error with what it said, if it fails */
  async hapg(pod: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.cluster.exec(pod, 'postgres', 'hapg', ...args);
    if (status !== 0) throw new Error(`hapg ${args.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async stop(keepLogs: boolean): Promise<void> {
    await this.cluster.stop({ keepLogs });
  }
}
