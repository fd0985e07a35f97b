import type { Log, Metrics } from '@ha-postgres/service-kit';
import type { Change } from './difference';

/** Says what was changed in HAProxy, to people and to Prometheus. */
export class RoutingLog {
  readonly #changes;
  readonly #took;

  constructor(
    private readonly log: Log,
    metrics: Metrics,
  ) {
    this.#changes = metrics.counter('hapg_lb_changes_total', 'Changes made to servers of HAProxy', ['backend', 'to']);
    this.#took = metrics.histogram(
      'hapg_lb_change_seconds',
      "From the wish for a change, or the discovery of a need for it, to HAProxy's answer",
      [],
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    );
  }

  changed(changes: readonly Change[], tookMs: number): void {
    this.#took.observe(tookMs / 1000);
    for (const { server, wish, commands } of changes) {
      this.#changes.inc({ backend: server.backend, to: wish.kind });
      const target = wish.kind === 'serve' ? wish.target : null;
      this.log.info(
        {
          event: 'backend.switched',
          backend: server.backend,
          server: server.server,
          node: target?.node ?? null,
          address: target === null ? null : `${target.host}:${target.port}`,
          commands: commands.map(({ line }) => line),
          durationMs: tookMs,
        },
        target === null
          ? `${server.backend}/${server.server} leads nowhere now`
          : `${server.backend}/${server.server} leads to ${target.node} now`,
      );
    }
  }
}
