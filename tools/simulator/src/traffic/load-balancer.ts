import type { ClusterKeys } from '@ha-postgres/cluster-state';
import { watchKey } from '@ha-postgres/consul-election';
import { silentLog } from '@ha-postgres/service-kit';
import { NOTHING_TOLD, planBackends, readMaster, type ClusterView } from '@ha-postgres/lb-syncer/plan';
import type { ConsulModel } from '../consul/consul-model';
import { MachineTime } from '../world/machine-time';
import { Random } from '../world/random';
import { SimProcess } from '../world/sim-process';
import type { World } from '../world/world';

const NAMES = { master: 'master', standby: 'standby', replication: null };

/** HAProxy with its lb-syncer: routes the master port by what the real plan says. */
export class LoadBalancer {
  readonly process: SimProcess;
  private readonly random: Random;
  private view: ClusterView = NOTHING_TOLD;
  private leadsTo: string | null = null;
  private readonly sessions = new Set<() => void>();

  constructor(
    readonly name: string,
    number: number,
    private readonly world: World,
    consul: ConsulModel,
    keys: ClusterKeys,
  ) {
    this.random = new Random(world.seed, 200 + number);
    this.process = new SimProcess(name, world, new MachineTime(world, 1, 1000));
    const { clock } = this.process;
    const random = (): number => this.random.next();
    watchKey(
      consul.client(name, this.process),
      keys.master,
      { log: silentLog, clock, random, consistency: 'consistent' },
      {
        onValue: (entry) => {
          const { value } = readMaster(this.view.master, entry);
          this.view = { ...this.view, master: { told: true, value } };
          this.plan();
        },
      },
    ).start();
  }

  /** Where a new connection to the master port leads; null: it is refused. */
  get route(): string | null {
    return this.leadsTo;
  }

  /** A session is closed when its server leaves the backend. Returns what forgets it. */
  onClose(close: () => void): () => void {
    this.sessions.add(close);
    return () => void this.sessions.delete(close);
  }

  private plan(): void {
    const { master } = planBackends(this.view, NAMES);
    if (master === this.leadsTo) return;
    this.world.schedule(this.random.between(0.5, 4), () =>
      this.process.deliver(() => {
        if (master === this.leadsTo) return;
        this.leadsTo = master;
        this.world.tell(this.name, () => `routes to ${master ?? 'nobody'}`);
        for (const close of [...this.sessions]) close();
        this.sessions.clear();
      }),
    );
  }
}
