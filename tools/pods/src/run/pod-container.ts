import { join } from 'node:path';
import { pause } from '@ha-postgres/service-kit';
import { containerName, createArguments, type VolumePlaces } from '../expand/container-arguments';
import { environmentOf } from '../expand/environment';
import type { PlacedPod } from '../expand/placed-pod';
import type { Container, Probe } from '../kubernetes';
import type { Objects } from '../objects';
import { BackOff } from './back-off';
import { ended, firstProcess, isRunning, kill, killTree, type FirstProcess } from './first-process';
import { podman, tryPodman } from './podman';
import { healthAtStart, succeeds, Threshold, type Health } from './probe';
import type { Outcome } from './program';
import { within } from './within';

/** Where a pod's containers find what they need. */
export interface Surroundings {
  readonly pod: PlacedPod;
  readonly objects: Objects;
  readonly volumes: VolumePlaces;
  readonly runDir: string;
  readonly logsDir: string;
}

/** One container of a pod: made once, started again when it ends, asked by its probes. */
export class PodContainer {
  readonly name: string;
  restarts = 0;
  /** Null: it has not ended yet. */
  exitCode: number | null = null;
  #health: Health;
  #process: FirstProcess | null = null;
  readonly #backOff = new BackOff();
  readonly #pidFile: string;
  /** The pod ends, or this container does. */
  readonly #over = new AbortController();

  constructor(
    readonly spec: Container,
    private readonly at: Surroundings,
  ) {
    const { namespace, name } = at.pod;
    this.name = containerName(namespace, name, spec.name);
    this.#pidFile = join(at.runDir, `${spec.name}.pid`);
    this.#health = healthAtStart(spec);
  }

  get isReady(): boolean {
    return this.isRunning && this.#health.ready;
  }

  get isStarted(): boolean {
    return this.isRunning && this.#health.started;
  }

  get isRunning(): boolean {
    return this.#process !== null && isRunning(this.#process);
  }

  /** @throws Error if podman cannot make it */
  async make(): Promise<void> {
    const { pod, objects, volumes, logsDir } = this.at;
    const making = {
      pod,
      container: this.spec,
      environment: environmentOf(this.spec, pod, objects),
      volumes,
      pidFile: this.#pidFile,
      logFile: join(logsDir, `${pod.name}-${pod.uid}-${this.spec.name}.log`),
    };
    await podman(...createArguments(making));
  }

  /** Runs it to its end, and again until it succeeds, unless `isOnce`. Returns the exit code. */
  async runToEnd({ isOnce }: { isOnce: boolean }): Promise<number | null> {
    for (;;) {
      await this.#start();
      await ended(this.#process, this.#over.signal);
      if (this.#isOver()) return null;
      this.exitCode = Number(await podman('wait', this.name));
      if (isOnce || this.exitCode === 0) return this.exitCode;
      await pause(this.#backOff.wait(), this.#over.signal);
      if (this.#isOver()) return null;
      this.restarts += 1;
    }
  }

  /** Starts it, and then starts it again whenever it ends, until it is stopped. The promise is for the first start. */
  async keepRunning(): Promise<void> {
    await this.#start();
    void this.#watch();
    this.#ask();
  }

  /** Resolves when its startup probe has succeeded, or the pod ends. */
  async started(): Promise<void> {
    while (!this.isStarted && !this.#isOver()) await pause(50, this.#over.signal);
  }

  /** Nothing is started or asked any more. */
  letGo(): void {
    this.#over.abort();
  }

  /** Ends it as the kubelet does: the image's signal, and SIGKILL after the grace. */
  async stop(graceSeconds: number): Promise<void> {
    this.letGo();
    if (this.isRunning) await tryPodman('stop', `--time=${Math.max(1, Math.ceil(graceSeconds))}`, this.name);
  }

  kill(): void {
    this.letGo();
    if (this.#process !== null) kill(this.#process);
  }

  /** SIGKILL to all that runs in it; it is started again. */
  crash(): void {
    if (this.#process !== null) killTree(this.#process);
  }

  exec(command: readonly string[]): Promise<Outcome> {
    return tryPodman('exec', this.name, ...command);
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #start(): Promise<void> {
    this.#health = healthAtStart(this.spec);
    this.exitCode = null;
    this.#backOff.started();
    await podman('start', this.name);
    this.#process = firstProcess(this.#pidFile);
  }

  async #watch(): Promise<void> {
    for (;;) {
      await ended(this.#process, this.#over.signal);
      if (this.#isOver()) return;
      this.#process = null;
      await pause(this.#backOff.wait(), this.#over.signal);
      if (this.#isOver()) return;
      // What is left of the end is put away by podman itself; a start before that would fail.
      await tryPodman('wait', this.name);
      this.restarts += 1;
      await this.#start().catch(() => undefined);
    }
  }

  #ask(): void {
    const { startupProbe, readinessProbe, livenessProbe } = this.spec;
    const isStarted = (): boolean => this.#health.started;
    const startup = (isWell: boolean): void => {
      if (isWell) this.#health = { started: true, ready: readinessProbe === undefined };
      else void this.#endToStartAgain();
    };
    const readiness = (isWell: boolean): void => {
      this.#health = { ...this.#health, ready: isWell };
    };
    const liveness = (isWell: boolean): void => {
      if (!isWell) void this.#endToStartAgain();
    };
    void this.#keepAsking(startupProbe, startup, () => !isStarted());
    void this.#keepAsking(readinessProbe, readiness, isStarted);
    void this.#keepAsking(livenessProbe, liveness, isStarted);
  }

  async #endToStartAgain(): Promise<void> {
    await tryPodman('stop', '--time=30', this.name);
  }

  /** Asks until the container is over; what was decided is told. */
  async #keepAsking(probe: Probe | undefined, tell: (isWell: boolean) => void, isDue: () => boolean): Promise<void> {
    if (probe === undefined) return;
    const { pod } = this.at;
    await pause((probe.initialDelaySeconds ?? 0) * 1_000, this.#over.signal);
    let asked = this.#process;
    let threshold = new Threshold(probe);
    while (!this.#isOver()) {
      if (asked !== this.#process) [asked, threshold] = [this.#process, new Threshold(probe)];
      if (asked !== null && isDue()) {
        const success = await succeeds(probe, pod.ip, pod.spec, (command, timeoutMs) =>
          this.#carry(command, timeoutMs),
        );
        const decided = asked === this.#process ? threshold.after(success) : null;
        if (decided !== null && !this.#isOver()) tell(decided);
      }
      await pause((probe.periodSeconds ?? 10) * 1_000, this.#over.signal);
    }
  }

  #carry(command: readonly string[], timeoutMs: number): Promise<boolean> {
    const succeeded = this.exec(command).then(({ status }) => status === 0);
    return within(succeeded, timeoutMs, false);
  }
}
