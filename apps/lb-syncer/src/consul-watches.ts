import type { ClusterKeys, Role } from '@ha-postgres/cluster-state';
import {
  watchKey,
  watchService,
  type ConsulClient,
  type HealthyService,
  type KvEntry,
  type Watch,
} from '@ha-postgres/consul-election';
import type { Log, Millis } from '@ha-postgres/service-kit';
import { NOTHING_TOLD, type ClusterView } from './cluster-view';
import { readInstances, readMaster, readRole, type Reading } from './consul-facts';

export interface ConsulWatchesOptions {
  readonly client: Pick<ConsulClient, 'kvGet' | 'serviceHealth' | 'paths'>;
  readonly keys: ClusterKeys;
  readonly service: string;
  readonly log: Log;
  /** Called with every new view, at once. */
  readonly onView: (view: ClusterView) => void;
  readonly onAnswer: () => void;
  readonly onFailure: (why: string) => void;
}

/** How long a quiet blocking query lasts: an answer, and so a proof of contact, comes at least this often (and a sixteenth). */
export const QUIET_WAIT_MS = 10_000;

/**
 * Blocking queries on key `master`, on the passing instances, and on the role of each of their nodes. What was told stays told whatever errors follow.
 */
export class ConsulWatches {
  #view: ClusterView = NOTHING_TOLD;
  readonly #master: Watch<KvEntry | null>;
  readonly #instances: Watch<readonly HealthyService[]>;
  readonly #roles = new Map<string, Watch<KvEntry | null>>();
  readonly #reported = new Map<string, string>();
  #failing = false;

  constructor(private readonly options: ConsulWatchesOptions) {
    const { client, keys, service } = options;
    this.#master = watchKey(client, keys.master, this.#settings(), {
      ...this.#contact(),
      onValue: (entry) => this.#onMaster(entry),
    });
    this.#instances = watchService(
      client,
      service,
      { ...this.#settings(), passing: true },
      { ...this.#contact(), onValue: (services) => this.#onInstances(services) },
    );
  }

  start(): void {
    this.#master.start();
    this.#instances.start();
  }

  stop(): void {
    for (const watch of [this.#master, this.#instances, ...this.#roles.values()]) watch.stop();
  }

  /** When the last answer came of the query that has been silent longest; null until each has answered. */
  get oldestAnswerAt(): Millis | null {
    const answers = [this.#master, this.#instances, ...this.#roles.values()].map((watch) => watch.lastAnswerAt);
    return answers.reduce((oldest, at) => (oldest === null || at === null ? null : Math.min(oldest, at)));
  }

  /** When key `master` was last told; null before the first answer. */
  get masterAnswerAt(): Millis | null {
    return this.#master.lastAnswerAt;
  }

  /**
   * A Consul server that was started again and elected answers other reads from the snapshot that it began with, before it has gone
   * through its log: the key of a Master that runs may be absent there, and its clients would be cut off.
   */
  #settings() {
    return { consistency: 'consistent', waitMs: QUIET_WAIT_MS, log: this.options.log } as const;
  }

  #contact() {
    return {
      onAnswer: () => {
        if (this.#failing) this.options.log.info({ event: 'consul.answers' }, 'Consul answers again');
        this.#failing = false;
        this.options.onAnswer();
      },
      onError: (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        if (!this.#failing) {
          this.options.log.warn({ event: 'consul.silent', err: error }, `no answer from Consul, routes stay: ${why}`);
        }
        this.#failing = true;
        this.options.onFailure(why);
      },
    };
  }

  #onMaster(entry: KvEntry | null): void {
    const value = this.#believed('master', readMaster(this.#view.master, entry));
    this.#changed({ ...this.#view, master: { told: true, value } });
  }

  #onInstances(services: readonly HealthyService[]): void {
    const value = this.#believed('instances', readInstances(this.#view.instances, services));
    const nodes = new Set(value.map(({ node }) => node));
    this.#watchRoles(nodes);
    const roles = new Map([...this.#view.roles].filter(([node]) => nodes.has(node)));
    this.#changed({ ...this.#view, instances: { told: true, value }, roles });
  }

  #onRole(node: string, entry: KvEntry | null): void {
    const role: Role | null = this.#believed(`role of ${node}`, readRole(node, this.#view.roles.get(node), entry));
    this.#changed({ ...this.#view, roles: new Map([...this.#view.roles, [node, role]]) });
  }

  #watchRoles(nodes: ReadonlySet<string>): void {
    for (const [node, watch] of this.#roles) {
      if (nodes.has(node)) continue;
      watch.stop();
      this.#roles.delete(node);
    }
    for (const node of nodes) {
      if (this.#roles.has(node)) continue;
      const watch = watchKey(this.options.client, this.options.keys.role(node), this.#settings(), {
        ...this.#contact(),
        onValue: (entry) => this.#onRole(node, entry),
      });
      this.#roles.set(node, watch);
      watch.start();
    }
  }

  #changed(view: ClusterView): void {
    this.#view = view;
    this.options.onView(view);
  }

  /** Each problem is logged when it comes up, not with every answer that repeats it. */
  #believed<T>(what: string, { value, problems }: Reading<T>): T {
    const text = problems.join('; ');
    if (text !== '' && text !== this.#reported.get(what)) {
      this.options.log.warn({ event: 'consul.unreadable', what, problems }, `unreadable in Consul: ${text}`);
    }
    this.#reported.set(what, text);
    return value;
  }
}
