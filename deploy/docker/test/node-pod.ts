import { randomBytes } from 'node:crypto';
import { waitFor } from '@ha-postgres/local-cluster';
import type { Built } from './built-images';
import { RESTRICTED, podman, tryPodman } from './podman';

const START_MS = 60_000;
const SECRETS = {
  HAPG_CLUSTER_SECRET: randomBytes(24).toString('hex'),
  HAPG_SUPERUSER_PASSWORD: 'of-the-superuser',
  HAPG_REPLICATION_PASSWORD: 'of-replication',
  HAPG_REWIND_PASSWORD: 'of-rewinding',
  HAPG_CONTROLLER_PASSWORD: 'of-the-controller',
};

/** The containers of a node, as in its pod. */
export type NodeContainer = 'consul' | 'role-server' | 'controller' | 'postgres';

/**
 * One node as Kubernetes would run it: a pod with one network and one view of processes, a Consul server outside of it, a
 * volume that outlives its containers, and nothing else that can be written to.
 */
export class NodePod {
  /** Where other machines would reach the node; Kubernetes names it in POD_IP. */
  readonly address: string;
  readonly #built: Built;
  readonly #id = `hapg-test-${randomBytes(4).toString('hex')}`;

  /** @throws Error if podman cannot make it; what was made by then is gone. */
  constructor(built: Built) {
    this.#built = built;
    try {
      podman('network', 'create', this.#id);
      this.#startConsulServer();
      podman(
        'pod',
        'create',
        `--name=${this.#id}`,
        `--network=${this.#id}`,
        '--share=net,ipc,uts,pid',
        '--hostname=pg-0',
      );
      podman('pod', 'start', this.#id);
      const infra = podman('pod', 'inspect', '--format={{.InfraContainerID}}', this.#id);
      this.address = addressOf(infra);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Starts the containers, in the order in which Kubernetes would. */
  start(): void {
    this.#startAgent();
    this.#run('role-server', 'role-server', { HAPG_NODE: 'pg-0' }, []);
    this.#run(
      'controller',
      'db-controller',
      { HAPG_NODE: 'pg-0', HAPG_HOST: this.address, CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500' },
      [this.#volume('data', '/var/lib/ha-postgres')],
    );
    this.#run(
      'postgres',
      'ha-postgres',
      { HAPG_NODE: 'pg-0', CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500', PGPASSWORD: SECRETS.HAPG_SUPERUSER_PASSWORD },
      [
        this.#volume('data', '/var/lib/ha-postgres'),
        '--tmpfs=/var/run/postgresql:mode=1777',
        '--tmpfs=/tmp:mode=1777',
        '--tmpfs=/dev/shm:mode=1777',
      ],
    );
  }

  /** Ends a container as Kubernetes does: SIGTERM, and SIGKILL after the grace. Returns its exit code. */
  stop(container: NodeContainer, graceSeconds: number): number {
    podman('stop', `--time=${graceSeconds}`, this.#name(container));
    return Number(podman('inspect', '--format={{.State.ExitCode}}', this.#name(container)));
  }

  startAgain(container: NodeContainer): void {
    podman('start', this.#name(container));
  }

  exec(container: NodeContainer, ...command: readonly string[]): string {
    return podman('exec', this.#name(container), ...command);
  }

  sql(query: string): string {
    return this.exec('postgres', 'psql', '-h', '127.0.0.1', '-U', 'postgres', '-XAtq', '-c', query);
  }

  /** What the node says of itself to whoever asks. */
  async role(): Promise<string> {
    const answer = await fetch(`http://${this.address}:8080/controller/role`, { signal: AbortSignal.timeout(2_000) });
    return answer.ok ? (await answer.text()).trim() : '';
  }

  /** @throws Error with the ends of all logs, if the node does not become Master in time. */
  async becomesMaster(): Promise<void> {
    try {
      await waitFor(async () => (await this.role()) === 'Master' && (await this.isReady()), {
        what: 'the node to be a Master that takes clients',
        timeoutMs: START_MS,
        everyMs: 200,
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.logs()}`, { cause: error });
    }
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`http://${this.address}:8080/controller/ready?role=Master`, {
      signal: AbortSignal.timeout(2_000),
    });
    return answer.ok;
  }

  logs(): string {
    return (['consul', 'role-server', 'controller', 'postgres'] as const)
      .map((container) => {
        const { stdout, stderr } = tryPodman('logs', '--tail=15', this.#name(container));
        return `--- ${container}\n${stdout}${stderr}`;
      })
      .join('\n');
  }

  remove(): void {
    tryPodman('pod', 'rm', '--force', '--time=0', this.#id);
    tryPodman('rm', '--force', '--volumes', '--time=0', `${this.#id}-server`);
    for (const volume of ['data', 'run', 'consul']) tryPodman('volume', 'rm', '--force', `${this.#id}-${volume}`);
    tryPodman('network', 'rm', '--force', this.#id);
  }

  #startConsulServer(): void {
    podman(
      ...['run', '--detach', `--name=${this.#id}-server`, `--network=${this.#id}`],
      ...[this.#built.bases.CONSUL_IMAGE ?? '', 'agent', '-server', '-bootstrap-expect=1', '-node=consul-0'],
      ...['-client=0.0.0.0', '-hcl=performance { raft_multiplier = 1 }'],
    );
  }

  #startAgent(): void {
    podman(
      ...['run', '--detach', `--pod=${this.#id}`, `--name=${this.#name('consul')}`, ...RESTRICTED, '--user=100:1000'],
      this.#volume('consul', '/consul/data'),
      ...[this.#built.bases.CONSUL_IMAGE ?? '', 'agent', '-node=pg-0', `-bind=${this.address}`, '-client=127.0.0.1'],
      `-retry-join=${addressOf(`${this.#id}-server`)}`,
      '-retry-interval=1s',
    );
  }

  #run(
    container: NodeContainer,
    image: string,
    settings: Readonly<Record<string, string>>,
    mounts: readonly string[],
  ): void {
    const variables = Object.entries({ ...SECRETS, ...settings }).map(([name, value]) => `--env=${name}=${value}`);
    podman(
      ...['run', '--detach', `--pod=${this.#id}`, `--name=${this.#name(container)}`, ...RESTRICTED],
      this.#volume('run', '/run/ha-postgres'),
      ...variables,
      ...mounts,
      this.#built.tags[image] ?? '',
    );
  }

  #name(container: NodeContainer): string {
    return `${this.#id}-${container}`;
  }

  /** A volume of podman's, which takes the owner of the directory in the image that it is mounted on first. */
  #volume(name: string, path: string): string {
    return `--volume=${this.#id}-${name}:${path}`;
  }
}

function addressOf(container: string): string {
  return podman('inspect', '--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', container);
}
