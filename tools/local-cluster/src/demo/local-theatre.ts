import { SETTLE_MS } from '../carry-out';
import type { ClusterOptions } from '../options';
import { ownCluster } from '../owner';
import { localFaults } from './local-faults';
import type { Theatre } from './theatre';

const REJOIN_MS = 60_000;

/** Starts a cluster of processes on this machine; `stop` ends it. */
export async function openLocalTheatre(options: ClusterOptions, signal: AbortSignal): Promise<Theatre> {
  const { cluster, stop } = await ownCluster(options, { onDown: () => process.kill(process.pid, 'SIGTERM'), signal });
  return {
    cluster: {
      describe: () => cluster.describe(),
      onEvent: (listener) => void cluster.on('event', listener),
    },
    faults: localFaults(cluster, cluster.layout.logs),
    settleMs: SETTLE_MS,
    rejoinMs: REJOIN_MS,
    hint: 'drive it with tools/cluster, see --help there',
    remarks: () => [],
    stop: async () => {
      // What ends from here on is meant to.
      cluster.removeAllListeners();
      await stop(0);
    },
  };
}
