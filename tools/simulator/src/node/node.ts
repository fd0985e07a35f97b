import { createController, type Controller, type ControllerConfig } from '@ha-postgres/db-controller/controller';
import { Runner, type Marks } from '@ha-postgres/postgres-runner/runner';
import type { ConsulModel } from '../consul/consul-model';
import { postgresPort } from '../postgres/connection';
import type { DataDirectory } from '../postgres/data-directory';
import type { Source } from '../postgres/receiver';
import { Server, type Behaviour, type Settings, type Surroundings } from '../postgres/server';
import type { WalRecord } from '../postgres/wal';
import { MachineTime } from '../world/machine-time';
import type { Network } from '../world/network';
import { Random } from '../world/random';
import { SimProcess } from '../world/sim-process';
import type { World } from '../world/world';
import { controllerLog, runnerLog } from './logs';
import { simulatedPeers } from './peers';
import { RoleServer } from './role-server';
import { runnerClient } from './runner-client';
import { runnerMachine, runnerServer } from './runner-machine';
import { walPort } from './wal-port';
import type { Coverage } from '../check/coverage';

/** All that survives a crash of the machine. */
export interface Disk {
  controller: unknown;
  marks: Marks;
  settings: Settings;
  readonly data: DataDirectory;
}

/** What the nodes of a cluster have in common. */
export interface ClusterOf {
  readonly world: World;
  readonly network: Network;
  readonly consul: ConsulModel;
  readonly coverage: Coverage;
  readonly nodes: ReadonlyMap<string, SimNode>;
  readonly walOnItsWay: Map<string, readonly WalRecord[]>;
  readonly onWritable: (server: Server) => void;
  readonly onStream: (receiver: Server, sender: Server) => void;
  readonly onPromoted: (server: Server) => void;
  /** What it holds beyond the fork is about to be replaced. */
  readonly onGivenUp: (node: SimNode, records: readonly WalRecord[]) => void;
}

export interface NodeOptions {
  readonly name: string;
  readonly number: number;
  readonly config: ControllerConfig;
  /** Of its clock. */
  readonly rate: number;
  readonly fsyncMs: number;
  /** Timers of its processes are late by so much at most. */
  readonly lateMs: number;
  readonly lateness: number;
}

export const NO_MARKS: Marks = { mark: null, systemId: null, rejoin: null, divergence: null };

/** A machine with PostgreSQL, its runner, a controller and a role-server, and what lies on its disk. */
export class SimNode {
  readonly world: World;
  readonly random: Random;
  readonly disk: Disk = {
    controller: null,
    marks: NO_MARKS,
    settings: { synchronousStandbyNames: '', admits: 'everyone' },
    data: { database: null, isUnfinished: false, isDamaged: false },
  };
  readonly behaviour: Behaviour;
  time: MachineTime;
  bootId: string;
  controller: Controller | null = null;
  controllerProcess: SimProcess | null = null;
  roleServer: RoleServer | null = null;
  roleServerProcess: SimProcess | null = null;
  runnerProcess: SimProcess | null = null;
  server: Server | null = null;
  isUp = false;
  /** Nobody starts it, also who had been about to. */
  isGone = false;
  /** Frozen whole; and since its thaw not yet known to have looked at the clock. */
  isFrozen = false;
  private names = 0;
  private pids = 0;

  constructor(
    readonly cluster: ClusterOf,
    readonly options: NodeOptions,
  ) {
    this.world = cluster.world;
    this.random = new Random(cluster.world.seed, 100 + options.number);
    this.behaviour = {
      fsyncMs: options.fsyncMs,
      isStalled: false,
      isReplayPaused: false,
      isReplayHeld: false,
      promotionHangs: false,
      keepsNoWal: false,
      isFull: false,
    };
    this.time = this.newTime();
    this.bootId = this.newName('boot');
  }

  get name(): string {
    return this.options.name;
  }

  newName(of: string): string {
    this.names += 1;
    return `${of}-${this.name}-${this.names}`;
  }

  newSystemId(): string {
    return String(7_000_000_000_000 + this.random.whole(0, 999_999_999));
  }

  mark(change: Partial<Marks>): void {
    this.disk.marks = { ...this.disk.marks, ...change };
  }

  serverAt(node: string): Server | null {
    const { network, nodes } = this.cluster;
    if (network.link(this.name, node) === null || network.link(node, this.name) === null) return null;
    return nodes.get(node)?.server ?? null;
  }

  boot(): void {
    if (this.isUp || this.isGone) return;
    this.isUp = true;
    this.world.tell(this.name, () => 'machine   starts');
    this.startRoleServer();
    this.startController();
    this.startRunner();
  }

  /** The power is gone: only what is on disk is left, and the clock starts anew. */
  crash(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.world.tell(this.name, () => 'machine   crashes');
    this.killController();
    this.killRoleServer();
    this.runnerProcess?.kill();
    this.server?.process.kill();
    this.isFrozen = false;
    this.time = this.newTime();
    this.bootId = this.newName('boot');
  }

  startController(): void {
    if (!this.isUp || this.controllerProcess?.isAlive === true) return;
    const process = this.newProcess('controller');
    const { config } = this.options;
    const { world, cluster, random } = this;
    const log = controllerLog(this);
    this.controllerProcess = process;
    this.controller = createController({
      config,
      log,
      machine: { clock: process.clock, random: () => random.next(), bootId: this.bootId },
      client: cluster.consul.client(this.name, process),
      server: postgresPort({ world, random, process, server: () => this.server }),
      processes: {
        kill: () => this.killFromController(),
        list: () => (this.server?.process.isAlive === true ? [this.server.pid] : []),
      },
      wal: walPort(this),
      store: {
        name: `disk of ${this.name}`,
        read: () =>
          this.disk.controller === null ? null : (JSON.parse(JSON.stringify(this.disk.controller)) as unknown),
        write: (value) => (this.disk.controller = value),
      },
      peers: simulatedPeers(this, process),
      fail: (error) => {
        world.violated('the controller never acts without right', `${this.name}: ${String(error)}`);
        process.kill();
      },
    });
    this.controller.start();
  }

  killController(): void {
    this.controllerProcess?.kill();
    this.controller = null;
  }

  startRoleServer(): void {
    if (!this.isUp || this.roleServerProcess?.isAlive === true) return;
    const process = this.newProcess('role-server');
    this.roleServerProcess = process;
    this.roleServer = new RoleServer(this, process);
  }

  killRoleServer(): void {
    this.roleServerProcess?.kill();
    this.roleServer = null;
  }

  startRunner(): void {
    if (!this.isUp || this.runnerProcess?.isAlive === true) return;
    const process = this.newProcess('runner');
    const { world } = this;
    this.runnerProcess = process;
    const marks = (): Marks => this.disk.marks;
    const runner = new Runner({
      node: this.name,
      state: {
        get marks() {
          return marks();
        },
        update: (change) => this.mark(change),
      },
      server: runnerServer(this, process),
      client: runnerClient(this, process),
      machine: runnerMachine(this, process),
      log: runnerLog(this),
      fail: (error) => {
        world.violated(
          'the runner does not fail',
          `${this.name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
        );
        process.kill();
      },
    });
    void runner.start();
  }

  /** Its guard, a process of its own, then kills PostgreSQL. */
  killRunner(): void {
    if (this.runnerProcess?.isAlive !== true) return;
    this.runnerProcess.kill();
    const { server } = this;
    this.world.schedule(this.random.between(5, 25), () => server?.process.kill());
  }

  startPostgres(asItself: boolean, upstream: Source | null): Server {
    const { database } = this.disk.data;
    if (database === null) throw new Error('there is no database to start');
    if (this.server?.process.isAlive === true) throw new Error('PostgreSQL runs already');
    this.pids += 1;
    this.behaviour.isReplayPaused = false;
    const server = new Server(
      database,
      this.newProcess('postgres'),
      this.surroundings(),
      this.pids,
      asItself,
      upstream,
      this.disk.settings,
    );
    this.server = server;
    return server;
  }

  /** SIGKILL to every process of the data directory; whether there was any. */
  killPostgres(): boolean {
    const isAny = this.server?.process.isAlive === true;
    this.server?.process.kill();
    return isAny;
  }

  private killFromController(): readonly number[] {
    const { server } = this;
    if (server === null || !this.killPostgres()) return [];
    this.world.tell(this.name, () => 'controller kills PostgreSQL by itself');
    return [server.pid];
  }

  private surroundings(): Surroundings {
    const { world, random, behaviour, cluster } = this;
    return {
      world,
      random,
      node: this.name,
      behaviour,
      link: (from, to) => cluster.network.link(from, to),
      serverOf: (node) => cluster.nodes.get(node)?.server ?? null,
      onWritable: cluster.onWritable,
      onStream: cluster.onStream,
      onPromoted: cluster.onPromoted,
    };
  }

  private newProcess(name: string): SimProcess {
    const { lateMs, lateness } = this.options;
    const late = (): number => (this.random.chance(lateness) ? lateMs : this.random.between(0, 0.2 * lateMs));
    return new SimProcess(`${this.name} ${name}`, this.world, this.time, lateMs === 0 ? undefined : late);
  }

  private newTime(): MachineTime {
    return new MachineTime(this.world, this.options.rate, this.random.between(1000, 100_000));
  }
}
