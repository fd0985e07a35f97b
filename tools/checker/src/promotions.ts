import { clusterKeys, parseHistory } from '@ha-postgres/cluster-state';
import { ConsulClient, consulSettingsFromEnvironment, silentLog } from '@ha-postgres/consul-election';
import { pause } from '@ha-postgres/service-kit';
import type { Recorder } from './recorder';
import type { ConsulPlace } from './targets';

const EVERY_MS = 1_000;
const REQUEST_MS = 1_000;

/** Follows Consul's key `history` for the terms of promotions: read again and again, as the key may be lost meanwhile. */
export class Promotions {
  private readonly key: string;
  private readonly clients: readonly ConsulClient[];
  private readonly known = new Set<string>();
  private readonly ended = new AbortController();
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly recorder: Recorder,
    { addresses, prefix }: ConsulPlace,
  ) {
    this.key = clusterKeys(prefix).history;
    const settings = consulSettingsFromEnvironment(process.env);
    this.clients = addresses.map(
      (address) => new ConsulClient({ ...settings, address, requestTimeoutMs: REQUEST_MS }, { log: silentLog }),
    );
  }

  static follow(recorder: Recorder, place: ConsulPlace): Promotions {
    const promotions = new Promotions(recorder, place);
    promotions.running = promotions.keepReading();
    return promotions;
  }

  /** Reads once more, and ends. */
  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
    await this.read();
  }

  private async keepReading(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      await this.read();
      await pause(EVERY_MS, signal);
    }
  }

  /** Asks one address after the other until one answers; none: what is known stays. */
  private async read(): Promise<void> {
    for (const client of this.clients) {
      try {
        const { entry } = await client.kvGet(this.key);
        this.take(entry?.value ?? null);
        return;
      } catch {
        // The next one may answer.
      }
    }
  }

  private take(text: string | null): void {
    const parsed = text === null ? null : parseHistory(text);
    if (parsed?.ok !== true) return;
    for (const { term, node, timeline } of parsed.value.promotions) {
      const promotion = { term, node, timeline };
      const key = JSON.stringify(promotion);
      if (this.known.has(key)) continue;
      this.known.add(key);
      this.recorder.promoted(promotion);
    }
  }
}
