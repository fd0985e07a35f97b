import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/**
 * The metrics of one process, in a registry of their own. Asking twice for the same name gives the same metric, so that
 * parts need not pass metrics around.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly contentType = this.registry.contentType;

  /** @param options.processMetrics also collect memory, CPU and event loop delay of this process (default true) */
  constructor(options: { processMetrics?: boolean } = {}) {
    // The event loop's delay is sampled by a timer: every 100 ms instead of every 10 ms, which would cost more than our work.
    if (options.processMetrics !== false) {
      collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    }
  }

  counter<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return this.#once(name, () => new Counter<L>({ name, help, labelNames, registers: [this.registry] }));
  }

  gauge<const L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return this.#once(name, () => new Gauge<L>({ name, help, labelNames, registers: [this.registry] }));
  }

  histogram<const L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    buckets?: readonly number[],
  ): Histogram<L> {
    const chosen = buckets === undefined ? {} : { buckets: [...buckets] };
    return this.#once(name, () => new Histogram<L>({ name, help, labelNames, registers: [this.registry], ...chosen }));
  }

  /** All metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  #once<M>(name: string, make: () => M): M {
    return (this.registry.getSingleMetric(name) as M | undefined) ?? make();
  }
}
