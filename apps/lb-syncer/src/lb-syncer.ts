import { clusterKeys } from '@ha-postgres/cluster-state';
import type { ConsulClient } from '@ha-postgres/consul-election';
import type { HaproxyRuntime, RuntimeAddress } from '@ha-postgres/haproxy-runtime';
import { monotonicNow, type Log, type Metrics } from '@ha-postgres/service-kit';
import { NOTHING_TOLD, type ClusterView } from './cluster-view';
import { ConsulWatches } from './consul-watches';
import { Contact } from './contact';
import { HaproxySync, type Hold } from './haproxy-sync';
import { HoldPlug } from './hold-plug';
import { NOT_HOLDING, nextHold, type HoldMode, type HoldState } from './holding';
import type { Health } from './http';
import { Presence } from './presence';
import { isSamePlan, planBackends, type BackendNames, type Desired } from './plan-backends';
import { RoutingLog } from './routing-log';
import { StatusReport } from './status-report';

export interface LbSyncerOptions {
  /** Of this load balancer, in `lb/<name>/status`. */
  readonly name: string;
  readonly consulPrefix: string;
  readonly consulService: string;
  readonly backends: BackendNames;
  readonly pollIntervalMs: number;
  readonly consulSilenceMaxMs: number;
  readonly haproxySilenceMaxMs: number;
  readonly client: ConsulClient;
  readonly runtime: HaproxyRuntime;
  readonly haproxyAddress: RuntimeAddress;
  /** When clients wait for a Master, how long at most, and through which bind. */
  readonly hold: { readonly mode: HoldMode; readonly timeoutMs: number; readonly address: RuntimeAddress };
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * The holder of the key writes a beat twice a second, and its lease ends 3 s after the last one (the default): after that
 * long a silence the Master may be another.
 */
const FRESH_MS = 3000;

/** Consul's answers in, HAProxy's state out. */
export class LbSyncer {
  readonly #watches: ConsulWatches;
  readonly #sync: HaproxySync;
  readonly #presence: Presence;
  readonly #report: StatusReport;
  readonly #consul: Contact;
  readonly #haproxy: Contact;
  readonly #silence;
  readonly #routed;
  readonly #plug: HoldPlug;
  #plan: Desired | null = null;
  #view: ClusterView = NOTHING_TOLD;
  #hold: HoldState = NOT_HOLDING;
  #holdEnds: NodeJS.Timeout | null = null;
  #hasRouted = false;

  constructor(private readonly options: LbSyncerOptions) {
    const { client, runtime, log, metrics, name } = options;
    const keys = clusterKeys(options.consulPrefix);
    const routing = new RoutingLog(log, metrics);
    this.#consul = new Contact(options.consulSilenceMaxMs, monotonicNow);
    this.#haproxy = new Contact(options.haproxySilenceMaxMs, monotonicNow);
    this.#report = new StatusReport({ client, key: keys.lbStatus(name), name, log });
    this.#watches = new ConsulWatches({
      client,
      keys,
      service: options.consulService,
      log,
      onView: (view) => this.#onView(view),
      onAnswer: () => this.#onConsulAnswer(),
      onFailure: (why) => this.#consul.failed(why),
    });
    this.#plug = new HoldPlug({ runtime, address: options.hold.address, onLost: () => this.#sync.lookAgain(), log });
    this.#sync = new HaproxySync({
      runtime,
      log,
      pollIntervalMs: options.pollIntervalMs,
      now: monotonicNow,
      isFresh: () => this.#isFresh(),
      onAnswer: () => this.#haproxy.answered(),
      onFailure: (why) => this.#haproxy.failed(why),
      onChanged: (changes, tookMs) => routing.changed(changes, tookMs),
      onSettled: (desired, hold) => this.#onSettled(desired, hold),
      plug: this.#plug,
      masterBackend: options.backends.master,
    });
    this.#presence = new Presence(options.haproxyAddress, () => this.#sync.lookAgain());
    this.#silence = metrics.gauge('hapg_lb_silence_seconds', 'Since the last good answer', ['of']);
    this.#routed = metrics.gauge('hapg_lb_routed', 'Servers that are to serve', ['backend']);
  }

  start(): void {
    this.#sync.start();
    this.#presence.start();
    this.#report.start();
    this.#watches.start();
  }

  /** Leaves HAProxy's routes as they are, and takes back the report. */
  async stop(): Promise<void> {
    this.#watches.stop();
    this.#presence.stop();
    if (this.#holdEnds !== null) clearTimeout(this.#holdEnds);
    await Promise.all([this.#sync.stop(), this.#report.stop()]);
    // Whoever waits is refused: nobody would end it.
    this.#plug.close();
  }

  health(): Health {
    return { consul: this.#consul.state(), haproxy: this.#haproxy.state(), hasRouted: this.#hasRouted };
  }

  /** All metrics in Prometheus' text format. */
  metricsText(): Promise<string> {
    this.#silence.set({ of: 'consul' }, this.#consul.silentForMs / 1000);
    this.#silence.set({ of: 'haproxy' }, this.#haproxy.silentForMs / 1000);
    this.#routed.set({ backend: 'master' }, (this.#plan?.master ?? null) === null ? 0 : 1);
    this.#routed.set({ backend: 'standby' }, this.#plan?.standbys.length ?? 0);
    return this.options.metrics.text();
  }

  #onView(view: ClusterView): void {
    this.#view = view;
    const plan = planBackends(view, this.options.backends, this.#isHolding());
    if (this.#plan !== null && isSamePlan(this.#plan, plan)) return;
    this.#warnOfProblems(plan);
    this.#plan = plan;
    this.#sync.want(plan);
  }

  /** Judged anew with each view, and when the time is over. */
  #isHolding(): boolean {
    const { mode, timeoutMs } = this.options.hold;
    const before = this.#hold;
    const next = nextHold(before, this.#view, mode, monotonicNow(), timeoutMs);
    this.#hold = next;
    if (next.kind === 'over' && before.kind === 'holding') {
      this.options.log.warn({ event: 'hold.over', timeoutMs }, 'no Master within holdTimeout: clients are refused');
    }
    if (this.#holdEnds !== null) clearTimeout(this.#holdEnds);
    this.#holdEnds =
      next.kind === 'holding'
        ? setTimeout(() => this.#onView(this.#view), Math.ceil(next.since + timeoutMs - monotonicNow()))
        : null;
    return next.kind === 'holding';
  }

  #warnOfProblems({ problems }: Desired): void {
    const known = this.#plan?.problems ?? [];
    for (const problem of problems.filter((text) => !known.includes(text))) {
      this.options.log.warn({ event: 'backend.problem', problem }, problem);
    }
  }

  /** Every query must go on answering: one that hangs would leave its part of the view to age unseen. */
  #onConsulAnswer(): void {
    const oldest = this.#watches.oldestAnswerAt;
    if (oldest !== null) this.#consul.answered(oldest);
  }

  #isFresh(): boolean {
    const at = this.#watches.masterAnswerAt;
    return at !== null && monotonicNow() - at < FRESH_MS;
  }

  #onSettled(desired: Desired, { holding, canHold }: Hold): void {
    const { master, instances } = this.#view;
    // A plan from less than all that was told is not what clients are to meet.
    if (desired === this.#plan && master.told && instances.told) this.#hasRouted = true;
    this.#report.report({
      name: this.options.name,
      appliedIndex: desired.masterIndex,
      master: desired.master,
      holding,
      canHold: canHold && this.options.hold.mode !== 'never',
      standbys: desired.standbys,
    });
  }
}
