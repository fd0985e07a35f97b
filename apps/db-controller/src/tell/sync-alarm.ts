import type { SyncStatus } from '@ha-postgres/cluster-state';
import type { Log } from '@ha-postgres/service-kit';

/** Says, once at each change, that commits wait for Replicas, or that none confirms them. */
export class SyncAlarm {
  private said: 'fine' | 'waiting' | 'alone' = 'fine';

  constructor(private readonly log: Log) {}

  /** `status`: null where nothing is promised. */
  look(status: SyncStatus | null): void {
    const now =
      status === null || status.mode === 'async'
        ? 'fine'
        : status.k === 0
          ? 'alone'
          : status.waiting
            ? 'waiting'
            : 'fine';
    if (now === this.said) return;
    this.said = now;
    const fields = { k: status?.k, names: status?.names, streaming: status?.streaming };
    if (now === 'waiting')
      this.log.warn({ event: 'sync.writes-wait', ...fields }, 'commits wait: too few synchronous Replicas stream');
    else if (now === 'alone')
      this.log.warn(
        { event: 'sync.nobody-confirms', ...fields },
        'no Replica confirms commits: they may be lost with this node',
      );
    else this.log.info({ event: 'sync.confirmed', ...fields }, 'synchronous Replicas confirm commits');
  }
}
