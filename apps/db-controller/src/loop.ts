import type { NodeStatus } from '@ha-postgres/cluster-state';
import {
  NOTHING_REMEMBERED,
  decide,
  syncStatus,
  rejoinOutlook,
  takeoverOutlook,
  type Action,
  type Decision,
  type Effects,
  type Memory,
  type Observation,
} from '@ha-postgres/failover';
import { formatLsn } from '@ha-postgres/lsn';
import { messageOf, type Timer } from '@ha-postgres/service-kit';
import { observe } from './observe/observe';
import type { ClockJump } from './observe/clock-jump';
import type { Parts } from './parts';
import { ANSWER_VALID_MS } from './tell/publisher';
import type { StatusTold } from './tell/registration';
import { forOperators } from './tell/for-operators';
import { readiness } from './tell/readiness';
import { SyncAlarm } from './tell/sync-alarm';
import { Reads } from './tell/reads';

/** An effect that failed is not tried again before this. */
const PACE_MS = 200;
/** One that changed nothing that is observed would be decided on again at once, and for ever. */
const REPEAT_MS = 20;
/** The longest time without a decision, for what changes without an event. */
const TICK_MS = 500;

/** observe → decide → act, again at every event. Nothing is decided here. */
export class Loop {
  private memory: Memory = NOTHING_REMEMBERED;
  private readonly inFlight = new Map<Action['type'], number>();
  private readonly notBefore = new Map<Action['type'], number>();
  private scheduled = false;
  private timer: Timer | null = null;
  private lastRule = '';
  private epochSeenAt = Number.NEGATIVE_INFINITY;
  private readonly reads: Reads;
  private stopped = false;
  private readonly alarm: SyncAlarm;
  private readonly effects: Effects;

  constructor(
    private readonly parts: Parts,
    effects: Effects,
    private readonly clockJump: ClockJump,
    private readonly onStatus: (told: StatusTold) => void,
  ) {
    this.effects = effects;
    this.alarm = new SyncAlarm(parts.log);
    this.reads = new Reads(parts.config.noLoadBalance, parts.config.maximumLagOnRead ?? null);
  }

  /** Decides again, once for all that happens in this turn of the event loop. */
  poke(): void {
    if (this.stopped) return;
    if (this.scheduled) return;
    this.scheduled = true;
    this.parts.clock.soon(() => {
      this.scheduled = false;
      this.cycle();
    });
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** What is seen now, also for those who answer other nodes' questions. */
  observation(): Observation {
    return observe(this.parts, this.clockJump, new Set(this.inFlight.keys()));
  }

  private cycle(): void {
    if (this.stopped) return;
    const { consul, disk, facts } = this.parts;
    if (consul.epoch.known && disk.sawEpoch(consul.epoch.value.number, consul.epoch.value.modifyIndex)) {
      consul.forgetMaster();
      this.epochSeenAt = this.parts.clock.now();
    }
    const value = consul.master.known ? consul.master.value.entry : null;
    const observation = this.observation();
    const decision = decide(observation, this.memory);
    this.memory = decision.memory;
    facts.ending = decision.memory.ending !== null;
    if (facts.hold === null) this.clockJump.forget();
    consul.watchRequests(facts.hold !== null);
    consul.watchMaster(facts.hold?.isToldByBeats !== true);
    this.tellRule(decision);
    this.publish(decision, observation);
    for (const action of decision.actions) this.act(action);
    // After the decision: a memory that went back must be judged against what was seen before.
    if (value?.value != null) disk.saw(value.value.term, value.modifyIndex, value.value.node);
    if (consul.members.known) disk.sawMembers(consul.members.value.members);
    // A rule of an older epoch may be known still.
    if (consul.sync.known && consul.sync.seenAt >= this.epochSeenAt)
      disk.sawSync(consul.sync.value.value?.version ?? 0);
    this.wakeIn(decision.wakeAt === null ? TICK_MS : Math.max(1, decision.wakeAt - this.parts.clock.now()));
  }

  private wakeIn(ms: number): void {
    this.timer?.cancel();
    this.timer = this.parts.clock.schedule(Math.min(ms, TICK_MS), () => this.cycle());
  }

  private tellRule({ rule, role, actions }: Decision): void {
    if (rule === this.lastRule) return;
    this.lastRule = rule;
    this.parts.log.info({ event: 'rule.changed', rule, role, actions: actions.map(({ type }) => type) }, rule);
  }

  private act(action: Action): void {
    const now = this.parts.clock.now();
    if (this.inFlight.has(action.type) || now < (this.notBefore.get(action.type) ?? 0)) return;
    this.inFlight.set(action.type, now);
    this.notBefore.set(action.type, now + REPEAT_MS);
    const effect = this.effects[action.type] as (action: Action) => Promise<void>;
    effect(action)
      .catch((error: unknown) => {
        this.notBefore.set(action.type, this.parts.clock.now() + PACE_MS);
        this.parts.log.warn(
          { event: 'action.failed', action: action.type, why: messageOf(error) },
          `${action.type} failed`,
        );
      })
      .finally(() => {
        this.inFlight.delete(action.type);
        this.poke();
      });
  }

  private publish(decision: Decision, o: Observation): void {
    const { role, instruction } = decision;
    if (instruction === null) return;
    const { publisher, postgres, policy, consul } = this.parts;
    const master = consul.master.known ? (consul.master.value.entry ?? null) : null;
    const running = master?.session != null && master.value?.phase === 'running' ? master.value : null;
    const { ready, why } = readiness(role, o, postgres);
    const whyNoReads = this.reads.whyNot(role, o, postgres.lagBytes);
    const status = once(() => ({ ...this.status(decision, o), whyNoReads }));
    this.alarm.look(syncStatus(o));
    this.onStatus({
      role,
      postgresAlive: o.postgres.alive,
      switchover: o.disk.switchover ?? undefined,
      whyNoReads,
      whole: status,
    });
    publisher.say({
      node: o.self.node,
      role,
      instruction,
      term: o.hold?.term ?? running?.term ?? 0,
      validUntil: role === 'Master' && o.hold !== null ? o.hold.endsAt - policy.fenceTimeMs : o.now + ANSWER_VALID_MS,
      master:
        running === null
          ? null
          : {
              node: running.node,
              host: running.host,
              port: running.port,
              apiPort: running.apiPort,
              term: running.term,
            },
      ready,
      readyWhy: why,
      lagBytes: postgres.lagBytes,
      whyNoReads,
      status,
      masterValue: master?.value ?? null,
    });
  }

  private status({ rule, role }: Decision, o: Observation): NodeStatus {
    const { postgres } = this.parts;
    const report = o.runner.known ? o.runner.value : null;
    // Written out: it is made at every decision, and a spread would take as long as all the rest of it.
    const { node, host, port, apiPort } = o.self;
    return {
      node,
      host,
      port,
      apiPort,
      role,
      rule,
      term: o.hold?.term ?? 0,
      dataTerm: o.disk.dataTerm,
      timeline: o.postgres.timeline,
      lsn: o.postgres.lsn === null ? null : formatLsn(o.postgres.lsn),
      inRecovery: o.postgres.inRecovery,
      streaming: o.postgres.receiver?.streaming === true,
      lagBytes: postgres.lagBytes,
      postgresAlive: o.postgres.alive,
      runnerPhase: report?.phase ?? null,
      takeover: role === 'Master' ? { able: false, why: 'is the Master' } : takeoverOutlook(o),
      tags: o.policy.tags,
      sync: syncStatus(o),
      lastError: report?.error?.message ?? o.postgres.failure ?? postgres.error,
      ...forOperators(o, this.parts),
      ...(o.disk.switchover == null ? {} : { switchover: o.disk.switchover }),
      rejoin: rejoinOutlook(o),
      divergence: report?.divergence ?? null,
    };
  }
}

/** Made when it is first asked for: what is told once a second is not worked out at every decision. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
