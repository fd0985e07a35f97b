import { MachineTime } from '../../world/machine-time';
import { Random } from '../../world/random';
import { SimProcess } from '../../world/sim-process';
import { World } from '../../world/world';
import { Database } from '../data-directory';
import { Server, type Behaviour } from '../server';
import type { ContractCluster, ContractServer } from './contract';

const LIMIT_MS = 60_000;
const BEHAVIOUR: Behaviour = {
  fsyncMs: 1,
  isStalled: false,
  isReplayPaused: false,
  isReplayHeld: false,
  promotionHangs: false,
  keepsNoWal: false,
  isFull: false,
};

/** Servers of the model in a world of their own. */
export class ModelCluster implements ContractCluster<ModelServer> {
  readonly world = new World(1);
  readonly running = new Map<string, Server>();
  private readonly random = new Random(1, 7);

  async first(): Promise<ModelServer> {
    await Promise.resolve();
    return new ModelServer(this, 'first', new Database('7000000000000000001'));
  }

  async replicaOf(server: ModelServer, name: string): Promise<ModelServer> {
    await Promise.resolve();
    return new ModelServer(this, name, server.database.copy(), server.name);
  }

  async follow(server: ModelServer, upstream: ModelServer, slot: string | null = null): Promise<void> {
    server.upstream = upstream.name;
    server.slot = slot;
    await Promise.resolve();
  }

  async eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const until = this.world.now() + LIMIT_MS;
    while (!(await holds())) {
      if (this.world.now() > until) throw new Error(`not in time: ${what}`);
      await this.pass(5);
    }
  }

  aWhile(): Promise<void> {
    return this.pass(3000);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  pass(ms: number): Promise<void> {
    return this.world.runUntil(this.world.now() + ms);
  }

  run({ name, database, upstream, slot, names }: ModelServer): Server {
    const { world, random } = this;
    const process = new SimProcess(name, world, new MachineTime(world, 1, 1000));
    const nothing = (): void => undefined;
    const server = new Server(
      database,
      process,
      {
        world,
        random,
        node: name,
        behaviour: { ...BEHAVIOUR },
        link: () => random.between(0.1, 0.7),
        serverOf: (node) => this.running.get(node) ?? null,
        onWritable: nothing,
        onStream: nothing,
        onPromoted: nothing,
      },
      1,
      upstream === null,
      upstream === null ? null : { node: upstream, slot },
      { synchronousStandbyNames: names, admits: 'everyone' },
    );
    this.running.set(name, server);
    return server;
  }
}

export class ModelServer implements ContractServer {
  names = '';
  slot: string | null = null;
  private server: Server | null = null;
  private writes = 0;

  constructor(
    private readonly cluster: ModelCluster,
    readonly name: string,
    readonly database: Database,
    public upstream: string | null = null,
  ) {}

  async start(): Promise<void> {
    const server = this.cluster.run(this);
    this.server = server;
    await this.cluster.eventually('it takes connections', () => server.takesConnections);
  }

  async stop(): Promise<void> {
    const { server } = this;
    server?.stopFast();
    await this.cluster.eventually('it has ended', () => server?.process.isAlive !== true);
  }

  async kill(): Promise<void> {
    this.server?.process.kill();
    await this.cluster.pass(1);
  }

  async write(): Promise<() => boolean> {
    let isDone = false;
    this.writes += 1;
    this.server?.write(this.writes, 100, 0, (how) => (isDone = how === 'committed'));
    await this.cluster.pass(1);
    return () => isDone;
  }

  async promote(): Promise<void> {
    const { server } = this;
    server?.promote();
    this.upstream = null;
    await this.cluster.eventually('it is out of recovery', () => server?.inRecovery === false);
  }

  async checkpoint(): Promise<void> {
    let isDone = false;
    this.server?.checkpoint(() => (isDone = true));
    await this.cluster.eventually('the checkpoint is complete', () => isDone);
  }

  timeline(): Promise<number> {
    return Promise.resolve(this.database.timeline.number);
  }

  timelinesBefore(timeline: number): Promise<readonly number[]> {
    return Promise.resolve(this.database.known.get(timeline)?.ancestors.map((one) => one.timeline) ?? []);
  }

  controlTimeline(): Promise<number> {
    return Promise.resolve(this.database.control.timeline);
  }

  position(): Promise<number> {
    return Promise.resolve(this.server?.replayed ?? 0);
  }

  isStreaming(): Promise<boolean> {
    return Promise.resolve(this.server?.receiver.isConnected === true);
  }

  async setNames(names: string): Promise<void> {
    this.names = names;
    this.server?.reload({ synchronousStandbyNames: names, admits: 'everyone' });
    await this.cluster.pass(1000);
  }
}
