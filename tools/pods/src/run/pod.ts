import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicNow } from '@ha-postgres/service-kit';
import type { PlacedPod } from '../expand/placed-pod';
import type { PlannedPod } from '../expand/planned-pod';
import type { Container } from '../kubernetes';
import type { PodSeen } from '../network/endpoints';
import { searchDomains } from '../network/dns-zone';
import type { PodsNetwork } from '../network/pods-network';
import type { Objects } from '../objects';
import { kill, processOf, type FirstProcess } from './first-process';
import { PodContainer } from './pod-container';
import { podman, tryPodman } from './podman';
import type { Outcome } from './program';
import { PodVolumes } from './volumes';
import { within } from './within';

const DEFAULT_GRACE_SECONDS = 30;

export interface PodPlaces {
  readonly network: PodsNetwork;
  readonly workdir: string;
  readonly logsDir: string;
}

/** What came of a hook that ran before a container was ended. */
export interface HookEnd extends Outcome {
  readonly container: string;
  readonly milliseconds: number;
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** A pod that runs: its namespaces, its volumes and its containers, from the first to the last. */
export class Pod {
  readonly uid = randomBytes(4).toString('hex');
  readonly hooks: HookEnd[] = [];
  isEnding = false;
  /** Nothing of it is left. */
  isGone = false;
  #placed: PlacedPod | null = null;
  /** The first process of its namespaces. */
  #infra: FirstProcess | null = null;
  #containers: PodContainer[] = [];
  #isStarted = false;
  readonly #volumes: PodVolumes;
  readonly #ownDir: string;
  #ending: Promise<void> | null = null;
  #starting: Promise<void> | null = null;

  constructor(
    readonly planned: PlannedPod,
    private readonly objects: Objects,
    private readonly places: PodPlaces,
  ) {
    this.#ownDir = join(places.workdir, 'pods', `${planned.name}-${this.uid}`);
    this.#volumes = new PodVolumes(join(places.workdir, 'claims'), join(this.#ownDir, 'volumes'));
  }

  get name(): string {
    return this.planned.name;
  }

  /** Null: it has none yet. */
  get ip(): string | null {
    return this.#placed?.ip ?? null;
  }

  /** Every container that stays has been started and is ready, and the pod is not ending. */
  get isReady(): boolean {
    return this.#isStarted && !this.isEnding && this.#staying.every((container) => container.isReady);
  }

  /** Every container has ended well: of a pod that is not started again. */
  get exitCodes(): readonly (number | null)[] {
    return this.planned.spec.containers.map(({ name }) => this.container(name).exitCode);
  }

  /** What services see of it; null: it has no address yet. */
  get seen(): PodSeen | null {
    const { ip } = this;
    const { name, labels, hostname, subdomain, spec } = this.planned;
    return ip === null ? null : { name, labels, hostname, subdomain, spec, ip, isServing: this.isReady };
  }

  /** Starts it: init containers one after the other, then all others. @throws Error if podman cannot */
  start(): Promise<void> {
    return (this.#starting ??= this.#begin());
  }

  /** @throws RangeError if it has no such container, or not yet */
  container(name: string): PodContainer {
    const found = this.#containers.find(({ spec }) => spec.name === name);
    if (found === undefined) throw new RangeError(`${this.name} has no container ${name} now`);
    return found;
  }

  /** Whether that container is there already; they are made one after the other. */
  has(name: string): boolean {
    return this.#containers.some(({ spec }) => spec.name === name);
  }

  /** Containers and how often each was started again. */
  get restarts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#containers.map(({ spec, restarts }) => [spec.name, restarts]));
  }

  /** Ends it within its grace, as a deletion does; may be called again. @param graceSeconds of the deletion, else the pod's own */
  end(graceSeconds = this.planned.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS): Promise<void> {
    return (this.#ending ??= this.#end(graceSeconds));
  }

  /** As if its machine were gone: SIGKILL to everything at once. */
  kill(): Promise<void> {
    return (this.#ending ??= this.#killAll());
  }

  async #begin(): Promise<void> {
    mkdirSync(this.#ownDir, { recursive: true });
    const placed = await this.#place();
    const { spec } = this.planned;
    const volumes = await this.#volumes.make(placed, this.objects);
    const at = { pod: placed, objects: this.objects, volumes, runDir: this.#ownDir, logsDir: this.places.logsDir };
    const all = [...(spec.initContainers ?? []), ...spec.containers].map(
      (container) => new PodContainer(container, at),
    );
    this.#containers = all;
    for (const container of all) if (!this.isEnding) await container.make();
    await this.#startAll(all.slice(0, spec.initContainers?.length ?? 0), all.slice(spec.initContainers?.length ?? 0));
    this.#isStarted = !this.isEnding;
  }

  async #startAll(first: readonly PodContainer[], others: readonly PodContainer[]): Promise<void> {
    const isOnce = this.planned.spec.restartPolicy === 'Never';
    for (const container of first) {
      if (this.isEnding) return;
      if (!isSidecar(container.spec)) {
        if ((await container.runToEnd({ isOnce })) !== 0) return;
        continue;
      }
      await container.keepRunning();
      await container.started();
    }
    for (const container of others) {
      if (this.isEnding) return;
      if (isOnce) void container.runToEnd({ isOnce });
      else await container.keepRunning();
    }
  }

  async #place(): Promise<PlacedPod> {
    const { name, namespace, hostname, spec } = this.planned;
    const { network } = this.places;
    const podName = `${namespace}-${name}`;
    await podman(
      ...['pod', 'create', `--name=${podName}`, `--network=${network.name}`, `--hostname=${hostname}`],
      ...[`--share=net,ipc,uts${spec.shareProcessNamespace === true ? ',pid' : ''}`],
      ...[`--dns=${network.gateway}`, ...searchDomains(namespace).map((domain) => `--dns-search=${domain}`)],
      ...[
        '--dns-opt=ndots:5',
        `--label=io.kubernetes.pod.namespace=${namespace}`,
        `--label=io.kubernetes.pod.name=${name}`,
      ],
    );
    await podman('pod', 'start', podName);
    network.welcome();
    const infra = await podman('pod', 'inspect', '--format={{.InfraContainerID}}', podName);
    const format = '--format={{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    const [pid = '', ip = ''] = (await podman('inspect', format, infra)).split(' ');
    this.#infra = processOf(Number(pid));
    this.#placed = { ...this.planned, ip, uid: this.uid };
    return this.#placed;
  }

  get #staying(): PodContainer[] {
    const { spec } = this.planned;
    return this.#containers.filter(
      (container) => spec.containers.includes(container.spec) || isSidecar(container.spec),
    );
  }

  async #end(graceSeconds: number): Promise<void> {
    this.isEnding = true;
    const deadline = monotonicNow() + graceSeconds * 1_000;
    const left = (): number => (deadline - monotonicNow()) / 1_000;
    const main = this.#containers.filter(({ spec }) => this.planned.spec.containers.includes(spec));
    await Promise.all(
      main.map(async (container) => {
        await this.#hook(container, left());
        await container.stop(left());
      }),
    );
    for (const container of [...this.#containers].reverse()) await container.stop(left());
    await this.#remove();
  }

  /** What is to be done before a container is ended; it has no longer than the pod. */
  async #hook(container: PodContainer, seconds: number): Promise<void> {
    const command = container.spec.lifecycle?.preStop?.exec?.command;
    if (command === undefined || !container.isRunning) return;
    const began = monotonicNow();
    const late = { status: null, stdout: '', stderr: 'not in time' };
    const outcome = await within<Outcome>(container.exec(command), seconds * 1_000, late);
    this.hooks.push({ ...outcome, container: container.spec.name, milliseconds: Math.round(monotonicNow() - began) });
  }

  /** SIGKILL to everything of it, and no more. */
  killProcesses(): void {
    this.isEnding = true;
    // With its first process ends everything else of a shared view of processes.
    if (this.#infra !== null && this.planned.spec.shareProcessNamespace === true) kill(this.#infra);
    for (const container of this.#containers) container.kill();
  }

  async #killAll(): Promise<void> {
    this.killProcesses();
    await this.#remove();
  }

  async #remove(): Promise<void> {
    for (const container of this.#containers) container.letGo();
    // A container that is being made would be left.
    await this.#starting?.catch(() => undefined);
    const { namespace, name } = this.planned;
    await tryPodman('pod', 'rm', '--force', '--time=0', `${namespace}-${name}`);
    await this.#volumes.remove();
    this.isGone = true;
  }
}
