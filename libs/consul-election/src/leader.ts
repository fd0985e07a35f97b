import { hostname } from 'node:os';
import type { ConsulApi } from './api';
import { Campaign, type Won } from './campaign';
import { systemClock, pause, type Clock, type Millis } from './clock';
import { ConsulClient } from './consul-http';
import { defaultLeaseTimes, fenceStart, leaseTimesProblems, type LeaseTimes } from './lease';
import { LeaseHolder } from './lease-holder';
import { leaderValueText } from './leader-value';
import { silentLog, type Log } from './log';
import { consulSettingsFromEnvironment, type ConsulSettings } from './settings';

/** What the work gets to know about its right. */
export interface Leadership {
  /** Aborted `fenceTimeMs` before the right ends, or when the whole thing is to stop: the work must be over within that time. */
  readonly rightEnds: AbortSignal;
  /** When the right ends as things stand, on this machine's monotonic clock. Moves on with every heartbeat. */
  readonly leaseEndsAt: () => Millis;
  /** One higher at every change of leader. */
  readonly term: number;
}

export interface RunWhileLeaderOptions<T> {
  /** Default: the usual CONSUL_HTTP_* variables. */
  readonly consul?: ConsulSettings;
  /** In place of `consul`. */
  readonly client?: ConsulApi;
  readonly key: string;
  /** Default: the machine's name. */
  readonly name?: string;
  /** Aborted: the work is told to end, the key is released, and {@link runWhileLeader} resolves. */
  readonly signal?: AbortSignal;
  readonly times?: LeaseTimes;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Runs while this process is the leader. When it returns, or throws, before its right ended, the leadership is given back. */
  readonly work: (leadership: Leadership) => Promise<T>;
}

/** The work's end, and whether its right held until then. */
type Ran<T> = { readonly kept: boolean } & (
  { readonly threw: false; readonly value: T } | { readonly threw: true; readonly error: unknown }
);

/**
 * Runs `work` in one process at a time: campaigns for the key, waits until the predecessor's lease is over, runs the work
 * until it returns or its right ends, and campaigns again after a loss. Never gives up on errors of Consul.
 * @returns what the work returned; undefined when `signal` was aborted before.
 * @throws what the work threw while its right held. RangeError if the times contradict each other.
 */
export async function runWhileLeader<T>(options: RunWhileLeaderOptions<T>): Promise<T | undefined> {
  const { signal, log = silentLog, clock = systemClock, times = defaultLeaseTimes } = options;
  const problems = leaseTimesProblems(times);
  if (problems.length > 0) throw new RangeError(problems.join('; '));
  const settings = options.consul ?? consulSettingsFromEnvironment(process.env);
  const own = options.client === undefined ? new ConsulClient(settings, { log, clock }) : null;
  const client = options.client ?? own;
  if (client === null) throw new TypeError('neither a client nor settings of Consul');
  const campaign = new Campaign({ client, key: options.key, name: options.name ?? hostname(), times, clock, log });
  try {
    while (signal?.aborted !== true) {
      const won = await campaign.win(signal);
      if (won === null) break;
      const ran = await lead(won, { ...options, client, times, clock, log });
      if (ran === null) continue;
      if (ran.threw && ran.kept) throw ran.error;
      if (!ran.threw && ran.kept) return ran.value;
      if (ran.threw)
        log.warn({ event: 'leader.work-threw', err: ran.error }, 'the work threw after its right had ended');
    }
    return undefined;
  } finally {
    own?.close();
  }
}

type Leading<T> = RunWhileLeaderOptions<T> & {
  readonly client: ConsulApi;
  readonly times: LeaseTimes;
  readonly clock: Clock;
  readonly log: Log;
};

/** One hold, from the acquire to its end. Null: the work did not start. */
async function lead<T>(won: Won, options: Leading<T>): Promise<Ran<T> | null> {
  const { client, key, times, clock, log } = options;
  const right = new Right(times, clock, options.signal);
  let working = false;
  const holder = new LeaseHolder({
    client,
    key,
    session: won.session.id,
    times,
    clock,
    log,
    value: (beat) => leaderValueText({ ...won.value, beat, phase: working ? 'working' : 'waiting' }),
    onExtended: (endsAt) => right.until(endsAt),
    onLost: () => right.end(),
  });
  holder.start(won);
  try {
    await pause(clock, won.mayStartAt - clock.now(), right.signal);
    if (right.signal.aborted) return null;
    working = true;
    void holder.beatNow();
    log.info({ event: 'leader.works', key, term: won.value.term }, 'this process is the leader');
    return await run(options, right, holder, won.value.term);
  } finally {
    const finished = {
      ...won.value,
      phase: 'released' as const,
      released: clock.now() >= won.mayStartAt,
    };
    if (!holder.lost) await holder.release(leaderValueText(finished));
    right.close();
    holder.stop();
    await won.session.destroy();
  }
}

async function run<T>(options: Leading<T>, right: Right, holder: LeaseHolder, term: number): Promise<Ran<T>> {
  const leadership: Leadership = { rightEnds: right.signal, leaseEndsAt: () => holder.endsAt, term };
  const kept = (): boolean => !right.ended;
  try {
    const value = await options.work(leadership);
    return { threw: false, value, kept: kept() };
  } catch (error) {
    return { threw: true, error, kept: kept() };
  }
}

/** Turns the end of a lease, which moves, into an AbortSignal. */
class Right {
  private readonly controller = new AbortController();
  private timer: { cancel(): void } | null = null;
  private isOver = false;
  private readonly onAbort = (): void => this.controller.abort();

  constructor(
    private readonly times: LeaseTimes,
    private readonly clock: Clock,
    private readonly outer: AbortSignal | undefined,
  ) {
    outer?.addEventListener('abort', this.onAbort);
    if (outer?.aborted === true) this.onAbort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
  /** The lease ran out or was lost, apart from a wish to stop. */
  get ended(): boolean {
    return this.isOver;
  }

  until(endsAt: Millis): void {
    this.timer?.cancel();
    this.timer = this.clock.schedule(fenceStart(endsAt, this.times) - this.clock.now(), () => this.end());
  }

  end(): void {
    this.isOver = true;
    this.controller.abort();
  }

  close(): void {
    this.timer?.cancel();
    this.outer?.removeEventListener('abort', this.onAbort);
  }
}
