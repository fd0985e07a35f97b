import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '@ha-postgres/local-cluster';
import { pause } from '@ha-postgres/service-kit';
import { stepsOfDeployment } from '../control/deployment-steps';
import { stepsOfSet, type SetPod } from '../control/stateful-set-steps';
import { ownerOf, podByItself, podOfDeployment, podOfStatefulSet, type PlannedPod } from '../expand/planned-pod';
import type { Deployment, KubernetesObject, LonePod, StatefulSet } from '../kubernetes';
import type { PodSeen } from '../network/endpoints';
import { PodsNetwork, removeNetwork } from '../network/pods-network';
import { Objects } from '../objects';
import { Pod, type PodPlaces } from './pod';
import { podman, tryPodman } from './podman';
import type { Outcome } from './program';
import { unmountLeftovers } from './volumes';

const LOOK_EVERY_MS = 100;
const SETTLE_MS = 180_000;

/** A namespace of Kubernetes on this machine: objects that are applied, and podman's pods that follow from them. Linux, as root. */
export class PodsCluster {
  #objects = new Objects([]);
  /** Also those that end. */
  #pods: Pod[] = [];
  /** Why a pod could not be started. */
  readonly problems: string[] = [];
  readonly #over = new AbortController();
  #working: Promise<void> = Promise.resolve();
  readonly logsDir: string;
  readonly #places: PodPlaces;

  private constructor(
    readonly namespace: string,
    readonly workdir: string,
    private readonly network: PodsNetwork,
  ) {
    this.logsDir = join(workdir, 'logs');
    mkdirSync(this.logsDir);
    mkdirSync(join(workdir, 'claims'));
    this.#places = { network, workdir, logsDir: this.logsDir };
  }

  /**
   * One at a time on a machine: what an earlier one of that namespace left is taken away first.
   * @throws Error if podman cannot make a network
   */
  static async start(namespace: string): Promise<PodsCluster> {
    await removeLeftovers(namespace);
    const network = await PodsNetwork.make(namespace);
    const cluster = new PodsCluster(namespace, mkdtempSync(join(tmpdir(), 'hapg-pods-')), network);
    cluster.#working = cluster.#work();
    return cluster;
  }

  /** Replaces all objects; what follows from them is seen to from now on. Pods by themselves are started by `runToEnd`. */
  apply(objects: readonly KubernetesObject[]): void {
    this.#objects = new Objects(objects);
  }

  get objects(): Objects {
    return this.#objects;
  }

  /** Pods that there are, by name, those that are ending included. */
  get pods(): readonly Pod[] {
    return [...this.#pods].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws RangeError if there is no such pod */
  pod(name: string): Pod {
    const found = this.#pods.find((pod) => pod.name === name);
    if (found === undefined) throw new RangeError(`there is no pod ${name} now`);
    return found;
  }

  /** The pods of a workload that are not ending. @param owner `StatefulSet/NAME` or `Deployment/NAME` */
  podsOf(owner: string): Pod[] {
    return this.pods.filter((pod) => pod.planned.owner === owner && !pod.isEnding);
  }

  /** @throws RangeError if the service has no address */
  addressOf(service: string): string {
    const address = this.network.addresses.get(service);
    if (address === undefined) throw new RangeError(`service ${service} has no address`);
    return address;
  }

  /** Whether every workload has as many pods as it is to have, of its newest template unless they are replaced by hand, all ready. */
  get isSettled(): boolean {
    return (
      this.#pods.every(({ isEnding }) => !isEnding) &&
      this.#objects.statefulSets.every((set) => this.#isSettled(set, this.#stepsOf(set).length)) &&
      this.#objects.deployments.every((one) => this.#isSettled(one, this.#stepsOfDeployment(one).length))
    );
  }

  /** @throws Error naming what is not ready, if that is not so in time; at once if a pod could not be started */
  async settled(timeoutMs = SETTLE_MS): Promise<void> {
    const done = (): boolean => this.isSettled || this.problems.length > 0;
    await waitFor(done, { what: 'all pods to be ready', timeoutMs, everyMs: LOOK_EVERY_MS }).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}: ${this.#unready}`, { cause: error });
    });
    if (this.problems.length > 0) throw new Error(this.problems.join('\n'));
  }

  /** Deletes a pod with its grace; who owns it makes another one. Resolves when it is gone. */
  async delete(name: string, graceSeconds?: number): Promise<Pod> {
    const pod = this.pod(name);
    await pod.end(graceSeconds);
    return pod;
  }

  /** Ends a pod as the end of its machine would: everything in it at once. */
  kill(name: string): Promise<void> {
    return this.pod(name).kill();
  }

  /** Runs a command in a container. */
  exec(pod: string, container: string, ...command: readonly string[]): Promise<Outcome> {
    return this.pod(pod).container(container).exec(command);
  }

  /** Runs a pod that is not started again to its end, and removes it. Returns its exit code and all that it printed. */
  async runToEnd(lone: LonePod, timeoutMs = SETTLE_MS): Promise<{ exitCode: number; output: string }> {
    const pod = this.#make(podByItself(lone, this.namespace));
    try {
      await pod.start();
      const codes = await waitFor(() => (pod.exitCodes.every((code) => code !== null) ? pod.exitCodes : null), {
        what: `pod ${pod.name} to end`,
        timeoutMs,
      });
      const output = await this.logOf(pod, lone.spec.containers[0]?.name ?? '');
      return { exitCode: Math.max(...codes.map(Number)), output };
    } finally {
      await pod.end();
    }
  }

  /** All that a container of a pod has printed. */
  async logOf(pod: Pod, container: string): Promise<string> {
    const { stdout, stderr } = await tryPodman('logs', pod.container(container).name);
    return `${stdout}${stderr}`;
  }

  /** The claims that there are, whether a pod has them or not. */
  get claims(): string[] {
    return readdirSync(join(this.workdir, 'claims')).sort();
  }

  /** Where a claim's files are on this machine. */
  directoryOf(claim: string): string {
    return join(this.workdir, 'claims', claim);
  }

  /** Ends everything at once and removes it. @param keepLogs leaves the work directory with what all containers printed */
  async stop({ keepLogs = false } = {}): Promise<void> {
    this.#over.abort();
    await this.#working;
    for (const pod of this.#pods) pod.killProcesses();
    await removeAll(await podsOfNamespace(this.namespace));
    await Promise.all(this.#pods.map((pod) => pod.kill()));
    await this.network.remove();
    for (const part of ['pods', 'claims']) rmSync(join(this.workdir, part), { recursive: true, force: true });
    if (!keepLogs) rmSync(this.workdir, { recursive: true, force: true });
  }

  async #work(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#pods = this.#pods.filter(({ isGone }) => !isGone);
      for (const set of this.#objects.statefulSets) this.#carryOut(set);
      for (const deployment of this.#objects.deployments) this.#carryOutDeployment(deployment);
      await this.network
        .lead(this.#objects.services, this.#seen)
        .catch((error: unknown) => this.#report('network', error));
      await pause(LOOK_EVERY_MS, this.#over.signal);
    }
  }

  get #seen(): PodSeen[] {
    return this.pods.map(({ seen }) => seen).filter((seen) => seen !== null);
  }

  #carryOut(set: StatefulSet): void {
    for (const step of this.#stepsOf(set)) {
      if (step.do === 'create') this.#launch(podOfStatefulSet(set, step.ordinal, this.namespace));
      else void this.pod(`${set.metadata.name}-${step.ordinal}`).end();
    }
  }

  #carryOutDeployment(deployment: Deployment): void {
    for (const step of this.#stepsOfDeployment(deployment)) {
      if (step.do === 'create')
        this.#launch(podOfDeployment(deployment, randomBytes(3).toString('hex'), this.namespace));
      else void this.pod(step.name).end();
    }
  }

  #stepsOf(set: StatefulSet): ReturnType<typeof stepsOfSet> {
    const prefix = `${set.metadata.name}-`;
    const pods = this.#pods.filter(({ planned }) => planned.owner === ownerOf(set));
    return stepsOfSet(
      set,
      pods.map((pod): SetPod => {
        const { planned, isReady, isEnding, name } = pod;
        return { ordinal: Number(name.slice(prefix.length)), revision: planned.revision, isReady, isEnding };
      }),
    );
  }

  #stepsOfDeployment(deployment: Deployment): ReturnType<typeof stepsOfDeployment> {
    const pods = this.#pods.filter(({ planned }) => planned.owner === ownerOf(deployment));
    return stepsOfDeployment(
      deployment,
      pods.map(({ name, planned, isReady, isEnding }) => ({ name, revision: planned.revision, isReady, isEnding })),
    );
  }

  #isSettled(workload: StatefulSet | Deployment, steps: number): boolean {
    const pods = this.podsOf(ownerOf(workload));
    return steps === 0 && pods.length === (workload.spec.replicas ?? 1) && pods.every(({ isReady }) => isReady);
  }

  #launch(planned: PlannedPod): void {
    const pod = this.#make(planned);
    pod.start().catch((error: unknown) => {
      if (!pod.isEnding) this.#report(planned.name, error);
    });
  }

  #make(planned: PlannedPod): Pod {
    const pod = new Pod(planned, this.#objects, this.#places);
    this.#pods.push(pod);
    return pod;
  }

  #report(what: string, error: unknown): void {
    if (!this.#over.signal.aborted) this.problems.push(`${what}: ${(error as Error).message}`);
  }

  get #unready(): string {
    const unready = this.pods.filter(({ isReady }) => !isReady);
    return unready.map((pod) => `${pod.name}${pod.isEnding ? ' (ending)' : ''}`).join(', ');
  }
}

/** Takes away what a process that was killed has left. */
async function removeLeftovers(namespace: string): Promise<void> {
  await removeAll(await podsOfNamespace(namespace));
  await unmountLeftovers(namespace);
  await removeNetwork(namespace);
}

async function podsOfNamespace(namespace: string): Promise<string[]> {
  const ids = await podman('pod', 'ls', '--quiet', `--filter=label=io.kubernetes.pod.namespace=${namespace}`);
  return ids.split('\n').filter((id) => id !== '');
}

async function removeAll(pods: readonly string[]): Promise<void> {
  if (pods.length > 0) await tryPodman('pod', 'rm', '--force', '--time=0', ...pods);
}
