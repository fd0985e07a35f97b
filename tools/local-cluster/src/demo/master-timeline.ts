import { setTimeout as delay } from 'node:timers/promises';
import { parseMaster, type MasterValue } from '@ha-postgres/cluster-state';
import { ConsulClient, consulSettingsFromEnvironment, silentLog } from '@ha-postgres/consul-election';
import { monotonicNow, type Millis } from '@ha-postgres/service-kit';

/** The `master` key as it was from a moment on. */
export interface MasterSight {
  readonly at: Millis;
  /** Null: the key does not exist or cannot be read. */
  readonly value: MasterValue | null;
  readonly isHeld: boolean;
}

const WAIT_MS = 30_000;
const RETRY_MS = 50;

/**
 * Follows the `master` key by blocking queries, one after the other without a pause, since what counts here is when it
 * changed. Consul shows only the latest state: a value that stood shorter than a query takes is not seen.
 */
export class MasterTimeline {
  private readonly consul: ConsulClient;
  private readonly sights: MasterSight[] = [];
  private readonly stopped = new AbortController();

  constructor(
    address: string,
    private readonly key: string,
    private readonly onSight: (now: MasterSight, before: MasterSight | null) => void,
  ) {
    // Of the environment: the token, where keys may not be read without one.
    const settings = consulSettingsFromEnvironment(process.env);
    this.consul = new ConsulClient({ ...settings, address, requestTimeoutMs: 5_000 }, { log: silentLog });
  }

  start(): void {
    void this.follow(this.stopped.signal);
  }

  stop(): void {
    this.stopped.abort();
  }

  get current(): MasterSight | null {
    return this.sights.at(-1) ?? null;
  }

  /** The first sight after a moment of which something holds. */
  firstAfter(moment: Millis, holds: (sight: MasterSight) => boolean): MasterSight | null {
    return this.sights.find((sight) => sight.at > moment && holds(sight)) ?? null;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    let index: number | undefined;
    for (;;) {
      try {
        const read = await this.consul.kvGet(this.key, {
          signal,
          ...(index === undefined ? {} : { index, waitMs: WAIT_MS }),
        });
        index = read.index > 0 ? read.index : undefined;
        this.take(read.entry?.value ?? null, (read.entry?.session ?? null) !== null);
      } catch {
        if (this.stopped.signal.aborted) return;
        index = undefined;
        await delay(RETRY_MS);
      }
    }
  }

  private take(text: string | null, isHeld: boolean): void {
    const parsed = text === null ? null : parseMaster(text);
    const now: MasterSight = { at: monotonicNow(), value: parsed?.ok === true ? parsed.value : null, isHeld };
    const before = this.current;
    if (before !== null && outline(before) === outline(now)) return;
    this.sights.push(now);
    this.onSight(now, before);
  }
}

/** Heartbeats change the beat and the position only; those are no news. */
function outline({ value, isHeld }: MasterSight): string {
  return JSON.stringify([isHeld, value?.node, value?.term, value?.phase, value?.released]);
}
