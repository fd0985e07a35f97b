import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics } from './process-metrics';

/**
 * The metrics of one process, in a registry of their own. Asking twice for the same name gives the same metric, so that
 * parts need not pass metrics around.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly contentType = this.registry.contentType;

  /**
   * @param options.app becomes the label `app` of every metric, so that those of two processes can be shown together
   * @param options.processMetrics also tell memory, CPU and event loop of this process (default true)
   */
  constructor(options: { app?: string; processMetrics?: boolean } = {}) {
    if (options.app !== undefined) this.registry.setDefaultLabels({ app: options.app });
    if (options.processMetrics !== false) collectProcessMetrics(this.registry);
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
